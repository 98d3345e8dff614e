#pragma once

#include <lodestep/problem.hpp>

#include <CLI/App.hpp>

#include <string>

namespace lodestep::cli {

/// --initial, a word for choose_initial.
void add_initial(CLI::App& verb, std::string& initial);

/// Makes the problem draw its initial states from a named distribution, or from a file of trajectories (a name that
/// ends in .h5 or .hdf5): then each is the first state of one of its trajectories, drawn with replacement. An empty
/// name changes nothing. Throws InvalidArgument, InvalidData, IoError.
void choose_initial(Problem& problem, const std::string& initial);

/// The problem `text` or, if that is empty, the one the model was trained on; with the initial states `initial` or, if
/// that is empty, those it was trained on, if the problem has them, over the horizon it was trained for. Throws
/// InvalidArgument.
Problem problem_of(const Model& model, const std::string& text, const std::string& initial);

} // namespace lodestep::cli
