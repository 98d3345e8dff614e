#pragma once

#include <lodestep/plugin.h>
#include <lodestep/problem.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Problems from plugins: shared objects, or descriptors that a host program hands over.
namespace lodestep::detail {

/// Whether `text` names a shared object rather than a problem of the registry: it has a '/', or ends in ".so".
bool names_plugin(const std::string& text);

/// Loads the plugin `text`, a path, optionally with parameters, as in "./decay.so:rate=2". Everything it says is
/// checked; a first look at it is taken by a child process, so that one that crashes or hangs is reported like any
/// other fault. Throws InvalidData naming the plugin, InvalidArgument for parameters it does not have.
LODESTEP_TRAIN_EXPORT Problem load_plugin(const std::string& text);

/// The problem that `descriptor` describes, with its default parameters; `origin` stands for it in messages. What it
/// points to must outlive the problem. Throws InvalidData.
LODESTEP_TRAIN_EXPORT Problem problem_from_descriptor(const lodestep_problem& descriptor, const std::string& origin);

} // namespace lodestep::detail
