#pragma once

#include <lodestep/corrector_model.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

namespace lodestep::detail {

/// A density of the training samples x, [inputs, samples]: with phi(x) all monomials up to `degree` in the standardised
/// inputs and G = mean phi phi', the leverage phi' (G + ridge I)^-1 phi of a state tells how far it is from them;
/// divided by the number of monomials, it is the inverse of their Christoffel function and of mean 1 on the samples. It
/// is |L^-1 phi|^2 with L L' = G + ridge I: a polynomial with as many outputs as monomials. A few random projections of
/// those would cost less, but by chance nearly vanish on states far away, and one step learned there undoes what ten
/// thousand others kept.
///
/// The limit is left at 1, to be calibrated.
LODESTEP_TRAIN_EXPORT Density leverage_density(const Eigen::MatrixXd& x, unsigned degree, double ridge);

/// A density that estimates errors: the polynomial of `degree` nearest to `error` / `scale` ([outputs, samples], of
/// samples in and beside the training data), in relative terms where errors are larger than `scale`. It resolves a thin
/// sheet of data where the leverage of as low a degree does not: it vanishes where errors do and nowhere else. |y|^2 is
/// the mean square over outputs.
LODESTEP_TRAIN_EXPORT Density error_density(const Eigen::MatrixXd& x, const Eigen::MatrixXd& error, unsigned degree,
                                            double scale);

/// Number of monomials of degree 0 .. `degree` in `inputs` variables.
LODESTEP_TRAIN_EXPORT std::size_t density_features(std::size_t inputs, unsigned degree);

} // namespace lodestep::detail
