#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace lodestep::test {

/// Reads a network by `read`: it is refused with a field, or is sound and can be evaluated.
template <class Read> void try_network(const Read& read) {
  ApproximatorSpec spec;
  try {
    spec = read();
  } catch (const InvalidModel& error) {
    if (error.field().empty()) std::abort();
    return;
  }
  spec.validate();
  if (spec.parameters() > (1u << 16)) return; // packing it again and again would be all that is tested
  const Approximator approximator(spec);
  Workspace workspace;
  const std::vector<double> x(spec.inputs, 0.5);
  std::vector<double> y(spec.outputs);
  approximator.evaluate(x.data(), y.data(), 1, workspace);
}

} // namespace lodestep::test
