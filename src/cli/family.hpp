#pragma once

#include <lodestep/evaluate_controlled.hpp>
#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>

#include <nlohmann/json.hpp>

#include <string>

namespace lodestep::cli {

/// The value of a flag that is a range of step sizes, "0.01:0.1". Throws InvalidArgument naming the flag.
Interval range_of(const std::string& text, const char* flag);
/// The value of --parameter, "k=30:50". Throws InvalidArgument.
ParameterRange parameter_range(const std::string& text);

/// `evaluate FILE --family FAMILY`: measures a tableau, from a model file or as JSON, on a family of problems.
struct EvaluateFamilyArguments {
  std::string file;
  std::string family;
  std::string dt;        ///< empty: the trained steps
  double horizon = 0;    ///< 0: the family's
  std::size_t tasks = 0; ///< 0: the default
  std::uint64_t seed = 0;
  bool json = false;
};
int evaluate_on_family(const EvaluateFamilyArguments& arguments);

/// What a pair saves under step-size control, beside the classical pair of that name.
nlohmann::ordered_json to_json(const ControlledEvaluation& evaluation);
void print(const ControlledEvaluation& evaluation, const std::string& classical);

} // namespace lodestep::cli
