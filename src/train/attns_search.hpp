#pragma once

#include "train/step_data.hpp"

#include <lodestep/train.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

/// The parts of train_attns: which approximators to try, in what order, and how each is fitted.
namespace lodestep::detail {

/// One approximator to try. Its modelled cost is known before it is fitted.
struct AttnsPlan {
  enum class Method { polynomial, random_features, variable_projection };
  std::size_t base = 0;   ///< index of the base scheme
  std::size_t stride = 1; ///< the step, in steps of the data's grid; of a dt-aware model the longest
  CorrectorInput input = CorrectorInput::increment;
  Method method = Method::polynomial;
  unsigned degree = 1;   ///< polynomial: 1 is affine
  std::size_t width = 0; ///< hidden units
  Precision precision = Precision::f64;
  double cost_ns = 0.0; ///< of one step: right-hand sides and approximator

  /// Cost of a unit of grid time.
  double rate() const { return cost_ns / static_cast<double>(stride); }
};

/// What the plans of a search have in common.
struct AttnsShape {
  std::size_t dimension = 0;
  std::vector<const ButcherTableau*> bases;
  CorrectorModel model; ///< form, time and parameter inputs, whether it is dt-aware; base, input and dt are a plan's
  std::vector<CorrectorInput> inputs;
  double rhs_cost_ns = 0.0;
  std::size_t output_stride = 0; ///< states are wanted as often; 0: at the steps' own ends

  /// States wanted within a step.
  std::size_t points(std::size_t stride) const {
    return output_stride != 0 && stride > output_stride ? stride / output_stride - 1 : 0;
  }
  /// `model` with the base scheme and input of a plan.
  CorrectorModel of(const AttnsPlan& plan) const;
  /// Features of the approximator.
  std::size_t features(const AttnsPlan& plan) const;
};

/// Every plan for one stride, cheapest first.
std::vector<AttnsPlan> make_plans(const AttnsShape& shape, std::size_t stride);

/// Fits plans to the step data that `data(base, stride)` gives, and remembers what several plans can share.
class AttnsFitter {
public:
  using Data = std::function<const StepData&(std::size_t base, std::size_t stride)>;
  AttnsFitter(const AttnsShape& shape, std::uint64_t seed, Data data);
  ~AttnsFitter();

  /// Fits one plan in several ways (ridges, spreads of the hidden layer), to be told apart by roll-outs. Each fit is
  /// given to `offer`, which returns false when no further one is wanted. `proceed` is asked within long fits and cuts
  /// them short by returning false.
  void fit(const AttnsPlan& plan, const std::function<bool(const ApproximatorSpec&)>& offer,
           const std::function<bool()>& proceed);
  /// The dense output of a step of that plan with `base`'s features: polynomials of rising degree, fitted to the steps
  /// of `cases`, until their root mean square error is at most `error`. The cases should be the problem's own: what
  /// training adds beside a thin sheet keeps steps stable, and would only cost the states within them a degree. Throws
  /// nothing; the last degree's if none is.
  DenseOutput fit_dense(const AttnsPlan& plan, const Cases& cases, double error) const;
  /// Forgets all fits: the data has changed.
  void clear();

private:
  struct Polynomials;
  const Polynomials& polynomials(const AttnsPlan& plan);

  const AttnsShape& shape_;
  std::uint64_t seed_;
  Data data_;
  /// By base, stride, input and largest degree.
  std::map<std::tuple<std::size_t, std::size_t, CorrectorInput, unsigned>, std::unique_ptr<Polynomials>> polynomials_;
};

} // namespace lodestep::detail
