#include "cli/problem_of.hpp"

#include <lodestep/error.hpp>

#include <cstdio>

namespace lodestep::cli {

Problem problem_of(const Model& model, const std::string& text) {
  if (!text.empty()) return make_problem(text);
  std::string recorded = model.provenance.problem;
  char separator = ':';
  for (const auto& parameter : model.provenance.parameters) {
    char value[32];
    std::snprintf(value, sizeof value, "%.17g", parameter.value); // enough digits to give back the same number
    recorded += separator + parameter.name + "=" + value;
    separator = ',';
  }
  try {
    return make_problem(recorded);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string("the problem this model was trained on cannot be made (") + error.what() +
                          "); name one with --problem");
  }
}

} // namespace lodestep::cli
