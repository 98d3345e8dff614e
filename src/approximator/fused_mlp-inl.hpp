// Multilayer perceptrons, one state at a time: included once for every instruction set.
#if defined(LODESTEP_APPROXIMATOR_FUSED_MLP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_FUSED_MLP_INL
#undef LODESTEP_APPROXIMATOR_FUSED_MLP_INL
#else
#define LODESTEP_APPROXIMATOR_FUSED_MLP_INL
#endif

#include "approximator/activation-inl.hpp"
#include "approximator/fused-inl.hpp"

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

/// A group of unit vectors that share each load of an input.
constexpr std::size_t group_vectors = 4;

/// Any number of layers and outputs: layer after layer, units in lanes.
template <template <class> class Activation, class T, class Io>
void mlp_any(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace) {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  constexpr std::size_t group = group_vectors * lanes;
  const D d;
  const auto& p = *static_cast<const FusedMlp<T>*>(packed);
  const Activation<D> activation(d, p.activation);
  std::size_t widest = group;
  for (std::size_t width : p.widths) widest = std::max(widest, width);
  const std::size_t padded_inputs = (p.inputs + lanes - 1) / lanes * lanes;
  auto* HWY_RESTRICT z = static_cast<T*>(workspace.require((padded_inputs + 2 * widest) * sizeof(T)));
  for (; batch != 0; --batch, x += p.inputs, y += p.outputs) {
    for (std::size_t i = 0; i < p.inputs; ++i) z[i] = hn::GetLane(standardised<true>(d, p.scaling, x, i));
    const T* HWY_RESTRICT in = z;
    std::size_t in_width = p.inputs;
    T* HWY_RESTRICT out = z + padded_inputs;
    T* HWY_RESTRICT other = out + widest;
    for (std::size_t l = 0; l < p.widths.size(); ++l) {
      const T* HWY_RESTRICT w = p.hidden[l].data();
      for (std::size_t unit = 0; unit < p.widths[l]; unit += group) {
        V t[group_vectors];
        for (std::size_t v = 0; v < group_vectors; ++v) t[v] = hn::Load(d, w + v * lanes);
        w += group;
        for (std::size_t i = 0; i < in_width; ++i, w += group) {
          const V input = hn::Set(d, in[i]);
          for (std::size_t v = 0; v < group_vectors; ++v) t[v] = hn::MulAdd(input, hn::Load(d, w + v * lanes), t[v]);
        }
        for (std::size_t v = 0; v < group_vectors; ++v) hn::Store(activation(d, t[v]), d, out + unit + v * lanes);
      }
      in = out;
      in_width = p.widths[l];
      std::swap(out, other);
    }
    const std::size_t units = p.widths.back();
    for (std::size_t o = 0; o < p.outputs; ++o) {
      const T* HWY_RESTRICT w = p.last.data() + o * units;
      V sums[group_vectors];
      for (std::size_t v = 0; v < group_vectors; ++v) sums[v] = hn::Zero(d);
      for (std::size_t unit = 0; unit < units; unit += group) {
        for (std::size_t v = 0; v < group_vectors; ++v) {
          const std::size_t at = unit + v * lanes;
          sums[v] = hn::MulAdd(hn::Load(d, in + at), hn::Load(d, w + at), sums[v]);
        }
      }
      const V sum = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
      T linear = p.affine[o];
      for (std::size_t i = 0; i < p.inputs; ++i) linear += p.affine[(1 + i) * p.padded_outputs + o] * z[i];
      y[o] = scaled_output<T, Io>(p.scaling, o, linear + hn::GetLane(hn::SumOfLanes(d, sum)));
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
  if (layers == 2 && outputs <= 8) {
    choice.padded_outputs = outputs <= 2 ? outputs : outputs <= 4 ? 4 : 8;
    choice.from_double = one_hidden_kernel<Activation, T, double>(inputs, choice.padded_outputs, folded);
    if constexpr (std::is_same_v<T, float>) {
      choice.from_float = one_hidden_kernel<Activation, T, float>(inputs, choice.padded_outputs, folded);
    }
  } else {
    choice.one_pass = false;
    choice.unit_multiple = group_vectors * choice.lanes;
    choice.padded_outputs = outputs;
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
