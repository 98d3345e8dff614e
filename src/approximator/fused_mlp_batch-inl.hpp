// Multilayer perceptrons, a panel of states at a time: included once for every instruction set.
#if defined(LODESTEP_APPROXIMATOR_FUSED_MLP_BATCH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_FUSED_MLP_BATCH_INL
#undef LODESTEP_APPROXIMATOR_FUSED_MLP_BATCH_INL
#else
#define LODESTEP_APPROXIMATOR_FUSED_MLP_BATCH_INL
#endif

#include "approximator/fused-inl.hpp"

#include <hwy/cache_control.h>

#include <algorithm>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Rows of a weight matrix multiplied at once, each with two vectors of states in accumulators: as many as fit the
/// registers beside the two states and a weight.
#if HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t panel_rows = 8;
#else
constexpr std::size_t panel_rows = 6;
#endif

/// sums[row][vector] += sum over k of w[k][row] in[k][vector]: the inner loop of every layer.
template <std::size_t kRows, std::size_t kVectors, class D, class T = hn::TFromD<D>, class V = hn::Vec<D>>
HWY_INLINE void multiply(D d, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in, std::size_t count,
                         V (&sums)[kRows][kVectors]) {
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const auto add = [d](const T* HWY_RESTRICT weights, const T* HWY_RESTRICT states, V(&to)[kRows][kVectors]) HWY_ATTR {
    V x[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) x[v] = hn::Load(d, states + v * lanes);
    for (std::size_t r = 0; r < kRows; ++r) {
      const V weight = hn::Set(d, weights[r]);
      for (std::size_t v = 0; v < kVectors; ++v) to[r][v] = hn::MulAdd(weight, x[v], to[r][v]);
    }
  };
  constexpr std::size_t column = kVectors * lanes;
  if constexpr (kRows <= 4) { // whatever the vectors are: the bits of a state must not depend on its neighbours
    // Sums that are few would wait for one another: latency times two units is eight of them at best, so there are
    // twice as many.
    V others[kRows][kVectors];
    for (auto& row : others) {
      for (auto& sum : row) sum = hn::Zero(d);
    }
    for (; count >= 2; count -= 2, w += 2 * kRows, in += 2 * column) {
      add(w, in, sums);
      add(w + kRows, in + column, others);
    }
    if (count == 1) add(w, in, sums);
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Add(sums[r][v], others[r][v]);
    }
  } else {
    // Weights are read once for every panel and come from the second-level cache where they are many: a line of them is
    // asked for early. Two columns at a time, since what counts is decoded as slowly as it is multiplied.
    constexpr std::size_t ahead = 512 / sizeof(T);
    for (; count >= 2; count -= 2, w += 2 * kRows, in += 2 * column) {
      hwy::Prefetch(w + ahead);
      if constexpr (kRows * sizeof(T) > 32) hwy::Prefetch(w + kRows + ahead);
      add(w, in, sums);
      add(w + kRows, in + column, sums);
    }
    if (count == 1) add(w, in, sums);
  }
}

/// Calls body(std::integral_constant<rows>, first row) for groups of kRows rows, then for the rest in halves: the order
/// in which pack_rows (fused.cpp) lays groups out.
template <std::size_t kRows, class Body> HWY_INLINE void for_row_groups(std::size_t first, std::size_t end, Body body) {
  for (; end - first >= kRows; first += kRows) body(std::integral_constant<std::size_t, kRows>(), first);
  if constexpr (kRows > 1) {
    constexpr std::size_t next = kRows > 4 ? 4 : kRows / 2;
    if (first < end) for_row_groups<next>(first, end, body);
  }
}

/// out[row] = bias + W in of rows first .. end - 1; `w` is where their packed weights start, and the end of them is
/// returned. Not inlined, like the one below: one copy serves every kind of state.
template <std::size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_NOINLINE const T* panel_hidden(D d, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in, std::size_t inputs,
                                   std::size_t rows, T* HWY_RESTRICT out) {
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  for_row_groups<panel_rows>(0, rows, [&](auto group, std::size_t row) HWY_ATTR {
    constexpr std::size_t size = decltype(group)::value;
    V sums[size][kVectors];
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Set(d, w[r]);
    }
    multiply(d, w + size, in, inputs, sums);
    w += size * (1 + inputs);
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        hn::Store(sums[r][v], d, out + ((row + r) * kVectors + v) * lanes);
      }
    }
  });
  return w;
}

/// The same of kInputs inputs, which stay in registers while the rows pass: their sums are short, and what would be
/// waited for is the start and the end of each group, so groups are small and many of them under way at once.
template <std::size_t kInputs, std::size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_NOINLINE const T* panel_few_inputs(D d, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in, std::size_t rows,
                                       T* HWY_RESTRICT out) {
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  V x[kInputs][kVectors];
  for (std::size_t i = 0; i < kInputs; ++i) {
    for (std::size_t v = 0; v < kVectors; ++v) x[i][v] = hn::Load(d, in + (i * kVectors + v) * lanes);
  }
  for_row_groups<few_input_rows>(0, rows, [&](auto group, std::size_t) HWY_ATTR {
    constexpr std::size_t size = decltype(group)::value;
    V sums[size][kVectors];
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Set(d, w[r]);
    }
    for (std::size_t i = 0; i < kInputs; ++i) {
      w += size;
      for (std::size_t r = 0; r < size; ++r) {
        const V weight = hn::Set(d, w[r]);
        for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(weight, x[i][v], sums[r][v]);
      }
    }
    w += size;
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v, out += lanes) hn::Store(sums[r][v], d, out);
    }
  });
  return w;
}

/// What is made of the inputs, the affine term and the first hidden layer: as it was packed.
template <std::size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_INLINE const T* panel_first(D d, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in, std::size_t inputs,
                                std::size_t rows, T* HWY_RESTRICT out) {
  static_assert(few_inputs == 4, "as many as there are cases");
  switch (inputs) {
  case 1:
    return panel_few_inputs<1, kVectors>(d, w, in, rows, out);
  case 2:
    return panel_few_inputs<2, kVectors>(d, w, in, rows, out);
  case 3:
    return panel_few_inputs<3, kVectors>(d, w, in, rows, out);
  case 4:
    return panel_few_inputs<4, kVectors>(d, w, in, rows, out);
  default:
    return panel_hidden<kVectors>(d, w, in, inputs, rows, out);
  }
}

/// out[row] += W in.
template <std::size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_NOINLINE const T* panel_output(D d, const T* HWY_RESTRICT w, const T* HWY_RESTRICT in, std::size_t inputs,
                                   std::size_t rows, T* HWY_RESTRICT out) {
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  for_row_groups<panel_rows>(0, rows, [&](auto group, std::size_t row) HWY_ATTR {
    constexpr std::size_t size = decltype(group)::value;
    V sums[size][kVectors];
    T* HWY_RESTRICT target = out + row * kVectors * lanes;
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Load(d, target + (r * kVectors + v) * lanes);
    }
    multiply(d, w, in, inputs, sums);
    w += size * inputs;
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) hn::Store(sums[r][v], d, target + (r * kVectors + v) * lanes);
    }
  });
  return w;
}

/// Calls body(std::integral_constant<count>) for the counts whose members are shuffled apart in registers.
template <class Body> HWY_INLINE bool with_few(std::size_t count, Body body) {
  switch (count) {
  case 2:
    body(std::integral_constant<std::size_t, 2>());
    return true;
  case 3:
    body(std::integral_constant<std::size_t, 3>());
    return true;
  case 4:
    body(std::integral_constant<std::size_t, 4>());
    return true;
  default:
    return false;
  }
}

/// Whether matrices are transposed by blocks of four by four, which takes vectors of four doubles.
constexpr bool transposes = hn::MaxLanes(hn::CappedTag<double, 4>()) == 4;

/// v[i][j] <-> v[j][i], of four vectors of four numbers.
template <class D4, class V4 = hn::Vec<D4>>
HWY_INLINE void transpose([[maybe_unused]] D4 d, [[maybe_unused]] V4 (&v)[4]) {
#if HWY_TARGET != HWY_SCALAR // which has no such operations
  const V4 a = hn::InterleaveLower(d, v[0], v[1]);
  const V4 b = hn::InterleaveUpper(d, v[0], v[1]);
  const V4 c = hn::InterleaveLower(d, v[2], v[3]);
  const V4 e = hn::InterleaveUpper(d, v[2], v[3]);
  // Interleaving keeps to blocks of 128 bits: of doubles it has taken columns 0 and 2, of floats 0 and 1.
  constexpr std::size_t second = sizeof(hn::TFromD<D4>) == 8 ? 2 : 1;
  v[0] = hn::ConcatLowerLower(d, c, a);
  v[second] = hn::ConcatUpperUpper(d, c, a);
  v[3 - second] = hn::ConcatLowerLower(d, e, b);
  v[3] = hn::ConcatUpperUpper(d, e, b);
#endif
}

/// A vector of another type, the same if it is the same.
template <class To, class From, class V4> HWY_INLINE auto converted(To to, From, V4 v) {
  constexpr std::size_t wide = sizeof(hn::TFromD<To>);
  constexpr std::size_t narrow = sizeof(hn::TFromD<From>);
  if constexpr (wide > narrow) {
    return hn::PromoteTo(to, v);
  } else if constexpr (wide < narrow) {
    return hn::DemoteTo(to, v);
  } else {
    return v;
  }
}

/// The standardised inputs of `width` states, [input][state], all arithmetic in double. Lanes to spare repeat the last
/// state.
template <class T, class Io>
HWY_INLINE void load_panel(const FusedScaling& scaling, const Io* HWY_RESTRICT x, std::size_t inputs,
                           std::size_t states, std::size_t width, T* HWY_RESTRICT z) {
  const double* HWY_RESTRICT mean = scaling.mean.data();
  const double* HWY_RESTRICT inverse_scale = scaling.inverse_scale.data();
  if constexpr (std::is_same_v<Io, double>) {
    const hn::ScalableTag<double> dd;
    const hn::Rebind<T, decltype(dd)> dt;
    constexpr std::size_t lanes = hn::MaxLanes(decltype(dd)());
    using V = hn::Vec<decltype(dd)>;
    const auto shuffled = [&](auto count) HWY_ATTR {
      constexpr std::size_t k = decltype(count)::value;
      for (std::size_t n = 0; n < width; n += lanes) {
        V v[k];
        if constexpr (k == 2) hn::LoadInterleaved2(dd, x + n * k, v[0], v[1]);
        if constexpr (k == 3) hn::LoadInterleaved3(dd, x + n * k, v[0], v[1], v[2]);
        if constexpr (k == 4) hn::LoadInterleaved4(dd, x + n * k, v[0], v[1], v[2], v[3]);
        for (std::size_t i = 0; i < k; ++i) {
          const V value = hn::Mul(hn::Sub(v[i], hn::Set(dd, mean[i])), hn::Set(dd, inverse_scale[i]));
          if constexpr (std::is_same_v<T, double>) {
            hn::Store(value, dd, z + i * width + n);
          } else {
            hn::Store(hn::DemoteTo(dt, value), dt, z + i * width + n);
          }
        }
      }
    };
    if (states == width && with_few(inputs, shuffled)) return;
  }
  std::size_t first = 0; // input that is left over
  if constexpr (transposes) {
    const hn::CappedTag<double, 4> wide;
    const hn::CappedTag<T, 4> own;
    const hn::CappedTag<Io, 4> given;
    for (; states == width && first + 4 <= inputs; first += 4) {
      const auto centre = hn::LoadU(wide, mean + first);
      const auto factor = hn::LoadU(wide, inverse_scale + first);
      for (std::size_t n = 0; n < width; n += 4) {
        hn::Vec<decltype(own)> v[4];
        for (std::size_t l = 0; l < 4; ++l) {
          const auto number = converted(wide, given, hn::LoadU(given, x + (n + l) * inputs + first));
          v[l] = converted(own, wide, hn::Mul(hn::Sub(number, centre), factor));
        }
        transpose(own, v);
        for (std::size_t l = 0; l < 4; ++l) hn::Store(v[l], own, z + (first + l) * width + n);
      }
    }
  }
  for (std::size_t n = 0; first < inputs && n < width; ++n) {
    const Io* HWY_RESTRICT state = x + std::min(n, states - 1) * inputs;
    for (std::size_t i = first; i < inputs; ++i) {
      z[i * width + n] = static_cast<T>((static_cast<double>(state[i]) - mean[i]) * inverse_scale[i]);
    }
  }
}

/// Writes the outputs of `states` states from [output][state].
template <class T, class Io>
HWY_INLINE void store_panel(const FusedScaling& scaling, const T* HWY_RESTRICT sums, std::size_t outputs,
                            std::size_t states, std::size_t width, Io* HWY_RESTRICT y) {
  if constexpr (std::is_same_v<Io, double>) {
    const hn::ScalableTag<double> dd;
    const hn::Rebind<T, decltype(dd)> dt;
    constexpr std::size_t lanes = hn::MaxLanes(decltype(dd)());
    using V = hn::Vec<decltype(dd)>;
    const auto shuffled = [&](auto count) HWY_ATTR {
      constexpr std::size_t k = decltype(count)::value;
      for (std::size_t n = 0; n < width; n += lanes) {
        V v[k];
        for (std::size_t o = 0; o < k; ++o) {
          if constexpr (std::is_same_v<T, double>) {
            v[o] = hn::Load(dd, sums + o * width + n);
          } else {
            v[o] = hn::Mul(hn::PromoteTo(dd, hn::Load(dt, sums + o * width + n)), hn::Set(dd, scaling.output_scale[o]));
          }
        }
        if constexpr (k == 2) hn::StoreInterleaved2(v[0], v[1], dd, y + n * k);
        if constexpr (k == 3) hn::StoreInterleaved3(v[0], v[1], v[2], dd, y + n * k);
        if constexpr (k == 4) hn::StoreInterleaved4(v[0], v[1], v[2], v[3], dd, y + n * k);
      }
    };
    if (states == width && with_few(outputs, shuffled)) return;
  }
  std::size_t first = 0; // output that is left over
  if constexpr (transposes) {
    const hn::CappedTag<double, 4> wide;
    const hn::CappedTag<T, 4> own;
    const hn::CappedTag<Io, 4> wanted;
    for (; states == width && first + 4 <= outputs; first += 4) {
      for (std::size_t n = 0; n < width; n += 4) {
        hn::Vec<decltype(own)> v[4];
        for (std::size_t l = 0; l < 4; ++l) v[l] = hn::Load(own, sums + (first + l) * width + n);
        transpose(own, v);
        for (std::size_t l = 0; l < 4; ++l) {
          auto number = converted(wide, own, v[l]);
          if constexpr (!std::is_same_v<T, double>) { // in f64 the scale is folded already
            number = hn::Mul(number, hn::LoadU(wide, scaling.output_scale.data() + first));
          }
          hn::StoreU(converted(wanted, wide, number), wanted, y + (n + l) * outputs + first);
        }
      }
    }
  }
  for (std::size_t n = 0; first < outputs && n < states; ++n) {
    for (std::size_t o = first; o < outputs; ++o) {
      y[n * outputs + o] = scaled_output<T, Io>(scaling, o, sums[o * width + n]);
    }
  }
}

/// Up to kVectors vectors of states. Layers but the last hidden one are kept whole; of the last one, a chunk at a time
/// is computed and at once multiplied into the outputs, so that it never leaves the first-level cache.
///
/// Activations are a pass of their own over what is still in that cache. Taken right after the sums they would find the
/// registers full of them.
template <std::size_t kVectors, class T, class Io>
HWY_INLINE void panel(const FusedMlp<T>& p, const Io* x, Io* y, std::size_t states, T* HWY_RESTRICT scratch) {
  using D = hn::ScalableTag<T>;
  constexpr std::size_t width = kVectors * hn::MaxLanes(D());
  const D d;
  T* HWY_RESTRICT z = scratch;
  T* HWY_RESTRICT sums = z + p.inputs * width;
  T* HWY_RESTRICT chunk = sums + p.outputs * width;
  T* HWY_RESTRICT layer = chunk + panel_chunk * width;
  T* HWY_RESTRICT other = layer + p.widest_unit_count * width;
  load_panel(p.scaling, x, p.inputs, states, width, z);
  panel_first<kVectors>(d, p.panel_affine.data(), z, p.inputs, p.outputs, sums);
  const T* HWY_RESTRICT in = z;
  std::size_t in_width = p.inputs;
  const std::size_t last = p.unit_counts.size() - 1;
  for (std::size_t l = 0; l < last; ++l) {
    if (l == 0) {
      panel_first<kVectors>(d, p.panel_hidden[l].data(), in, in_width, p.unit_counts[l], layer);
    } else {
      panel_hidden<kVectors>(d, p.panel_hidden[l].data(), in, in_width, p.unit_counts[l], layer);
    }
    p.activate(p.activation, layer, p.unit_counts[l] * width);
    in = layer;
    in_width = p.unit_counts[l];
    std::swap(layer, other);
  }
  const T* HWY_RESTRICT w = p.panel_hidden[last].data();
  const T* HWY_RESTRICT w_out = p.panel_last.data();
  for (std::size_t unit = 0; unit < p.unit_counts[last]; unit += panel_chunk) {
    const std::size_t size = std::min(panel_chunk, p.unit_counts[last] - unit);
    w = last == 0 ? panel_first<kVectors>(d, w, in, in_width, size, chunk)
                  : panel_hidden<kVectors>(d, w, in, in_width, size, chunk);
    p.activate(p.activation, chunk, size * width);
    w_out = panel_output<kVectors>(d, w_out, chunk, size, p.outputs, sums);
  }
  store_panel(p.scaling, sums, p.outputs, states, width, y);
}

template <class T, class Io>
void mlp_batch(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace) {
  constexpr std::size_t lanes = hn::MaxLanes(hn::ScalableTag<T>());
  const auto& p = *static_cast<const FusedMlp<T>*>(packed);
  const std::size_t rows = p.inputs + p.outputs + panel_chunk + 2 * p.widest_unit_count;
  auto* scratch = static_cast<T*>(workspace.require(rows * 2 * lanes * sizeof(T)));
  while (batch > 0) {
    const std::size_t states = std::min(batch, 2 * lanes);
    if (states > lanes) {
      panel<2>(p, x, y, states, scratch);
    } else {
      panel<1>(p, x, y, states, scratch);
    }
    x += states * p.inputs;
    y += states * p.outputs;
    batch -= states;
  }
}

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
