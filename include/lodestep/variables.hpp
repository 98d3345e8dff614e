#pragma once

#include <string>

/// The words in which models and problems speak of states.
namespace lodestep {

struct Variable {
  std::string name;
  std::string unit; ///< "" for a dimensionless variable
};

struct Parameter {
  std::string name;
  double value;
};

struct Interval {
  double lower;
  double upper;
};

} // namespace lodestep
