#pragma once

#include "train/controlled_run.hpp"

#include <lodestep/model.hpp>

#include <memory>

namespace lodestep::detail {

/// What a stepper with step-size control takes on a task: the model's coefficients where it may be used, its classical
/// tableau's elsewhere. The model is a tableau with an embedded row.
PairChoice controlled_pair(const std::shared_ptr<const Model>& model, const RknnTask& task);

} // namespace lodestep::detail
