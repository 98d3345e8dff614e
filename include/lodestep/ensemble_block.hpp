#pragma once

#include <lodestep/aligned.hpp>
#include <lodestep/export.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace lodestep {

/// Members evaluated together: enough to fill the widest registers many times, few enough for the stages of ordinary
/// systems to stay in the first-level cache.
constexpr std::size_t ensemble_block = 64;

namespace detail {

template <class Rhs> int call_batched_rhs(Rhs& rhs, double t, const double* u, double* dudt, std::size_t n) {
  if constexpr (std::is_void_v<decltype(rhs(t, u, dudt, n))>) {
    rhs(t, u, dudt, n);
    return 0;
  } else {
    return rhs(t, u, dudt, n);
  }
}

/// Calls body with the dimension: as a constant where it is small, so that the loops over it are unrolled.
template <class Body> void with_dimension(std::size_t dimension, Body body) {
  switch (dimension) {
  case 2:
    return body(std::integral_constant<std::size_t, 2>());
  case 3:
    return body(std::integral_constant<std::size_t, 3>());
  case 4:
    return body(std::integral_constant<std::size_t, 4>());
  case 6:
    return body(std::integral_constant<std::size_t, 6>());
  default:
    return body(dimension);
  }
}

// NOTE: these are compiled in the library, for every instruction set: a program that includes this header is compiled
// for the oldest processor it is to run on, most of the time.

/// to[i * n + k] = from[k * d + i] for k < n, and back.
LODESTEP_EXPORT void to_variables(const double* from, std::size_t dimension, std::size_t n, double* to) noexcept;
LODESTEP_EXPORT void to_members(const double* from, std::size_t dimension, std::size_t n, double* to) noexcept;

/// out = u + dt sum_j weight_j k_j, arrays of `size` numbers, k_j at k + j * size for j < count; stages of weight zero
/// are not read. `out` may be `u`. Every number is the same function of its own, wherever in the array it stands.
LODESTEP_EXPORT void combine_stages(const double* u, const double* k, double dt, const double* weight,
                                    std::size_t count, std::size_t size, double* out) noexcept;

/// Steps of a tableau for one block of members, all arrays [variable][member].
class BlockRungeKutta {
public:
  BlockRungeKutta(std::shared_ptr<const ButcherTableau> tableau, std::size_t dimension)
      : tableau_(std::move(tableau)), dimension_(dimension), k_(tableau_->stages() * dimension * ensemble_block),
        u_(dimension * ensemble_block) {
    tableau_->validate();
  }

  std::size_t dimension() const noexcept { return dimension_; }
  const ButcherTableau& tableau() const noexcept { return *tableau_; }
  /// k_{stage + 1} of the last step, [variable][member].
  const double* stage_derivative(std::size_t stage, std::size_t n) const noexcept {
    return k_.data() + stage * dimension_ * n;
  }

  template <class Rhs> int step(Rhs& rhs, double t, const double* u, double dt, double* u_next, std::size_t n) {
    const std::size_t s = tableau_->stages();
    const std::size_t size = dimension_ * n;
    for (std::size_t i = 0; i < s; ++i) {
      const double* at = u;
      if (i > 0) {
        combine_stages(u, k_.data(), dt, tableau_->a.data() + i * s, i, size, u_.data());
        at = u_.data();
      }
      if (const int status = call_batched_rhs(rhs, t + tableau_->c[i] * dt, at, k_.data() + i * size, n)) return status;
    }
    combine_stages(u, k_.data(), dt, tableau_->b.data(), s, size, u_next);
    return 0;
  }

private:
  std::shared_ptr<const ButcherTableau> tableau_;
  std::size_t dimension_;
  AlignedVector<double> k_; ///< [stage][variable][member], as wide as the block at hand
  AlignedVector<double> u_;
};

} // namespace detail
} // namespace lodestep
