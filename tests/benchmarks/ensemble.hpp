#pragma once

namespace lodestep::benchmarks {

/// Benchmarks "ensemble/..." and "single/...": one step of 4096 elastic pendulums, together and one by one.
void register_ensembles();

} // namespace lodestep::benchmarks
