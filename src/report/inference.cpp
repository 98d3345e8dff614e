#include "report/inference.hpp"

#include "report/processor_clock.hpp"
#include "report/roll_out.hpp"

#include <lodestep/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace lodestep::report {

namespace {

using Clock = ProcessorClock;

/// One sample takes at least this long, a thousand times what the clock resolves.
constexpr double sample_ns = 5e4;
constexpr std::size_t least_repetitions = 5;

double elapsed_ns(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// The evaluations of one backend and batch, ready to be repeated.
class Timed {
public:
  Timed(std::shared_ptr<const Approximator> approximator, const std::vector<double>& states, std::size_t batch)
      : approximator_(std::move(approximator)), batch_(batch), x_(states.begin(), states.end()),
        y_(batch * approximator_->outputs()), x_float_(states.begin(), states.end()), y_float_(y_.size()) {
    evaluate(1); // allocates, and builds what is cached
    double ns = evaluate(1);
    while (ns < sample_ns && count_ < (std::size_t{1} << 30)) {
      count_ *= 2;
      ns = evaluate(count_);
    }
  }

  void sample() { samples_.push_back(evaluate(count_) / static_cast<double>(count_ * batch_)); }
  const std::vector<double>& samples() const noexcept { return samples_; }

private:
  /// `count` evaluations, each in its turn: the kernels are behind a pointer, so none can be left out.
  double evaluate(std::size_t count) {
    const auto start = Clock::now();
    if (approximator_->precision() == Precision::f64) {
      for (std::size_t i = 0; i < count; ++i) approximator_->evaluate(x_.data(), y_.data(), batch_, workspace_);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        approximator_->evaluate(x_float_.data(), y_float_.data(), batch_, workspace_);
      }
    }
    return elapsed_ns(start);
  }

  std::shared_ptr<const Approximator> approximator_;
  std::size_t batch_;
  std::size_t count_ = 1;
  std::vector<double> x_;
  std::vector<double> y_;
  std::vector<float> x_float_;
  std::vector<float> y_float_;
  Workspace workspace_;
  std::vector<double> samples_;
};

const ApproximatorSpec& approximator_of(const Model& model) {
  if (const auto* corrector = std::get_if<CorrectorModel>(&model.method)) return corrector->approximator;
  throw InvalidArgument(std::string("bench --inference: a ") + model.kind() + " has no approximator to evaluate");
}

/// Within the standard deviation that the approximator scales by, [batch, inputs].
std::vector<double> draw_inputs(const ApproximatorSpec& spec, std::size_t batch, std::uint64_t seed) {
  Random random(seed, static_cast<std::uint64_t>(Split::test), batch);
  std::vector<double> x(batch * spec.inputs);
  for (std::size_t k = 0; k < x.size(); ++k) {
    const std::size_t i = k % spec.inputs;
    x[k] = spec.input_mean[i] + spec.input_scale[i] * random.uniform(-1.0, 1.0);
  }
  return x;
}

} // namespace

std::string inference_name(const ApproximatorSpec& spec, Backend backend, std::size_t batch) {
  const std::string evaluator = std::string("/") + to_string(backend) + "/" + to_string(spec.precision);
  std::string ends = "/d:" + std::to_string(spec.inputs);
  if (spec.outputs != spec.inputs) ends += "x" + std::to_string(spec.outputs);
  const std::string tail = "/b:" + std::to_string(batch);
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) {
    return "polynomial" + evaluator + "/degree:" + std::to_string(polynomial->degree) + ends + tail;
  }
  if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec.term)) {
    return "piecewise" + evaluator + "/degree:" + std::to_string(piecewise->degree) + ends + tail;
  }
  const auto* mlp = std::get_if<MlpTerm>(&spec.term);
  if (!mlp) return "affine" + evaluator + ends + tail;
  const std::size_t hidden = mlp->layers.size() - 1;
  const auto differs = [&](const AffineLayer& layer) { return layer.outputs != mlp->layers.front().outputs; };
  std::string widths = std::to_string(mlp->layers.front().outputs);
  if (std::any_of(mlp->layers.begin(), mlp->layers.end() - 1, differs)) {
    for (std::size_t l = 1; l < hidden; ++l) widths += "x" + std::to_string(mlp->layers[l].outputs);
  }
  return "mlp" + evaluator + "/" + to_string(mlp->activation) + ends + "/h:" + widths +
         "/layers:" + std::to_string(hidden) + tail;
}

Inference measure_inference(const Model& model, const InferenceOptions& options) {
  const ApproximatorSpec& spec = approximator_of(model);
  if (std::count(options.batches.begin(), options.batches.end(), std::size_t{0}) != 0) {
    throw InvalidArgument("bench --inference: a batch of 0 states; expected at least 1");
  }
  Inference result;
  result.approximator = spec.description() + ", " + to_string(spec.precision);
  result.instruction_set = Approximator::instruction_set();

  std::vector<std::pair<Backend, std::shared_ptr<const Approximator>>> backends;
  if (options.backend != Backend::automatic) {
    backends.emplace_back(options.backend, std::make_shared<const Approximator>(spec, options.backend));
  } else {
    for (Backend backend : {Backend::automatic, Backend::fused, Backend::onednn, Backend::reference}) {
      try {
        backends.emplace_back(backend, std::make_shared<const Approximator>(spec, backend));
      } catch (const InvalidArgument& why) {
        result.notes.push_back(std::string(to_string(backend)) + " left out: " + why.what());
      }
    }
  }

  std::vector<Timed> timed;
  for (std::size_t batch : options.batches) {
    const auto x = draw_inputs(spec, batch, options.seed);
    for (const auto& [backend, approximator] : backends) {
      timed.emplace_back(approximator, x, batch);
      result.points.push_back(
          {inference_name(spec, backend, batch), backend, approximator->backend(batch), batch, 0.0});
    }
  }
  // Round after round, so that whatever else the machine does meets all of them alike.
  const auto start = Clock::now();
  for (std::size_t round = 0;; ++round) {
    const double share = elapsed_ns(start) * 1e-9 / options.seconds;
    if (round >= least_repetitions && share >= 1.0) break;
    if (options.progress && !options.progress(std::min(share, 1.0), "timing") && round > 0) break;
    for (auto& one : timed) one.sample();
  }
  for (std::size_t i = 0; i < timed.size(); ++i) result.points[i].ns_per_sample = median(timed[i].samples());
  return result;
}

nlohmann::ordered_json to_json(const Inference& result) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const auto& point : result.points) {
    points.push_back({{"name", point.name},
                      {"backend", to_string(point.backend)},
                      {"runs", to_string(point.runs)},
                      {"batch", point.batch},
                      {"ns_per_sample", point.ns_per_sample}});
  }
  return {{"approximator", result.approximator},
          {"instruction_set", result.instruction_set},
          {"points", points},
          {"notes", result.notes}};
}

} // namespace lodestep::report
