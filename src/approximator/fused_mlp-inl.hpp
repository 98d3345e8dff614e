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

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One hidden layer in one pass: for each vector of units the pre-activation, the activation, and its share of every
/// output; nothing but the packed stream is read and nothing is written until the end. `kInputs` is 0 where their
/// number is known at run time only.
template <template <class> class Activation, std::size_t kInputs, std::size_t kOutputs, class T, class Io>
void mlp_one_hidden(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace) {
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
  const std::size_t inputs = kInputs == 0 ? p.inputs : kInputs;
  const std::size_t units = p.widths[0];
  const Activation<D> activation(d, p.activation);
  T* HWY_RESTRICT z = nullptr;
  if constexpr (kInputs == 0) z = static_cast<T*>(workspace.require(inputs * sizeof(T)));
  for (; batch != 0; --batch, x += inputs, y += p.outputs) {
    V zs[kInputs == 0 ? 1 : kInputs];
    if constexpr (kInputs == 0) {
      for (std::size_t i = 0; i < inputs; ++i) z[i] = hn::GetLane(standardised<true>(d, p.scaling, x, i));
    } else {
      for (std::size_t i = 0; i < kInputs; ++i) zs[i] = standardised<false>(d, p.scaling, x, i);
    }
    const auto input = [&](std::size_t i) HWY_ATTR -> V {
      if constexpr (kInputs == 0) {
        return hn::Set(d, z[i]);
      } else {
        return zs[i];
      }
    };
    // The affine term has outputs in lanes, and is done long before the units are.
    constexpr std::size_t affine_lanes = std::min(lanes, kOutputs);
    const hn::CappedTag<T, affine_lanes> da;
    HWY_ALIGN T linear[(kOutputs + lanes) / lanes * lanes];
    for (std::size_t o = 0; o < kOutputs; o += affine_lanes) {
      auto sum = hn::LoadU(da, p.affine.data() + o);
      for (std::size_t i = 0; i < inputs; ++i) {
        const T* row = p.affine.data() + (1 + i) * kOutputs + o;
        if constexpr (kInputs == 0) {
          sum = hn::MulAdd(hn::Set(da, z[i]), hn::LoadU(da, row), sum);
        } else {
          sum = hn::MulAdd(hn::Set(da, hn::GetLane(zs[i])), hn::LoadU(da, row), sum);
        }
      }
      hn::StoreU(sum, da, linear + o);
    }
    V sums[kOutputs];
    for (std::size_t o = 0; o < kOutputs; ++o) sums[o] = hn::Zero(d);
    const T* HWY_RESTRICT w = p.stream.data();
    for (std::size_t unit = 0; unit < units; unit += lanes) {
      V t = hn::Load(d, w);
      w += lanes;
      for (std::size_t i = 0; i < inputs; ++i, w += lanes) t = hn::MulAdd(input(i), hn::Load(d, w), t);
      const V a = activation(d, t);
      for (std::size_t o = 0; o < kOutputs; ++o, w += lanes) sums[o] = hn::MulAdd(a, hn::Load(d, w), sums[o]);
    }
    for (std::size_t o = 0; o < kOutputs; ++o) {
      const T value = linear[o] + hn::GetLane(hn::SumOfLanes(d, sums[o]));
      if (o < p.outputs) y[o] = scaled_output<T, Io>(p.scaling, o, value);
    }
  }
}

/// out = a(bias + W in), kGroup vectors of units at a time.
template <std::size_t kGroup, class D, class Activation, class T = hn::TFromD<D>>
HWY_INLINE void hidden_layer(D d, const Activation& activation, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in,
                             std::size_t inputs, std::size_t units, T* HWY_RESTRICT out) {
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
    for (std::size_t v = 0; v < kGroup; ++v) hn::Store(activation(d, t[v]), d, out + unit + v * lanes);
  }
}

/// Any number of layers and outputs: layer after layer, units in lanes.
template <template <class> class Activation, class T, class Io>
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
  const Activation<D> activation(d, p.activation);
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
        hidden_layer<1>(d, activation, w, in, in_width, p.widths[l], out);
        break;
      case 2:
        hidden_layer<2>(d, activation, w, in, in_width, p.widths[l], out);
        break;
      default:
        hidden_layer<4>(d, activation, w, in, in_width, p.widths[l], out);
      }
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

template <template <class> class Activation, class T, class Io>
FusedKernel<Io> one_hidden_kernel(std::size_t inputs, std::size_t padded_outputs, bool folded) {
  if (folded && inputs == padded_outputs) {
    if (inputs == 2) return mlp_one_hidden<Activation, 2, 2, T, Io>;
    if (inputs == 4) return mlp_one_hidden<Activation, 4, 4, T, Io>;
  }
  switch (padded_outputs) {
  case 1:
    return mlp_one_hidden<Activation, 0, 1, T, Io>;
  case 2:
    return mlp_one_hidden<Activation, 0, 2, T, Io>;
  case 4:
    return mlp_one_hidden<Activation, 0, 4, T, Io>;
  default:
    return mlp_one_hidden<Activation, 0, 8, T, Io>;
  }
}

template <template <class> class Activation, class T>
FusedChoice choose_mlp(std::size_t inputs, std::size_t outputs, std::size_t layers, bool folded) {
  FusedChoice choice;
  choice.lanes = hn::MaxLanes(hn::ScalableTag<T>());
  choice.panel_rows = panel_rows;
  choice.panel_from = std::max<std::size_t>(2, choice.lanes / 2);
  choice.panel_double = mlp_batch<Activation, T, double>;
  if constexpr (std::is_same_v<T, float>) choice.panel_float = mlp_batch<Activation, T, float>;
  if (layers == 2 && outputs <= 8) {
    choice.padded_outputs = outputs <= 2 ? outputs : outputs <= 4 ? 4 : 8;
    choice.from_double = one_hidden_kernel<Activation, T, double>(inputs, choice.padded_outputs, folded);
    if constexpr (std::is_same_v<T, float>) {
      choice.from_float = one_hidden_kernel<Activation, T, float>(inputs, choice.padded_outputs, folded);
    }
  } else {
    choice.one_pass = false;
    choice.padded_outputs = (outputs + choice.lanes - 1) / choice.lanes * choice.lanes;
    choice.from_double = mlp_any<Activation, T, double>;
    if constexpr (std::is_same_v<T, float>) choice.from_float = mlp_any<Activation, T, float>;
  }
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
