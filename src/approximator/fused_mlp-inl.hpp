// Multilayer perceptrons, one state at a time: included once for every instruction set.
#if defined(LODESTEP_APPROXIMATOR_FUSED_MLP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_FUSED_MLP_INL
#undef LODESTEP_APPROXIMATOR_FUSED_MLP_INL
#else
#define LODESTEP_APPROXIMATOR_FUSED_MLP_INL
#endif

#include "approximator/activation-inl.hpp"
#include "approximator/fused-inl.hpp"
#include "approximator/fused_mlp_batch-inl.hpp"
#include "approximator/fused_mlp_one_hidden-inl.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// values[0 .. count - 1] = a(values), count a multiple of the lanes.
template <template <class> class Activation, class T>
void activate_values(const FoldedActivation& folded, T* HWY_RESTRICT values, std::size_t count) {
  using D = hn::ScalableTag<T>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const D d;
  const Activation<D> activation(d, folded);
  const auto group = [&](auto size) HWY_ATTR {
    constexpr std::size_t n = decltype(size)::value;
    for (; count >= n * lanes; count -= n * lanes, values += n * lanes) {
      hn::Vec<D> t[n];
      for (std::size_t i = 0; i < n; ++i) t[i] = hn::Load(d, values + i * lanes);
      activation(d, t);
      for (std::size_t i = 0; i < n; ++i) hn::Store(t[i], d, values + i * lanes);
    }
  };
  group(std::integral_constant<std::size_t, Activation<D>::batch_group>());
  if constexpr (Activation<D>::batch_group > 4) group(std::integral_constant<std::size_t, 4>());
  if constexpr (Activation<D>::batch_group > 2) group(std::integral_constant<std::size_t, 2>());
  group(std::integral_constant<std::size_t, 1>());
}

/// out = bias + W in, kGroup vectors of units at a time.
template <std::size_t kGroup, class D, class T = hn::TFromD<D>>
HWY_INLINE void hidden_layer(D d, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in, std::size_t inputs,
                             std::size_t units, T* HWY_RESTRICT out) {
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  constexpr std::size_t group = kGroup * lanes;
  for (std::size_t unit = 0; unit < units; unit += group) {
    V t[kGroup];
    for (std::size_t v = 0; v < kGroup; ++v) t[v] = hn::Load(d, w + v * lanes);
    w += group;
    for (std::size_t i = 0; i < inputs; ++i, w += group) {
      const V input = hn::Set(d, in[i]);
      for (std::size_t v = 0; v < kGroup; ++v) t[v] = hn::MulAdd(input, hn::Load(d, w + v * lanes), t[v]);
    }
    for (std::size_t v = 0; v < kGroup; ++v) hn::Store(t[v], d, out + unit + v * lanes);
  }
}

/// Any number of layers and outputs: layer after layer, units in lanes.
template <class T, class Io>
void mlp_any(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace) {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const D d;
  const auto& p = *static_cast<const FusedMlp<T>*>(packed);
  if (batch >= p.panel_from) {
    if constexpr (std::is_same_v<Io, double>) {
      p.panel_double(packed, x, y, batch, workspace);
    } else {
      p.panel_float(packed, x, y, batch, workspace);
    }
    return;
  }
  std::size_t widest = 0;
  for (std::size_t width : p.widths) widest = std::max(widest, width);
  const std::size_t padded_inputs = (p.inputs + lanes - 1) / lanes * lanes;
  const std::size_t size = padded_inputs + p.padded_outputs + 2 * widest;
  auto* HWY_RESTRICT z = static_cast<T*>(workspace.require(size * sizeof(T)));
  T* HWY_RESTRICT linear = z + padded_inputs;
  for (; batch != 0; --batch, x += p.inputs, y += p.outputs) {
    for (std::size_t i = 0; i < p.inputs; ++i) z[i] = hn::GetLane(standardised<true>(d, p.scaling, x, i));
    for (std::size_t o = 0; o < p.padded_outputs; o += lanes) {
      V sum = hn::Load(d, p.affine.data() + o);
      for (std::size_t i = 0; i < p.inputs; ++i) {
        sum = hn::MulAdd(hn::Set(d, z[i]), hn::Load(d, p.affine.data() + (1 + i) * p.padded_outputs + o), sum);
      }
      hn::Store(sum, d, linear + o);
    }
    const T* HWY_RESTRICT in = z;
    std::size_t in_width = p.inputs;
    T* HWY_RESTRICT out = linear + p.padded_outputs;
    T* HWY_RESTRICT other = out + widest;
    for (std::size_t l = 0; l < p.widths.size(); ++l) {
      const T* HWY_RESTRICT w = p.hidden[l].data();
      switch (unit_group_vectors(p.widths[l], lanes)) {
      case 1:
        hidden_layer<1>(d, w, in, in_width, p.widths[l], out);
        break;
      case 2:
        hidden_layer<2>(d, w, in, in_width, p.widths[l], out);
        break;
      default:
        hidden_layer<4>(d, w, in, in_width, p.widths[l], out);
      }
      p.activate(p.activation, out, p.widths[l]);
      in = out;
      in_width = p.widths[l];
      std::swap(out, other);
    }
    const T* HWY_RESTRICT w = p.last.data();
    for (std::size_t o = 0; o < p.outputs; o += output_group) {
      V sums[output_group];
      for (std::size_t r = 0; r < output_group; ++r) sums[r] = hn::Zero(d);
      for (std::size_t unit = 0; unit < in_width; unit += lanes, w += output_group * lanes) {
        const V a = hn::Load(d, in + unit);
        for (std::size_t r = 0; r < output_group; ++r) sums[r] = hn::MulAdd(a, hn::Load(d, w + r * lanes), sums[r]);
      }
      for (std::size_t r = 0; r < output_group && o + r < p.outputs; ++r) {
        const T value = linear[o + r] + hn::GetLane(hn::SumOfLanes(d, sums[r]));
        y[o + r] = scaled_output<T, Io>(p.scaling, o + r, value);
      }
    }
  }
}

template <template <class> class Activation, class T>
FusedChoice choose_mlp([[maybe_unused]] std::size_t inputs, std::size_t outputs, [[maybe_unused]] std::size_t layers,
                       [[maybe_unused]] bool folded) {
  FusedChoice choice;
  choice.lanes = hn::MaxLanes(hn::ScalableTag<T>());
  choice.panel_rows = panel_rows;
  choice.panel_from = std::max<std::size_t>(2, choice.lanes / 2);
  if constexpr (std::is_same_v<T, double>) {
    choice.activate_double = activate_values<Activation, double>;
  } else {
    choice.activate_float = activate_values<Activation, float>;
  }
  choice.panel_double = mlp_batch<T, double>;
  if constexpr (std::is_same_v<T, float>) choice.panel_float = mlp_batch<T, float>;
#if LODESTEP_UNROLL_SHAPES
  if (layers == 2 && outputs <= 8) {
    choice.padded_outputs = outputs <= 2 ? outputs : outputs <= 4 ? 4 : 8;
    choice.from_double = one_hidden_kernel<Activation, T, double>(inputs, choice.padded_outputs, folded);
    if constexpr (std::is_same_v<T, float>) {
      choice.from_float = one_hidden_kernel<Activation, T, float>(inputs, choice.padded_outputs, folded);
    }
    return choice;
  }
#endif
  choice.one_pass = false;
  choice.padded_outputs = (outputs + choice.lanes - 1) / choice.lanes * choice.lanes;
  choice.from_double = mlp_any<T, double>;
  if constexpr (std::is_same_v<T, float>) choice.from_float = mlp_any<T, float>;
  return choice;
}

template <class T>
FusedChoice choose_mlp_of(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                          bool folded) {
  switch (activation) {
  case ActivationKernel::tanh:
    return choose_mlp<ActivationTanh, T>(inputs, outputs, layers, folded);
  case ActivationKernel::silu:
    return choose_mlp<ActivationSilu, T>(inputs, outputs, layers, folded);
  case ActivationKernel::relu:
    return choose_mlp<ActivationRelu, T>(inputs, outputs, layers, folded);
  case ActivationKernel::rational:
    return choose_mlp<ActivationRational, T>(inputs, outputs, layers, folded);
  case ActivationKernel::rational_reciprocal:
    return choose_mlp<ActivationRationalReciprocal, T>(inputs, outputs, layers, folded);
  }
  return {};
}

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
