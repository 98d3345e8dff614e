// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/gram.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "train/gram.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Rows that are packed together: their share of one panel stays in the first-level cache.
constexpr std::size_t depth = 192;
/// A tile of the result: this many rows, and columns of so many vectors. Its sums are named one by one below, because
/// compilers keep arrays of them in memory.
constexpr std::size_t tile_rows = 4;
constexpr std::size_t tile_vectors = 3;

/// tile [tile_rows, width] = sum over `deep` rows of a [.., width], of which tile_rows are read, and b [.., width].
template <class D>
HWY_INLINE void multiply_tile(D d, const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, std::size_t deep,
                              double* HWY_RESTRICT tile) {
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t width = tile_vectors * lanes;
  auto s00 = hn::Zero(d), s01 = hn::Zero(d), s02 = hn::Zero(d);
  auto s10 = hn::Zero(d), s11 = hn::Zero(d), s12 = hn::Zero(d);
  auto s20 = hn::Zero(d), s21 = hn::Zero(d), s22 = hn::Zero(d);
  auto s30 = hn::Zero(d), s31 = hn::Zero(d), s32 = hn::Zero(d);
  for (std::size_t k = 0; k < deep; ++k, a += width, b += width) {
    const auto b0 = hn::LoadU(d, b), b1 = hn::LoadU(d, b + lanes), b2 = hn::LoadU(d, b + 2 * lanes);
    const auto a0 = hn::Set(d, a[0]);
    s00 = hn::MulAdd(a0, b0, s00), s01 = hn::MulAdd(a0, b1, s01), s02 = hn::MulAdd(a0, b2, s02);
    const auto a1 = hn::Set(d, a[1]);
    s10 = hn::MulAdd(a1, b0, s10), s11 = hn::MulAdd(a1, b1, s11), s12 = hn::MulAdd(a1, b2, s12);
    const auto a2 = hn::Set(d, a[2]);
    s20 = hn::MulAdd(a2, b0, s20), s21 = hn::MulAdd(a2, b1, s21), s22 = hn::MulAdd(a2, b2, s22);
    const auto a3 = hn::Set(d, a[3]);
    s30 = hn::MulAdd(a3, b0, s30), s31 = hn::MulAdd(a3, b1, s31), s32 = hn::MulAdd(a3, b2, s32);
  }
  const auto store = [&](auto s0, auto s1, auto s2) {
    hn::StoreU(s0, d, tile);
    hn::StoreU(s1, d, tile + lanes);
    hn::StoreU(s2, d, tile + 2 * lanes);
    tile += width;
  };
  store(s00, s01, s02);
  store(s10, s11, s12);
  store(s20, s21, s22);
  store(s30, s31, s32);
}

void add_gram_here(const double* rows, std::size_t count, std::size_t columns, double* gram) {
  const hn::ScalableTag<double> d;
  const std::size_t width = tile_vectors * hn::Lanes(d); // of a panel
  // Tiles need not divide a panel: a panel is read past its end into the next, and what comes of that is not used.
  const std::size_t panels = (columns + width - 1) / width;
  std::vector<double> packed(panels * width * depth + tile_rows), tile(tile_rows * width);
  for (std::size_t first = 0; first < count; first += depth) {
    const std::size_t deep = std::min(depth, count - first);
    for (std::size_t p = 0; p < panels; ++p) { // panel p: [row][width], zeros beyond the last column
      double* to = packed.data() + p * width * depth;
      const std::size_t n = std::min(width, columns - p * width);
      for (std::size_t k = 0; k < deep; ++k, to += width) {
        std::copy_n(rows + (first + k) * columns + p * width, n, to);
        std::fill(to + n, to + width, 0.0);
      }
    }
    for (std::size_t p = 0; p < panels; ++p) { // rows of the result
      const std::size_t in_panel = std::min(width, columns - p * width);
      for (std::size_t r = 0; r < in_panel; r += tile_rows) {
        const double* a = packed.data() + p * width * depth + r;
        const std::size_t used = std::min(tile_rows, in_panel - r);
        for (std::size_t q = 0; q <= p; ++q) { // columns
          multiply_tile(d, a, packed.data() + q * width * depth, deep, tile.data());
          const std::size_t n = std::min(width, columns - q * width);
          for (std::size_t i = 0; i < used; ++i) {
            double* to = gram + (p * width + r + i) * columns + q * width;
            for (std::size_t j = 0; j < n; ++j) to[j] += tile[i * width + j];
          }
        }
      }
    }
  }
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lodestep::detail {

HWY_EXPORT(add_gram_here);

void add_gram(const double* rows, std::size_t count, std::size_t columns, double* gram) {
  if (count == 0 || columns == 0) return;
  HWY_DYNAMIC_DISPATCH(add_gram_here)(rows, count, columns, gram);
}

} // namespace lodestep::detail

#endif
