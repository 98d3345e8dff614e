#pragma once

#include <lodestep/problem.hpp>

#include <string>

namespace lodestep::cli {

/// The problem a model was trained on, parameters included; or `text`, if it is not empty. Throws InvalidArgument.
Problem problem_of(const Model& model, const std::string& text);

} // namespace lodestep::cli
