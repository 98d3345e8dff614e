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
  group(std::integral_constant<std::size_t, activation_group>());
  group(std::integral_constant<std::size_t, 1>());
}

/// One hidden layer in one pass: for a few vectors of units the pre-activations, the activations, and their shares of
/// every output; nothing but the packed stream is read and nothing is written until the end. `kInputs` is 0 where their
/// number is known at run time only.
///
/// A stream larger than the first-level cache would miss it at every line if it were read from the start each time: it
/// is cut into segments, taken forwards and backwards in turn, so that each evaluation starts with what the last one
/// left in the cache. Every segment has sums of its own, which are added in one order: the bits are the same both ways.
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
    const std::size_t row = (1 + inputs + kOutputs) * lanes;
    const auto group = [&](auto size, std::size_t& vectors, const T* HWY_RESTRICT& w) HWY_ATTR {
      constexpr std::size_t n = decltype(size)::value;
      for (; vectors >= n; vectors -= n, w += n * row) {
        V t[n];
        for (std::size_t v = 0; v < n; ++v) t[v] = hn::Load(d, w + v * row);
        for (std::size_t i = 0; i < inputs; ++i) {
          const V z_i = input(i);
          for (std::size_t v = 0; v < n; ++v) t[v] = hn::MulAdd(z_i, hn::Load(d, w + v * row + (1 + i) * lanes), t[v]);
        }
        activation(d, t);
        const T* HWY_RESTRICT out = w + (1 + inputs) * lanes;
        for (std::size_t v = 0; v < n; ++v) {
          for (std::size_t o = 0; o < kOutputs; ++o) {
            sums[o] = hn::MulAdd(t[v], hn::Load(d, out + v * row + o * lanes), sums[o]);
          }
        }
      }
    };
    HWY_ALIGN T parts[stream_segments][kOutputs][lanes];
    const bool backwards = p.segments > 1 && next_direction();
    for (std::size_t taken = 0; taken < p.segments; ++taken) {
      const std::size_t segment = backwards ? p.segments - 1 - taken : taken;
      const std::size_t first = segment * p.segment_vectors;
      std::size_t vectors = std::min(p.segment_vectors, p.widths[0] / lanes - first);
      const T* HWY_RESTRICT w = p.stream.data() + first * row;
      // Where the inputs are many, their sums are what takes the time, and two vectors in lockstep are enough.
      group(std::integral_constant < std::size_t, kInputs == 0 ? 2 : activation_group > (), vectors, w);
      group(std::integral_constant<std::size_t, 1>(), vectors, w);
      if (p.segments == 1) break;
      for (std::size_t o = 0; o < kOutputs; ++o) {
        hn::Store(sums[o], d, parts[segment][o]);
        sums[o] = hn::Zero(d);
      }
    }
    if (p.segments > 1) {
      static_assert(stream_segments == 4, "added by hand");
      for (std::size_t o = 0; o < kOutputs; ++o) {
        sums[o] = hn::Add(hn::Add(hn::Load(d, parts[0][o]), hn::Load(d, parts[1][o])),
                          hn::Add(hn::Load(d, parts[2][o]), hn::Load(d, parts[3][o])));
      }
    }
    for (std::size_t o = 0; o < kOutputs; ++o) {
      const T value = linear[o] + hn::GetLane(hn::SumOfLanes(d, sums[o]));
      if (o < p.outputs) y[o] = scaled_output<T, Io>(p.scaling, o, value);
    }
  }
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
  if constexpr (std::is_same_v<T, double>) {
    choice.activate_double = activate_values<Activation, double>;
  } else {
    choice.activate_float = activate_values<Activation, float>;
  }
  choice.panel_double = mlp_batch<T, double>;
  if constexpr (std::is_same_v<T, float>) choice.panel_float = mlp_batch<T, float>;
  if (layers == 2 && outputs <= 8) {
    choice.padded_outputs = outputs <= 2 ? outputs : outputs <= 4 ? 4 : 8;
    choice.from_double = one_hidden_kernel<Activation, T, double>(inputs, choice.padded_outputs, folded);
    if constexpr (std::is_same_v<T, float>) {
      choice.from_float = one_hidden_kernel<Activation, T, float>(inputs, choice.padded_outputs, folded);
    }
  } else {
    choice.one_pass = false;
    choice.padded_outputs = (outputs + choice.lanes - 1) / choice.lanes * choice.lanes;
    choice.from_double = mlp_any<T, double>;
    if constexpr (std::is_same_v<T, float>) choice.from_float = mlp_any<T, float>;
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
