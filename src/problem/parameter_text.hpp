#pragma once

#include <lodestep/problem.hpp>

#include <string>
#include <vector>

namespace lodestep::detail {

/// The parameters of "a=1,b=2". `where` names the problem in messages. Throws InvalidArgument.
LODESTEP_TRAIN_EXPORT std::vector<Parameter> parse_parameters(const std::string& text, const std::string& where);

/// Replaces the defaults of `problem` by what was given. Throws InvalidArgument for an unknown or repeated name.
void set_parameters(Problem& problem, const std::vector<Parameter>& given);

} // namespace lodestep::detail
