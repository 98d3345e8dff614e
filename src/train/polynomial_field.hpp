#pragma once

#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <vector>

namespace lodestep::detail {

/// A right-hand side x' = W phi(x), phi the monomials up to a degree of the variables, each standardised to [-1, 1].
class LODESTEP_TRAIN_EXPORT PolynomialField {
public:
  PolynomialField(Eigen::VectorXd mean, Eigen::VectorXd scale, unsigned degree);

  std::size_t dimension() const noexcept { return static_cast<std::size_t>(mean_.size()); }
  unsigned degree() const noexcept { return degree_; }
  std::size_t terms() const noexcept { return terms_.size(); }
  /// W [dimension, terms], of standardised variables.
  Eigen::MatrixXd& coefficients() noexcept { return coefficients_; }
  const Eigen::MatrixXd& coefficients() const noexcept { return coefficients_; }

  Eigen::VectorXd standardised(const double* x) const;
  void original(const double* z, double* x) const;
  /// phi(z) [terms], and where `slopes` is not null its derivatives [terms, dimension].
  void basis(const double* z, double* values, double* slopes) const;
  /// x [dimension] after `count` classical Runge-Kutta steps of h. False, with x as far as it came, where it leaves a
  /// box ten times as large as what was standardised.
  bool flow(double* x, double h, std::size_t count) const;

private:
  struct Term {
    std::size_t parent = 0;   ///< a monomial of one degree less ...
    std::size_t variable = 0; ///< ... times this variable
  };
  Eigen::VectorXd mean_, scale_;
  unsigned degree_;
  std::vector<Term> terms_; ///< the first is 1
  Eigen::MatrixXd coefficients_;
};

} // namespace lodestep::detail
