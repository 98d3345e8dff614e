#include "train/controlled_model.hpp"

#include <lodestep/learned_tableau.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace lodestep::detail {

PairChoice controlled_pair(const std::shared_ptr<const Model>& model, const RknnTask& task) {
  // Parameters are given where the coefficients depend on them, and checked: what is outside falls back.
  LearnedTableau learned(model, task.parameters);
  const ButcherTableau& tableau = learned.method().tableau;
  const std::size_t all = tableau.stages();
  const std::size_t s = all - (tableau.fsal ? 1 : 0);
  std::vector<double> estimate(s + 1, 0.0);
  for (std::size_t i = 0; i < all; ++i) estimate[i] = tableau.b[i] - tableau.b_embedded[i];
  return [learned = std::move(learned), elsewhere = always(classical_tableau(learned.method().classical)), all, s,
          estimate = std::move(estimate), whole = std::vector<double>(all * all), a = std::vector<double>(s * s),
          b = std::vector<double>(all)](const double* u, double dt) mutable {
    if (learned.admits_controlled(dt) != Verdict::learned || learned.admits_state(u) != Verdict::learned) {
      return elsewhere(u, dt);
    }
    learned.coefficients(dt, whole.data(), b.data());
    for (std::size_t i = 0; i < s; ++i) std::copy_n(whole.data() + i * all, s, a.data() + i * s);
    return PairCoefficients{s, a.data(), b.data(), estimate.data()};
  };
}

} // namespace lodestep::detail
