// Training of the kinds of correctors beyond the plain one: any step of a range, a step that is searched, time and
// parameters as inputs. Short horizons: the whole bars are in tests/paper.
#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/train.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <memory>
#include <string>

using namespace lodestep;

namespace {

Problem short_pendulum() {
  Problem problem = make_problem("elastic_pendulum");
  problem.horizon = 4.0;
  return problem;
}

const CorrectorModel& corrector_of(const AttnsResult& result) {
  return std::get<CorrectorModel>(result.model.method);
}

double rms_of(const AttnsResult& result, const Problem& problem, double most_fallbacks = 1e-3) {
  EvaluateOptions options;
  options.trajectories = 20;
  const Evaluation e = evaluate(result.model, problem, options);
  BOOST_TEST(e.fallback_fraction < most_fallbacks);
  return std::sqrt(e.mse_mean);
}

/// What train_attns says against these options.
std::string refusal(const Problem& problem, const AttnsOptions& options) {
  try {
    train_attns(problem, options);
  } catch (const InvalidArgument& error) {
    return error.what();
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(one_model_serves_every_step_of_its_range) {
  const Problem problem = short_pendulum();
  AttnsOptions options;
  options.dt_range = {0.05, 0.2};
  options.error = 1e-5;
  const AttnsResult result = train_attns(problem, options);
  BOOST_TEST(corrector_of(result).dt_aware());
  BOOST_TEST(corrector_of(result).dt == 0.2);
  for (const double dt : {0.05, 0.08, 0.1, 0.16, 0.2}) {
    EvaluateOptions judge;
    judge.trajectories = 20;
    judge.dt = dt;
    const Evaluation e = evaluate(result.model, problem, judge);
    BOOST_TEST(e.fallback_fraction < 1e-3);
    BOOST_TEST(std::sqrt(e.mse_mean) < 1e-5);
    BOOST_TEST(std::sqrt(e.mse_mean) < 0.1 * std::sqrt(e.base_mse_mean));
  }
}

BOOST_AUTO_TEST_CASE(a_searched_step_is_cheaper_than_the_problems_own) {
  const Problem problem = short_pendulum();
  AttnsOptions options;
  options.error = 1e-5;
  const AttnsResult fixed = train_attns(problem, options);
  options.search_dt = true;
  const AttnsResult searched = train_attns(problem, options);
  BOOST_TEST(searched.reached);
  BOOST_TEST(corrector_of(searched).dt > corrector_of(fixed).dt);
  BOOST_TEST(rms_of(searched, problem) < 1e-5);
  options.output_dt = 0.05;
  const AttnsResult within = train_attns(problem, options);
  const auto& dense = corrector_of(within).dense;
  BOOST_REQUIRE(dense.has_value());
  BOOST_TEST(corrector_of(within).dt / static_cast<double>(dense->points + 1) == 0.05,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(dense->rms < 1e-5);
  // A file holds what was judged: coefficients in single precision are floats.
  const auto bytes = serialize_model(within.model);
  const auto read = load_model(bytes.data(), bytes.size(), "dense");
  const auto& coefficients = std::get<PolynomialTerm>(std::get<CorrectorModel>(read->method).dense->approximator.term);
  BOOST_TEST(coefficients.coefficient == std::get<PolynomialTerm>(dense->approximator.term).coefficient);
}

BOOST_AUTO_TEST_CASE(the_multiplicative_form_is_fitted_with_its_own_weights) {
  const Problem problem = short_pendulum();
  AttnsOptions options;
  options.form = CorrectorForm::multiplicative;
  options.trajectories = 20;
  options.error = 1e-3;
  const AttnsResult result = train_attns(problem, options);
  BOOST_CHECK(corrector_of(result).form == CorrectorForm::multiplicative);
  EvaluateOptions judge;
  judge.trajectories = 20;
  const Evaluation e = evaluate(result.model, problem, judge);
  // The increment of a turning point is zero, and no factor of it makes a correction there: better, but not by much.
  BOOST_TEST(e.mse_mean < e.base_mse_mean);
}

BOOST_AUTO_TEST_CASE(a_parameter_may_be_an_input) {
  const Problem problem = short_pendulum();
  AttnsOptions options;
  options.parameters = {{"k", {35.0, 45.0}}};
  options.error = 1e-5;
  const AttnsResult result = train_attns(problem, options);
  BOOST_TEST(result.reached);
  BOOST_TEST_REQUIRE(corrector_of(result).parameters.size() == 1u);
  BOOST_TEST(corrector_of(result).parameters[0].nominal == 40.0);
  for (const double k : {35.5, 40.0, 44.5}) BOOST_TEST(rms_of(result, with_parameters(problem, {{"k", k}})) < 1e-5);
  // Beyond the range no step is learned, and the error stays what the fallback makes it.
  EvaluateOptions judge;
  judge.trajectories = 5;
  const Evaluation outside = evaluate(result.model, with_parameters(problem, {{"k", 50.0}}), judge);
  BOOST_TEST(outside.fallback_fraction == 1.0);
  BOOST_TEST(std::sqrt(outside.mse_mean) < 1e-4);
  // A parameter that is no input may not change.
  BOOST_CHECK_THROW(evaluate(result.model, with_parameters(problem, {{"g", 1.62}}), judge), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(a_driven_oscillator_is_fed_with_its_phase) {
  Problem problem = make_problem("duffing");
  BOOST_TEST(depends_on_time(problem));
  BOOST_TEST(!depends_on_time(short_pendulum()));
  AttnsOptions options;
  options.error = 1e-5;
  const AttnsResult result = train_attns(problem, options);
  BOOST_TEST(result.reached);
  BOOST_CHECK(corrector_of(result).time == TimeInput::phase);
  BOOST_TEST(std::abs(corrector_of(result).period - problem.period) < 1e-12);
  BOOST_TEST(rms_of(result, problem) < 1e-5);

  options.time = TimeInput::none;
  BOOST_TEST(contains(refusal(problem, options), "depends on t"));
  options.time = TimeInput::elapsed;
  problem.horizon = 5.0;
  options.horizon = 5.0;
  const AttnsResult elapsed = train_attns(problem, options);
  BOOST_CHECK(corrector_of(elapsed).time == TimeInput::elapsed);
  // Twenty-five short trajectories hardly fill the box they start from.
  BOOST_TEST(rms_of(elapsed, problem, 1e-2) < 1e-4);
}

BOOST_AUTO_TEST_CASE(contradictions_are_refused_before_any_work) {
  const Problem problem = short_pendulum();
  const auto with = [&](auto change) {
    AttnsOptions options;
    change(options);
    return refusal(problem, options);
  };
  BOOST_TEST(contains(with([](auto& o) { o.search_dt = true; }), "needs an error"));
  BOOST_TEST(contains(with([](auto& o) { o.search_dt = true, o.error = 1e-5, o.dt = 0.1; }), "search"));
  BOOST_TEST(contains(with([](auto& o) { o.dt_range = {0.1, 0.05}; }), "lower < upper"));
  BOOST_TEST(contains(with([](auto& o) { o.dt_range = {0.05, 0.1}, o.dt = 0.1; }), "dt-aware"));
  BOOST_TEST(contains(with([](auto& o) { o.parameters = {{"x", {1.0, 2.0}}}; }), "no such parameter"));
  BOOST_TEST(contains(with([](auto& o) { o.parameters = {{"k", {2.0, 1.0}}}; }), "lower < upper"));
  BOOST_TEST(contains(with([](auto& o) { o.time = TimeInput::phase; }), "period"));
  BOOST_TEST(contains(with([](auto& o) {
                        o.form = CorrectorForm::multiplicative;
                        o.input = CorrectorInput::stages;
                      }),
                      "multiplicative"));
  BOOST_TEST(contains(with([](auto& o) { o.trajectories = 1, o.horizon = 0.2; }), "more trajectories"));
}

BOOST_AUTO_TEST_CASE(every_distribution_varies_what_it_says) {
  for (const char* name : {"elastic_pendulum", "k_link_pendulum"}) {
    Problem problem = make_problem(name);
    use_initial(problem, "wide");
    BOOST_TEST(problem.initial == "wide");
    std::vector<double> first(problem.dimension()), u(problem.dimension());
    Random random(0, 1, 0);
    problem.sample(random, first.data());
    problem.sample(random, u.data());
    for (std::size_t i = 0; i < u.size(); ++i) BOOST_TEST(u[i] != first[i]);
    BOOST_CHECK_THROW(use_initial(problem, "narrow"), InvalidArgument);
  }
}
