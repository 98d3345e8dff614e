// What `bench --inference` measures and what `inspect` says of backends.
#include "report/inference.hpp"

#include "pendulum_models.hpp"
#include "report/inspect.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

using namespace lodestep;
using namespace lodestep::report;

namespace {

InferenceOptions quick() {
  InferenceOptions options;
  options.batches = {1, 32};
  options.seconds = 0.01;
  return options;
}

ApproximatorSpec spec_of(const test::PendulumOptions& options) {
  return std::get<CorrectorModel>(test::pendulum_model(options).method).approximator;
}

} // namespace

BOOST_AUTO_TEST_CASE(names_are_those_of_the_benchmark_program) {
  test::PendulumOptions options;
  BOOST_TEST(inference_name(spec_of(options), Backend::fused, 1) == "mlp/fused/f64/tanh/d:4/h:64/layers:1/b:1");
  options.precision = Precision::f32;
  options.activation = Activation::rational;
  options.hidden = {512, 512, 512};
  BOOST_TEST(inference_name(spec_of(options), Backend::onednn, 320) ==
             "mlp/onednn/f32/rational/d:4/h:512/layers:3/b:320");
  options.hidden = {32, 16};
  options.input = CorrectorInput::stages;
  BOOST_TEST(inference_name(spec_of(options), Backend::automatic, 16) ==
             "mlp/automatic/f32/rational/d:16x4/h:32x16/layers:2/b:16");
  options = {};
  options.degree = 3;
  BOOST_TEST(inference_name(spec_of(options), Backend::reference, 1) == "polynomial/reference/f64/degree:3/d:4/b:1");
  options.degree = 0;
  options.hidden.clear();
  BOOST_TEST(inference_name(spec_of(options), Backend::fused, 4096) == "affine/fused/f64/d:4/b:4096");
}

BOOST_AUTO_TEST_CASE(every_backend_that_can_run_the_model_is_timed) {
  test::PendulumOptions model;
  model.precision = Precision::f32;
  const auto result = measure_inference(test::pendulum_model(model), quick());
  // oneDNN is either timed or named as left out.
  const std::size_t backends = 4 - result.notes.size();
  BOOST_TEST(backends >= 3u);
  BOOST_TEST_REQUIRE(result.points.size() == 2 * backends);
  std::set<std::string> names;
  for (const auto& point : result.points) {
    BOOST_TEST(point.ns_per_sample > 0.1);
    BOOST_TEST(point.ns_per_sample < 1e6);
    BOOST_TEST((point.runs == point.backend || point.backend == Backend::automatic));
    BOOST_TEST((point.runs != Backend::automatic));
    names.insert(point.name);
  }
  BOOST_TEST(names.size() == result.points.size());
  BOOST_TEST(names.count("mlp/fused/f32/tanh/d:4/h:64/layers:1/b:32") == 1u);
  BOOST_TEST(result.instruction_set == Approximator::instruction_set());
  const auto document = to_json(result);
  BOOST_TEST(document["points"].size() == result.points.size());
  BOOST_TEST(document["points"][0]["name"] == result.points[0].name);
  BOOST_TEST(document["points"][0]["ns_per_sample"].get<double>() == result.points[0].ns_per_sample);
}

BOOST_AUTO_TEST_CASE(what_cannot_run_is_named) {
  // oneDNN has no f64, and no polynomials.
  const auto f64 = measure_inference(test::pendulum_model(), quick());
  BOOST_TEST_REQUIRE(f64.notes.size() == 1u);
  BOOST_TEST(f64.notes[0].rfind("onednn left out: ", 0) == 0u);
  auto options = quick();
  options.backend = Backend::onednn;
  BOOST_CHECK_THROW(measure_inference(test::pendulum_model(), options), InvalidArgument);
  options.backend = Backend::reference;
  const auto one = measure_inference(test::pendulum_model(), options);
  BOOST_TEST(one.points.size() == 2u);
  for (const auto& point : one.points) BOOST_TEST((point.runs == Backend::reference));
  options.batches = {4, 0};
  BOOST_CHECK_THROW(measure_inference(test::pendulum_model(), options), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(inspect_says_what_runs_here) {
  const auto model = test::pendulum_model();
  const auto approximator = describe_json(model)["approximator"];
  BOOST_TEST(approximator["instruction_set"] == Approximator::instruction_set());
  BOOST_TEST_REQUIRE(approximator["backends"].size() == 4u);
  BOOST_TEST(approximator["backends"][0]["batch"] == 1);
  BOOST_TEST(approximator["backends"][3]["batch"] == 4096);
  const Approximator packed(std::get<CorrectorModel>(model.method).approximator);
  for (const auto& entry : approximator["backends"]) {
    BOOST_TEST(entry["backend"] == to_string(packed.backend(entry["batch"].get<std::size_t>())));
  }
  const std::string page = describe(model);
  BOOST_TEST(page.find(std::string("runs here on  fused; instruction set ") + Approximator::instruction_set()) !=
             std::string::npos);
}
