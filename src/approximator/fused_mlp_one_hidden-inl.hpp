// Multilayer perceptrons of one hidden layer, one state at a time: included once for every instruction set.
#if defined(LODESTEP_APPROXIMATOR_FUSED_MLP_ONE_HIDDEN_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_FUSED_MLP_ONE_HIDDEN_INL
#undef LODESTEP_APPROXIMATOR_FUSED_MLP_ONE_HIDDEN_INL
#else
#define LODESTEP_APPROXIMATOR_FUSED_MLP_ONE_HIDDEN_INL
#endif

#include "approximator/activation-inl.hpp"
#include "approximator/fused-inl.hpp"

#include <algorithm>
#include <type_traits>

#if LODESTEP_UNROLL_SHAPES
HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The sum of the parts of `kLanes` lanes that v is made of.
template <std::size_t kLanes, class D, class V = hn::Vec<D>> HWY_INLINE auto folded(D d, V v) {
  if constexpr (hn::MaxLanes(D()) == kLanes) {
    return v;
  } else {
    const hn::Half<D> half;
    return folded<kLanes>(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// The sums over the lanes of kCount vectors, in the lanes of one. Four are added up together, by half the shuffles
/// that each by itself would take.
template <std::size_t kCount, class D, class V = hn::Vec<D>>
HWY_INLINE auto sums_of_lanes([[maybe_unused]] D d, const V* HWY_RESTRICT v) {
  using T = hn::TFromD<D>;
  using Sums = hn::CappedTag<T, kCount>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  if constexpr (kCount == 4 && lanes >= 4 && (sizeof(T) == 4 || hn::MaxLanes(hn::CappedTag<double, 4>()) == 4)) {
    const auto pairs = [d](V a, V b)
                           HWY_ATTR { return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)); };
    const V first = pairs(v[0], v[1]);
    const V second = pairs(v[2], v[3]);
    if constexpr (sizeof(T) == 8) { // of each block of 128 bits: a sum of each of two
      return hn::Add(hn::ConcatLowerLower(Sums(), folded<4>(d, second), folded<4>(d, first)),
                     hn::ConcatUpperUpper(Sums(), folded<4>(d, second), folded<4>(d, first)));
    } else {
      const hn::Repartition<double, D> wide;
      const auto a = hn::BitCast(wide, first);
      const auto b = hn::BitCast(wide, second);
      const V all =
          hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, a, b)), hn::BitCast(d, hn::InterleaveUpper(wide, a, b)));
      return folded<4>(d, all);
    }
  } else {
    HWY_ALIGN T sums[kCount];
    for (std::size_t o = 0; o < kCount; ++o) sums[o] = hn::GetLane(hn::SumOfLanes(d, v[o]));
    return hn::Load(Sums(), sums);
  }
}

/// One hidden layer in one pass: for a few vectors of units the pre-activations, the activations, and their shares of
/// every output; nothing but the packed stream is read and nothing is written until the end. `kInputs` is 0 where their
/// number is known at run time only.
///
/// A stream larger than the first-level cache would miss it at every line if it were read from the start each time: it
/// is cut into segments, taken forwards and backwards in turn, so that each evaluation starts with what the last one
/// left in the cache. Every segment has sums of its own, which are added in one order: the bits are the same both ways.
///
/// `x` and `y` are of float where `single` says so, which in f32 they may be: asked at run time, because two copies of
/// all this would compile for twice as long.
template <template <class> class Activation, std::size_t kInputs, std::size_t kOutputs, class T>
HWY_NOINLINE void one_hidden_states(const void* packed, const void* x, void* y, std::size_t batch, Workspace& workspace,
                                    [[maybe_unused]] bool single) {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const D d;
  const auto& p = *static_cast<const FusedMlp<T>*>(packed);
  const auto* HWY_RESTRICT x_double = static_cast<const double*>(x);
  [[maybe_unused]] const auto* HWY_RESTRICT x_float = static_cast<const float*>(x);
  auto* HWY_RESTRICT y_double = static_cast<double*>(y);
  [[maybe_unused]] auto* HWY_RESTRICT y_float = static_cast<float*>(y);
  const std::size_t inputs = kInputs == 0 ? p.inputs : kInputs;
  const Activation<D> activation(d, p.activation);
  T* HWY_RESTRICT z = nullptr;
  if constexpr (kInputs == 0) z = static_cast<T*>(workspace.require(inputs * sizeof(T)));
  constexpr bool scaled = kInputs == 0;
  for (; batch != 0; --batch) {
    V zs[kInputs == 0 ? 1 : kInputs];
    const auto read = [&](const auto* HWY_RESTRICT from) HWY_ATTR {
      for (std::size_t i = 0; i < inputs; ++i) {
        const V value = standardised<scaled>(d, p.scaling, from, i);
        if constexpr (kInputs == 0) {
          z[i] = hn::GetLane(value);
        } else {
          zs[i] = value;
        }
      }
      return from + inputs;
    };
    if constexpr (std::is_same_v<T, float>) {
      if (single) {
        x_float = read(x_float);
      } else {
        x_double = read(x_double);
      }
    } else {
      x_double = read(x_double);
    }
    const auto input = [&](std::size_t i) HWY_ATTR -> V {
      if constexpr (kInputs == 0) {
        return hn::Set(d, z[i]);
      } else {
        return zs[i];
      }
    };
    // The affine term has outputs in lanes, and is done long before the units are.
    constexpr std::size_t few = std::min<std::size_t>({lanes, kOutputs, 4});
    constexpr std::size_t parts = kOutputs / few;
    const hn::CappedTag<T, few> da;
    hn::Vec<decltype(da)> linear[parts];
    for (std::size_t part = 0; part < parts; ++part) {
      const T* HWY_RESTRICT row = p.affine.data() + part * few;
      linear[part] = hn::LoadU(da, row);
      for (std::size_t i = 0; i < inputs; ++i) {
        row += kOutputs;
        if constexpr (kInputs == 0) {
          linear[part] = hn::MulAdd(hn::Set(da, z[i]), hn::LoadU(da, row), linear[part]);
        } else {
          linear[part] = hn::MulAdd(hn::Set(da, hn::GetLane(zs[i])), hn::LoadU(da, row), linear[part]);
        }
      }
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
    HWY_ALIGN T segment_sums[stream_segments][kOutputs][lanes];
    const bool backwards = p.segments > 1 && next_direction(workspace);
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
        hn::Store(sums[o], d, segment_sums[segment][o]);
        sums[o] = hn::Zero(d);
      }
    }
    if (p.segments > 1) {
      static_assert(stream_segments == 4, "added by hand");
      for (std::size_t o = 0; o < kOutputs; ++o) {
        const auto& sum = segment_sums;
        sums[o] = hn::Add(hn::Add(hn::Load(d, sum[0][o]), hn::Load(d, sum[1][o])),
                          hn::Add(hn::Load(d, sum[2][o]), hn::Load(d, sum[3][o])));
      }
    }
    for (std::size_t part = 0; part < parts; ++part) {
      linear[part] = hn::Add(linear[part], sums_of_lanes<few>(d, sums + part * few));
    }
    const auto write = [&]<class Io>(Io* HWY_RESTRICT to) HWY_ATTR {
      for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t o = part * few;
        if (o < p.outputs) store_outputs(da, linear[part], p.scaling, o, p.outputs - o, to);
      }
      return to + p.outputs;
    };
    if constexpr (std::is_same_v<T, float>) {
      if (single) {
        y_float = write(y_float);
      } else {
        y_double = write(y_double);
      }
    } else {
      y_double = write(y_double);
    }
  }
}

template <template <class> class Activation, std::size_t kInputs, std::size_t kOutputs, class T, class Io>
void mlp_one_hidden(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace) {
  const auto& p = *static_cast<const FusedMlp<T>*>(packed);
  if (batch < p.panel_from) {
    return one_hidden_states<Activation, kInputs, kOutputs, T>(packed, x, y, batch, workspace,
                                                               std::is_same_v<Io, float>);
  }
  if constexpr (std::is_same_v<Io, double>) {
    p.panel_double(packed, x, y, batch, workspace);
  } else {
    p.panel_float(packed, x, y, batch, workspace);
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

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif
