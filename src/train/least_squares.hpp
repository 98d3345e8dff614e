#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/problem.hpp>

#include <Eigen/Core>

#include <vector>

/// Fits that are linear in what is learned: affine maps, polynomials, and MLPs whose hidden layer is drawn at random
/// and kept (random features, also known as extreme learning machines).
namespace lodestep::detail {

/// Centre and half-width of every input, so that standardised inputs lie in [-1, 1] and their powers stay bounded;
/// root mean square of every output, so that each counts alike.
struct LODESTEP_TRAIN_EXPORT Standardisation {
  Eigen::VectorXd input_mean;
  Eigen::VectorXd input_scale;
  Eigen::VectorXd output_scale;

  Standardisation(const Eigen::MatrixXd& inputs, const Eigen::MatrixXd& outputs);
  Eigen::MatrixXd inputs(const Eigen::MatrixXd& raw) const;
  Eigen::MatrixXd outputs(const Eigen::MatrixXd& raw) const;
  /// A spec with these scales, a zero affine term and no other.
  ApproximatorSpec spec() const;
};

/// [1; z; monomials of z of degree 2 .. degree], [1 + inputs + monomials, samples]; degree 1 gives the affine basis.
LODESTEP_TRAIN_EXPORT Eigen::MatrixXd polynomial_basis(const Eigen::MatrixXd& z, unsigned degree);

/// Solves min |W Phi - Y|^2 + ridge^2 mean(diag Phi Phi') |W|^2 for several ridges at the price of one factorisation.
///
/// Phi is reduced by an orthogonal factorisation rather than to its Gram matrix, which would square the condition
/// number: polynomials on trajectories are nearly dependent, and the digits lost there are the model's accuracy.
/// Cost: O(samples features^2) once, O(features^3) a ridge.
class LODESTEP_TRAIN_EXPORT RidgeSolver {
public:
  /// `basis` [features, samples], `targets` [outputs, samples].
  RidgeSolver(const Eigen::MatrixXd& basis, const Eigen::MatrixXd& targets);
  /// W, [outputs, features]. `ridge` is relative: 1e-10 is a light touch.
  Eigen::MatrixXd solve(double ridge) const { return solve(ridge, triangle_.rows()); }
  /// The same with the first `features` features alone, as if no others had been given.
  Eigen::MatrixXd solve(double ridge, Eigen::Index features) const;

private:
  Eigen::MatrixXd triangle_;  ///< R of the factorisation, [features, features]
  Eigen::MatrixXd projected_; ///< Q' Y', [features, outputs]
  double scale_ = 1.0;        ///< root mean square of the features' norms
};

/// The spec of a polynomial whose coefficients in polynomial_basis are `weights`.
LODESTEP_TRAIN_EXPORT ApproximatorSpec polynomial_spec(const Standardisation& scales, const Eigen::MatrixXd& weights,
                                                       unsigned degree);

/// A hidden layer whose weights and biases are drawn uniformly from +- `spread`.
LODESTEP_TRAIN_EXPORT AffineLayer random_layer(Random& random, std::size_t inputs, std::size_t width, double spread);

/// [1; z; a(W z + b)]
LODESTEP_TRAIN_EXPORT Eigen::MatrixXd hidden_basis(const Eigen::MatrixXd& z, const AffineLayer& hidden,
                                                   Activation activation);

/// The spec of an MLP with one hidden layer beside its affine term, from the weights in hidden_basis.
LODESTEP_TRAIN_EXPORT ApproximatorSpec mlp_spec(const Standardisation& scales, const Eigen::MatrixXd& weights,
                                                const AffineLayer& hidden, Activation activation);

} // namespace lodestep::detail
