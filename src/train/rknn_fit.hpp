#pragma once

#include "train/rknn_tasks.hpp"

#include <lodestep/family.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace lodestep::detail {

/// How the coefficients of an explicit tableau are made from the numbers that are fitted. With M monomials in the step
/// size and the parameters, there are M sets of `numbers()`.
struct RknnShape {
  std::size_t stages = 3;
  bool softmax = false;
  /// Powers of (dt, parameters...), both normalised to [-1, 1]; the first is the constant.
  std::vector<std::vector<unsigned>> monomials{{}};

  std::size_t lower() const { return stages * (stages - 1) / 2; }
  /// Coefficients of one tableau: the lower triangle, then b.
  std::size_t coefficients() const { return lower() + stages; }
  /// Free numbers of one tableau: the lower triangle, then b without its last (softmax: the logits).
  std::size_t numbers() const { return lower() + (softmax ? stages : stages - 1); }
  std::size_t size() const { return numbers() * monomials.size(); }
};

/// Monomials of total degree at most `degree` in the step size (if `in_dt`) and the given parameters.
std::vector<std::vector<unsigned>> rknn_monomials(bool in_dt, std::size_t parameters, unsigned degree);

/// Stands for a mismatch that is not a number.
constexpr double largest_mismatch = 1e300;

struct RknnFitOptions {
  RknnShape shape;
  unsigned order = 3;
  double order_weight = 0.0; ///< of the algebraic order conditions, for tableaux exact to `order`
  std::size_t iterations = 60;
  std::size_t reweightings = 4;
};

/// The mean logarithm of the error ratio that a set of numbers gives, and the numbers.
struct RknnFit {
  std::vector<double> x;
  double log_ratio = 0.0;
};

/// |f|^2 / count and its gradient from the Jacobian of f.
double mean_square(const Eigen::VectorXd& f, const Eigen::MatrixXd& jacobian, std::size_t count,
                   std::vector<double>& gradient);

/// A loss at a set of numbers; writes its gradient.
using RknnLoss = std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

/// Fits coefficients to tasks.
class LODESTEP_TRAIN_EXPORT RknnFitter {
public:
  RknnFitter(const Family& family, const RknnTasks& tasks, const RknnFitOptions& options);

  std::vector<double> random_start(Random& random) const;
  /// Nonlinear least squares from `x` in logarithmic weights: minimises the mean over samples of
  /// log(ratio^2 + floor^2) by iterative reweighting, each time with Levenberg-Marquardt.
  /// A `warm` start is good already: it is weighted from the first round on, others start from plain least squares.
  RknnFit fit(std::vector<double> x, bool warm) const;
  /// Least squares on the Taylor coefficients of one step alone, up to options.order (at most family_taylor_order),
  /// from and to `x`. Returns the largest mismatch that is left, relative. The family must have a right-hand side on
  /// series.
  double fit_taylor(std::vector<double>& x) const;

  /// Mean over samples of (error / classical error)^2 (eq. 14), and the mean over the first `tasks` tasks of the Taylor
  /// regulariser (eq. 16), in which each order is taken relative to the flow's. The fitter must outlive them.
  RknnLoss scaled_loss() const;
  RknnLoss taylor_loss(std::size_t tasks) const;

  /// The nearest numbers whose tableau meets the order conditions up to options.order to rounding (Gauss-Newton steps
  /// of least norm). Throws InvalidData if that does not converge.
  std::vector<double> exact_order(std::vector<double> x) const;
  /// Mean logarithm of the error ratio over all samples.
  double log_ratio(const std::vector<double>& x) const;
  /// a, [stages, stages], and b of monomial `m`.
  void term(const std::vector<double>& x, std::size_t m, double* a, double* b) const;

  /// a, [stages, stages], and b for one step size and parameters.
  void coefficients(const std::vector<double>& x, double dt, const double* parameters, double* a, double* b) const;
  /// The same as one row, [lower triangle, b], and its derivatives by x, [shape.coefficients(), shape.size()].
  void coefficients_with_slopes(const std::vector<double>& x, double dt, const double* parameters, double* row,
                                double* slopes) const;

private:
  friend struct RollOutProblem;
  friend struct TaylorProblem;
  void monomials(double dt, const double* parameters, double* phi) const;
  /// Coefficients and their derivatives with respect to the numbers of this tableau.
  void raw(const double* numbers, double* coefficients, double* jacobian) const;
  void numbers_at(const std::vector<double>& x, const double* phi, double* numbers) const;

  const Family& family_;
  const RknnTasks& tasks_;
  RknnFitOptions options_;
};

} // namespace lodestep::detail
