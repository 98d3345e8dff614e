#include "approximator/fused.hpp"
#include "approximator/onednn.hpp"
#include "approximator/reference.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <algorithm>
#include <optional>

namespace lodestep {

namespace {

/// The batches that go to oneDNN, by the measured rule (lodestep_bench_inference, `choice`; oneDNN 2.6, AVX-512).
///
/// The fused kernels are faster at batch 1 (up to 9 times) and wherever a batch fills the lanes. In between a network
/// pays for lanes that nobody asked for, or reads its weights anew for every state: from 32 thousand of them oneDNN is
/// faster there, up to 1.9 times; where they do not fit the second-level cache (a quarter of a million, a megabyte) up
/// to 5.
struct OnednnBatches {
  std::size_t lanes = 0; ///< 0: no batch
  /// Of the batches of less than one vector of states, those between; of more than one, those up to.
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t last_in_second = 0;
  std::size_t last_in_third = 0;

  bool contain(std::size_t batch) const noexcept {
    if (batch <= lanes) return batch >= first && batch <= last; // last is 0 where lanes is
    return batch <= last_in_second || (batch > 2 * lanes && batch <= last_in_third);
  }
};

} // namespace

struct Approximator::Packed {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  Precision precision = Precision::f64;
  bool zero = false;
  Backend backend = Backend::fused;
  OnednnBatches onednn_batches;
  std::optional<detail::ReferenceApproximator> reference;
  std::optional<detail::FusedApproximator> fused;
  std::optional<detail::OnednnMlp> onednn;

  template <class T>
  static void evaluate_onednn(const void* argument, const T* x, T* y, std::size_t batch, Workspace&) {
    static_cast<const Packed*>(argument)->onednn->evaluate(x, y, batch);
  }

  static void evaluate_reference(const void* argument, const double* x, double* y, std::size_t batch,
                                 Workspace& workspace) {
    const auto& packed = *static_cast<const Packed*>(argument);
    for (std::size_t i = 0; i < batch; ++i) {
      packed.reference->evaluate(x + i * packed.inputs, y + i * packed.outputs, workspace);
    }
  }

  template <class T>
  static void evaluate_automatic(const void* argument, const T* x, T* y, std::size_t batch, Workspace& workspace) {
    const auto& packed = *static_cast<const Packed*>(argument);
    if (packed.onednn_batches.contain(batch)) {
      packed.onednn->evaluate(x, y, batch);
      return;
    }
    if constexpr (std::is_same_v<T, double>) {
      packed.fused->from_double()(packed.fused->packed(), x, y, batch, workspace);
    } else {
      packed.fused->from_float()(packed.fused->packed(), x, y, batch, workspace);
    }
  }

  /// States in float for an evaluator that takes double: one at a time.
  static void evaluate_converted(const void* argument, const float* x, float* y, std::size_t batch,
                                 Workspace& workspace) {
    const auto& packed = *static_cast<const Packed*>(argument);
    const std::size_t size = (packed.inputs + packed.outputs) * sizeof(double);
    auto* in = static_cast<double*>(detail::second_buffer(workspace, size)); // the evaluator wants all of the first
    double* out = in + packed.inputs;
    for (std::size_t i = 0; i < batch; ++i) {
      std::copy_n(x + i * packed.inputs, packed.inputs, in);
      if (packed.fused) {
        packed.fused->from_double()(packed.fused->packed(), in, out, 1, workspace);
      } else {
        packed.reference->evaluate(in, out, workspace);
      }
      for (std::size_t o = 0; o < packed.outputs; ++o) y[i * packed.outputs + o] = static_cast<float>(out[o]);
    }
  }
};

namespace {

bool all_zero(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v == 0.0; });
}

bool is_zero_map(const ApproximatorSpec& spec) {
  if (!all_zero(spec.affine.weight) || !all_zero(spec.affine.bias)) return false;
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) return all_zero(polynomial->coefficient);
  if (std::holds_alternative<PiecewiseTerm>(spec.term)) return false; // not where it is NaN
  if (const auto* mlp = std::get_if<MlpTerm>(&spec.term)) {
    return all_zero(mlp->layers.back().weight) && all_zero(mlp->layers.back().bias);
  }
  return true;
}

OnednnBatches batches_for_onednn(const ApproximatorSpec& spec, std::size_t lanes) {
  const auto* mlp = std::get_if<MlpTerm>(&spec.term);
  if (!detail::onednn_available() || !mlp || spec.precision != Precision::f32 || lanes < 8) return {};
  if (mlp->activation == Activation::rational) return {}; // not one of its activations: a pass of its own
  std::size_t weights = 0;
  for (const auto& layer : mlp->layers) weights += layer.weight.size();
  std::size_t units = 0;
  for (std::size_t l = 0; l + 1 < mlp->layers.size(); ++l) units += mlp->layers[l].outputs;
  const bool deep = mlp->layers.size() > 2;
  // In sixteenths of a vector of states.
  const auto batches = [lanes](std::size_t first, std::size_t last, std::size_t in_second, std::size_t in_third) {
    const auto states = [lanes](std::size_t sixteenths) { return sixteenths * lanes / 16; };
    return OnednnBatches{lanes, std::max<std::size_t>(states(first), 2), states(last), states(in_second),
                         states(in_third)};
  };
  constexpr std::size_t thousand = 1024;
  if (weights >= 256 * thousand) return batches(2, 15, 24, 42);
  if (weights >= 128 * thousand) return batches(3, 14, 26, 0);
  if (weights >= 64 * thousand) return deep ? batches(4, 12, 24, 0) : batches(4, 10, 20, 0);
  if (weights < 32 * thousand) return {};
  // Activations cost either backend the same, relu nothing.
  if (weights >= 48 * units) return batches(5, 10, 20, 0);
  return mlp->activation == Activation::relu ? batches(6, 8, 0, 0) : OnednnBatches{};
}

} // namespace

Approximator::Approximator(const ApproximatorSpec& spec, Backend backend) {
  spec.validate();
  auto packed = std::make_unique<Packed>();
  packed->inputs = spec.inputs;
  packed->outputs = spec.outputs;
  packed->precision = spec.precision;
  packed->zero = is_zero_map(spec);
  packed->backend = backend == Backend::automatic ? Backend::fused : backend;
  double_argument_ = packed.get();
  float_argument_ = packed.get();
  from_float_ = Packed::evaluate_converted;
  if (packed->backend == Backend::reference) {
    packed->reference.emplace(spec);
    from_double_ = Packed::evaluate_reference;
  } else if (packed->backend == Backend::fused) {
    packed->fused.emplace(spec);
    from_double_ = packed->fused->from_double();
    double_argument_ = packed->fused->packed();
    if (packed->fused->from_float()) {
      from_float_ = packed->fused->from_float();
      float_argument_ = packed->fused->packed();
    }
    if (backend == Backend::automatic) packed->onednn_batches = batches_for_onednn(spec, packed->fused->lanes());
    if (packed->onednn_batches.lanes != 0) {
      packed->onednn.emplace(spec);
      from_double_ = Packed::evaluate_automatic<double>;
      from_float_ = Packed::evaluate_automatic<float>;
      double_argument_ = packed.get();
      float_argument_ = packed.get();
    }
  } else {
    packed->onednn.emplace(spec);
    from_double_ = Packed::evaluate_onednn<double>;
    from_float_ = Packed::evaluate_onednn<float>;
  }
  packed_ = std::move(packed);
}

Approximator::~Approximator() = default;
Approximator::Approximator(Approximator&&) noexcept = default;
Approximator& Approximator::operator=(Approximator&&) noexcept = default;

std::size_t Approximator::inputs() const noexcept {
  return packed_->inputs;
}
std::size_t Approximator::outputs() const noexcept {
  return packed_->outputs;
}
Precision Approximator::precision() const noexcept {
  return packed_->precision;
}
bool Approximator::is_zero() const noexcept {
  return packed_->zero;
}
Backend Approximator::backend(std::size_t batch) const noexcept {
  return packed_->onednn_batches.contain(batch) ? Backend::onednn : packed_->backend;
}
const char* Approximator::instruction_set() noexcept {
  return detail::instruction_set_in_use();
}

} // namespace lodestep
