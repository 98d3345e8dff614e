#pragma once

#include <lodestep/corrector_model.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstdint>

namespace lodestep::detail {

/// A density of the training samples x, [inputs, samples]: with phi(x) all monomials up to some degree in the
/// standardised inputs and G = mean phi phi', the leverage phi' (G + ridge I)^-1 phi of a state tells how far it is
/// from them; divided by the number of monomials, it is the inverse of their Christoffel function and of mean 1 on the
/// samples. It is estimated as |P (G + ridge I)^-1/2 phi|^2 by four random projections P, so that it costs a polynomial
/// with four outputs instead of a quadratic form.
///
/// The degree is as high as few monomials allow. The limit is left at 1, to be calibrated. `seed` draws P.
LODESTEP_TRAIN_EXPORT Density fit_density(const Eigen::MatrixXd& x, double ridge, std::uint64_t seed);

} // namespace lodestep::detail
