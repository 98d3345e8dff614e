#pragma once

#include "train/pair_fit.hpp"
#include "train/rknn_search.hpp"

#include <lodestep/family.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Methods with an embedded row, learned for step-size control.
namespace lodestep::detail {

struct RknnPair {
  RknnCoefficients method;
  std::vector<double> estimate; ///< [stages + 1]: b - b_embedded, the last for f(t + dt, u')
};

/// Fits a method and its error estimate together, on the steps that step-size control makes them take at tolerances of
/// 1e-7 to 4e-3: again and again a pair takes its steps, and is fitted on them. It starts from the classical tableau if
/// that has as many stages, else from the best of search_coefficients; of the pairs on the way that is kept which saves
/// most evaluations at equal error, where it saves least, among those whose estimate follows the error.
/// A method that is `kept`, if not null, gains only the estimate that correlates best with its error.
/// The estimate is scaled so that a tolerance means what it means to the classical pair: at equal tolerances the errors
/// over the horizon are equal in geometric mean.
RknnPair search_pair(const Family& family, const ButcherTableau& classical, const RknnOptions& options,
                     const std::vector<double>& horizons, const RknnCoefficients* kept);

/// With tableau and terms of a method without embedded row: FSAL's stage is added, and the embedded row.
void add_embedded_row(TableauModel& method, const std::vector<double>& estimate);

/// The range of step sizes that the model may take under step-size control. The model is run over validation tasks at
/// tolerances of 1e-3 to 1e-6, and its step sizes are those at which its local error, from where the runs take such
/// steps, is no larger than the classical tableau's would be, in geometric mean and in root mean square.
/// `model` is a tableau with an embedded row; its controlled_dt is written.
void measure_controlled_validity(const Family& family, std::uint64_t seed, Model& model);

} // namespace lodestep::detail
