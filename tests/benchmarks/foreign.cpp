// What a step costs from C: through the C library against the core it calls, and as an exported C file against the C
// library, on the elastic pendulum with 64 tanh units. Prints the ratios of times; fails above 1.05 and 1.2.

#include "pendulum_models.hpp"
#include "report/processor_clock.hpp"

#include <lodestep/runge_kutta.hpp>
#include <lodestep/source_export.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <lodestep.h>
#include <memory>
#include <string>

using namespace lodestep;

namespace {

using State = std::array<double, 4>;
using Rhs = int (*)(double, const double*, double*, void*);
using ExportedStep = int (*)(Rhs, void*, double, double*, double, void*);

/// The same function for all three: none may see through it.
int pendulum(double, const double* u, double* dudt, void*) {
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
  return 0;
}

constexpr double dt = 0.1;
double last_state = 0.0; // keeps the work from being optimised away

/// Seconds a step. Every run starts anew, where all steps are learned.
template <class Step> double time_of(const Step& step) {
  constexpr int runs = 50, steps = 100;
  const auto start = report::ProcessorClock::now();
  for (int run = 0; run < runs; ++run) {
    State u{0.2, 10.2, 0.0, 0.3};
    for (int n = 0; n < steps; ++n) step(dt * n, u.data());
    last_state += u[0];
  }
  const std::chrono::duration<double> elapsed = report::ProcessorClock::now() - start;
  return elapsed.count() / (runs * steps);
}

/// The model as a C file, compiled for this machine. Null without a compiler.
ExportedStep exported(const Model& model, const std::filesystem::path& folder) {
  const CSource source = export_c(model, "pendulum");
  std::ofstream(folder / "pendulum.h") << source.header;
  std::ofstream(folder / "pendulum.c") << source.source;
  const std::string stem = (folder / "pendulum").string();
  const std::string command = "gcc -O3 -march=native -fPIC -shared -o '" + stem + ".so' '" + stem + ".c' -lm";
  if (std::system(command.c_str()) != 0) return nullptr;
  void* library = ::dlopen((stem + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  return library ? reinterpret_cast<ExportedStep>(::dlsym(library, "pendulum_step")) : nullptr;
}

} // namespace

int main() {
  const Model model = test::pendulum_model();
  CorrectedRungeKutta core(std::make_shared<const Corrector>(std::make_shared<const Model>(model)));
  Rhs volatile opaque = pendulum; // called through a pointer, as a C library must
  const Rhs rhs = opaque;

  const auto bytes = serialize_model(model);
  lodestep_model* handle = nullptr;
  lodestep_stepper* stepper = nullptr;
  if (lodestep_model_load_memory(bytes.data(), bytes.size(), "benchmark", &handle) != LODESTEP_SUCCESS ||
      lodestep_stepper_create(handle, rhs, nullptr, &stepper) != LODESTEP_SUCCESS) {
    std::fprintf(stderr, "%s\n", lodestep_last_error());
    return 1;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "lodestep-foreign-XXXXXX").string();
  if (!::mkdtemp(folder.data())) return 1;
  const ExportedStep step = exported(model, folder);

  const auto by_core = [&](double t, double* u) {
    core.step([&](double at, const double* v, double* dvdt) { return rhs(at, v, dvdt, nullptr); }, t, u, dt);
  };
  const auto by_library = [&](double t, double* u) { lodestep_step(stepper, t, u, dt); };
  const auto by_file = [&](double t, double* u) { step(rhs, nullptr, t, u, dt, nullptr); };
  constexpr double library_bar = 1.05, file_bar = 1.2;
  const double none = std::numeric_limits<double>::infinity();
  double core_time = none, library_time = none, file_time = none;
  bool within = false;
  // Interleaved, and the least of each: what another process takes only ever adds. More rounds on a busy machine.
  for (int round = 0; round < 10 && !within; ++round) {
    for (int repetition = 0; repetition < 50; ++repetition) {
      core_time = std::min(core_time, time_of(by_core));
      library_time = std::min(library_time, time_of(by_library));
      if (step) file_time = std::min(file_time, time_of(by_file));
    }
    within = library_time <= library_bar * core_time && (!step || file_time <= file_bar * library_time);
  }
  std::printf("core %.1f ns, C library %.1f ns: ratio %.3f (bar %.2f)\n", core_time * 1e9, library_time * 1e9,
              library_time / core_time, library_bar);
  if (step) {
    std::printf("exported C file %.1f ns: ratio to the C library %.3f (bar %.2f)\n", file_time * 1e9,
                file_time / library_time, file_bar);
  } else {
    std::printf("no gcc: the exported C file is not measured\n");
  }
  lodestep_counters counters;
  lodestep_get_counters(stepper, &counters);
  lodestep_stepper_free(stepper);
  lodestep_model_free(handle);
  std::filesystem::remove_all(folder);
  if (core.counters().fallen_back() != 0 || !std::isfinite(last_state)) return 1;
  return within ? 0 : 1;
}
