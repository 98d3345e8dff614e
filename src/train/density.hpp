#pragma once

#include <lodestep/corrector_model.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstdint>

namespace lodestep::detail {

/// A density of the training samples x, [inputs, samples]: with phi(x) all monomials up to some degree in the
/// standardised inputs and G = mean phi phi', the leverage phi' (G + ridge I)^-1 phi of a state tells how far it is
/// from them; divided by the number of monomials, it is the inverse of their Christoffel function and of mean 1 on the
/// samples. It is |L^-1 phi|^2 with L L' = G + ridge I: a polynomial with as many outputs as monomials. Four random
/// projections of those would cost half as much, but by chance nearly vanish on states far away, and one step learned
/// there undoes what ten thousand others kept.
///
/// The degree is as high as few monomials allow. The limit is left at 1, to be calibrated.
LODESTEP_TRAIN_EXPORT Density fit_density(const Eigen::MatrixXd& x, double ridge);

} // namespace lodestep::detail
