#include "approximator/onednn.hpp"

#include <lodestep/error.hpp>

#ifdef LODESTEP_HAVE_ONEDNN
#include "approximator/onednn_shim.hpp"
#include "approximator/single_threaded.hpp"

#include <oneapi/dnnl/dnnl.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace lodestep::detail {

namespace {

[[maybe_unused]] const MlpTerm& checked(const ApproximatorSpec& spec) {
  const auto* mlp = std::get_if<MlpTerm>(&spec.term);
  if (!mlp) throw InvalidArgument("backend onednn evaluates MLPs, not " + spec.description() + ": use fused");
  if (spec.precision != Precision::f32) {
    throw InvalidArgument("backend onednn evaluates f32 only, and the precision is f64: use fused");
  }
  return *mlp;
}

} // namespace

#ifdef LODESTEP_HAVE_ONEDNN

namespace {

namespace shim = onednn_shim;
using shim::Memory;

/// The layers in the order they run: the affine term first (unless its weights are zero), writing the output, then the
/// network, whose last layer adds to it.
struct Layer {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::vector<float> weights;
  std::vector<float> bias;
};

Layer in_f32(const AffineLayer& layer) {
  Layer f;
  f.inputs = static_cast<std::int64_t>(layer.inputs);
  f.outputs = static_cast<std::int64_t>(layer.outputs);
  for (double w : layer.weight) f.weights.push_back(static_cast<float>(w));
  for (double b : layer.bias) f.bias.push_back(static_cast<float>(b));
  return f;
}

/// Primitives for one size of batch, with the weights in the layout they want. Immutable once made.
struct Plan {
  std::size_t batch = 0;
  std::vector<dnnl::primitive> primitives;
  std::vector<Memory::desc> scratchpads;
  std::vector<Memory> weights;
  Plan* next = nullptr;
};

/// What one running evaluation writes to.
struct Context {
  dnnl::stream stream;
  std::vector<float> source;
  std::array<std::vector<float>, 2> hidden;
  std::vector<float> destination;
  std::vector<Memory> sources;
  std::vector<Memory> destinations;
  std::vector<Memory> scratchpads;
  const Plan* plan = nullptr;
};

constexpr std::size_t kept_sizes = 24;
constexpr std::size_t largest_piece = 1024;
constexpr std::size_t idle_contexts = 32;

} // namespace

struct OnednnMlp::Implementation {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::size_t inputs;
  std::size_t outputs;
  std::vector<double> mean;
  std::vector<double> inverse_scale;
  std::vector<double> output_scale;
  FoldedActivation activation;
  bool own_activation;
  dnnl::algorithm algorithm = dnnl::algorithm::eltwise_relu;
  std::size_t first = 0; ///< index of the first layer of the network: 1 after an affine term
  std::vector<Layer> layers;
  std::vector<Memory> biases;

  mutable std::atomic<Plan*> plans{nullptr};
  mutable std::atomic<std::size_t> plan_count{0};
  mutable std::array<std::atomic<Context*>, idle_contexts> idle{};

  explicit Implementation(const ApproximatorSpec& spec)
      : inputs(spec.inputs), outputs(spec.outputs), mean(spec.input_mean), inverse_scale(spec.inputs),
        output_scale(spec.output_scale), own_activation(false) {
    const auto& mlp = checked(spec);
    for (std::size_t i = 0; i < inputs; ++i) inverse_scale[i] = 1.0 / spec.input_scale[i];
    activation = fold_activation(mlp, false);
    switch (mlp.activation) {
    case Activation::tanh:
      algorithm = dnnl::algorithm::eltwise_tanh;
      break;
    case Activation::silu:
      algorithm = dnnl::algorithm::eltwise_swish;
      break;
    case Activation::relu:
      break;
    case Activation::rational:
      own_activation = true;
      break;
    }
    const auto& affine = spec.affine.weight;
    if (std::any_of(affine.begin(), affine.end(), [](double w) { return w != 0.0; })) {
      layers.push_back(in_f32(spec.affine));
      first = 1;
    }
    for (const auto& layer : mlp.layers) layers.push_back(in_f32(layer));
    if (first == 0) {
      for (std::size_t o = 0; o < outputs; ++o) layers.back().bias[o] += static_cast<float>(spec.affine.bias[o]);
    }
    for (auto& layer : layers) biases.emplace_back(shim::vector(layer.outputs), engine, layer.bias.data());
  }

  ~Implementation() {
    for (auto& slot : idle) delete slot.load();
    for (Plan* plan = plans.load(); plan;) {
      Plan* next = plan->next;
      delete plan;
      plan = next;
    }
  }

  std::unique_ptr<Plan> make_plan(std::size_t batch) const {
    auto plan = std::make_unique<Plan>();
    plan->batch = batch;
    dnnl::stream stream(engine);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const auto& layer = layers[l];
      dnnl::post_ops operations;
      if (l + 1 == layers.size()) {
        if (first == 1) shim::append_sum(operations);
      } else if (l >= first && !own_activation) {
        // alpha: swish is x sigmoid(alpha x), and below zero ReLU has slope alpha
        shim::append_activation(operations, algorithm, algorithm == dnnl::algorithm::eltwise_relu ? 0.0f : 1.0f);
      }
      const auto description =
          shim::inner_product(engine, static_cast<std::int64_t>(batch), layer.inputs, layer.outputs, operations);
      // oneDNN only reads through this pointer.
      Memory plain(shim::matrix(layer.outputs, layer.inputs), engine, const_cast<float*>(layer.weights.data()));
      Memory packed(description.weights_desc(), engine);
      dnnl::reorder(plain, packed).execute(stream, plain, packed);
      stream.wait();
      plan->weights.push_back(std::move(packed));
      plan->scratchpads.push_back(description.scratchpad_desc());
      plan->primitives.push_back(shim::InnerProduct(description));
    }
    return plan;
  }

  const Plan* find(std::size_t batch) const noexcept {
    for (const Plan* plan = plans.load(std::memory_order_acquire); plan; plan = plan->next) {
      if (plan->batch == batch) return plan;
    }
    return nullptr;
  }

  /// Plans are only ever added, at the head of the list: readers need no lock, and two threads that make the same plan
  /// at the same time waste one.
  const Plan* plan_for(std::size_t batch) const {
    if (const Plan* plan = find(batch)) return plan;
    Plan* plan = make_plan(batch).release();
    plan->next = plans.load(std::memory_order_relaxed);
    while (!plans.compare_exchange_weak(plan->next, plan, std::memory_order_release, std::memory_order_relaxed)) {
    }
    plan_count.fetch_add(1, std::memory_order_relaxed);
    return plan;
  }

  std::unique_ptr<Context> make_context(const Plan* plan) const {
    auto context = std::make_unique<Context>();
    context->stream = dnnl::stream(engine);
    context->plan = plan;
    const auto rows = static_cast<std::int64_t>(plan->batch);
    std::int64_t widest = 1;
    for (const auto& layer : layers) widest = std::max(widest, layer.outputs);
    context->source.resize(plan->batch * inputs);
    context->destination.resize(plan->batch * outputs);
    for (auto& buffer : context->hidden) buffer.resize(plan->batch * static_cast<std::size_t>(widest));
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const bool reads_input = l <= first;
      const bool writes_output = l < first || l + 1 == layers.size();
      float* in = reads_input ? context->source.data() : context->hidden[l % 2].data();
      float* out = writes_output ? context->destination.data() : context->hidden[(l + 1) % 2].data();
      context->sources.emplace_back(shim::matrix(rows, layers[l].inputs), engine, in);
      context->destinations.emplace_back(shim::matrix(rows, layers[l].outputs), engine, out);
      context->scratchpads.emplace_back(plan->scratchpads[l], engine);
    }
    return context;
  }

  /// An idle context of this plan, or a new one.
  std::unique_ptr<Context> take(const Plan* plan) const {
    for (auto& slot : idle) {
      if (!slot.load(std::memory_order_relaxed)) continue;
      std::unique_ptr<Context> context(slot.exchange(nullptr, std::memory_order_acquire));
      if (!context) continue;
      if (context->plan == plan) return context;
      give_back(std::move(context));
    }
    return make_context(plan);
  }

  void give_back(std::unique_ptr<Context> context) const {
    for (auto& slot : idle) {
      Context* expected = nullptr;
      if (slot.compare_exchange_strong(expected, context.get(), std::memory_order_release, std::memory_order_relaxed)) {
        context.release();
        return;
      }
    }
  }

  void execute(const Context& context) const {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      // NOTE: the C interface takes its arguments in an array; the C++ one builds a map on the heap at every call.
      const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, context.sources[l].get()},
                                           {DNNL_ARG_WEIGHTS, context.plan->weights[l].get()},
                                           {DNNL_ARG_BIAS, biases[l].get()},
                                           {DNNL_ARG_DST, context.destinations[l].get()},
                                           {DNNL_ARG_SCRATCHPAD, context.scratchpads[l].get()}};
      const auto status = dnnl_primitive_execute(context.plan->primitives[l].get(), context.stream.get(), 5, arguments);
      if (status != dnnl_success) {
        throw Error("oneDNN failed to run layer " + std::to_string(l) + " (status " +
                    std::to_string(static_cast<int>(status)) + ")");
      }
      if (own_activation && l >= first && l + 1 < layers.size()) {
        activate_rational_f32(activation, static_cast<float*>(context.destinations[l].get_data_handle()),
                              context.plan->batch * static_cast<std::size_t>(layers[l].outputs));
      }
    }
  }

  template <class Io> void evaluate_piece(const Io* x, Io* y, std::size_t batch) const {
    auto context = take(plan_for(batch));
    for (std::size_t n = 0; n < batch; ++n) {
      for (std::size_t i = 0; i < inputs; ++i) {
        context->source[n * inputs + i] =
            static_cast<float>((static_cast<double>(x[n * inputs + i]) - mean[i]) * inverse_scale[i]);
      }
    }
    execute(*context);
    for (std::size_t n = 0; n < batch; ++n) {
      // Some of oneDNN's activations turn NaN into a number.
      bool sound = true;
      for (std::size_t i = 0; i < inputs; ++i) sound &= !std::isnan(x[n * inputs + i]);
      for (std::size_t o = 0; o < outputs; ++o) {
        const double value = static_cast<double>(context->destination[n * outputs + o]) * output_scale[o];
        y[n * outputs + o] = sound ? static_cast<Io>(value) : std::numeric_limits<Io>::quiet_NaN();
      }
    }
    give_back(std::move(context));
  }

  template <class Io> void evaluate(const Io* x, Io* y, std::size_t batch) const {
    const SingleThreaded single;
    while (batch != 0) {
      std::size_t piece = std::min(batch, largest_piece);
      if (!find(piece) && plan_count.load(std::memory_order_relaxed) >= kept_sizes) {
        while ((piece & (piece - 1)) != 0) piece &= piece - 1; // the largest power of two
      }
      evaluate_piece(x, y, piece);
      x += piece * inputs;
      y += piece * outputs;
      batch -= piece;
    }
  }
};

bool onednn_available() noexcept {
  return true;
}

OnednnMlp::OnednnMlp(const ApproximatorSpec& spec) : implementation_(std::make_unique<Implementation>(spec)) {}
OnednnMlp::~OnednnMlp() = default;
void OnednnMlp::evaluate(const double* x, double* y, std::size_t batch) const {
  implementation_->evaluate(x, y, batch);
}
void OnednnMlp::evaluate(const float* x, float* y, std::size_t batch) const {
  implementation_->evaluate(x, y, batch);
}

#else

struct OnednnMlp::Implementation {};

bool onednn_available() noexcept {
  return false;
}

OnednnMlp::OnednnMlp(const ApproximatorSpec&) {
  throw InvalidArgument("backend onednn was not built in: configure with -DLODESTEP_ONEDNN=ON, or use fused");
}
OnednnMlp::~OnednnMlp() = default;
void OnednnMlp::evaluate(const double*, double*, std::size_t) const {}
void OnednnMlp::evaluate(const float*, float*, std::size_t) const {}

#endif

} // namespace lodestep::detail
