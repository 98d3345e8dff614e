#pragma once

#include "train/step_data.hpp"

#include <lodestep/train.hpp>

#include <Eigen/Core>

#include <vector>

/// The parts of train_attns: which approximators to try, in what order, and how each is fitted.
namespace lodestep::detail {

/// One approximator to try. Its modelled cost is known before it is fitted.
struct AttnsPlan {
  enum class Method { polynomial, random_features, variable_projection };
  std::size_t base = 0; ///< index of the base scheme
  CorrectorInput input = CorrectorInput::increment;
  Method method = Method::polynomial;
  unsigned degree = 1;   ///< polynomial: 1 is affine
  std::size_t width = 0; ///< hidden units
  double cost_ns = 0.0;  ///< of one step: right-hand sides and approximator
};

/// Every plan for a problem of this dimension, cheapest first. `rhs_cost_ns` is the cost of one right-hand side.
std::vector<AttnsPlan> make_plans(std::size_t dimension, const std::vector<const ButcherTableau*>& bases,
                                  double rhs_cost_ns);

/// Fits one plan in several ways (ridges, spreads of the hidden layer), to be told apart by roll-outs. Each fit is
/// given to `offer`, which returns false when no further one is wanted. `seed` draws hidden layers; `proceed` is asked
/// within long fits and cuts them short by returning false.
void fit_plan(const AttnsPlan& plan, const StepData& data, std::uint64_t seed,
              const std::function<bool(const ApproximatorSpec&)>& offer, const std::function<bool()>& proceed);

} // namespace lodestep::detail
