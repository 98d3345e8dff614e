// Makes a model, saves it, and steps with it as loaded from its file: Euler's method corrected to be exact for x' = -x.

#include <lodestep/odeint.hpp>

#include <boost/numeric/odeint.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

using state = std::array<double, 1>;
using euler = boost::numeric::odeint::euler<state>;

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : "decay.safetensors";
  const double dt = 0.125;

  lodestep::CorrectorModel corrector;
  corrector.base = "euler";
  corrector.dt = dt;
  corrector.input = lodestep::CorrectorInput::state;
  corrector.approximator = lodestep::ApproximatorSpec::zero(1, 1);
  corrector.approximator.affine.weight = {std::exp(-dt) - 1.0 + dt};
  corrector.domain.state = {{0.0, 1.0}};
  corrector.domain.correction_limit = {1.0};
  lodestep::Model model;
  model.variables = {{"x", ""}};
  model.method = corrector;
  lodestep::save_model(model, path, lodestep::Overwrite::yes);

  lodestep::odeint::corrector<euler> stepper(path);
  state x{1.0};
  const auto decay = [](const state& u, state& dudt, double) { dudt[0] = -u[0]; };
  boost::numeric::odeint::integrate_const(stepper, decay, x, 0.0, 2.0, dt);

  const double error = std::abs(x[0] - std::exp(-2.0));
  std::printf("lodestep %s: %llu learned steps, error %.1e\n", LODESTEP_VERSION_STRING,
              static_cast<unsigned long long>(stepper.counters().learned()), error);
  if (!(error <= 1e-14) || stepper.counters().learned() != 16) return 1;

  // An exception thrown by the library is caught here by its type.
  try {
    lodestep::odeint::corrector<boost::numeric::odeint::runge_kutta4<state>> other(path);
  } catch (const lodestep::InvalidModel& refused) {
    return refused.field() == "base" ? 0 : 1;
  }
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "consumer: %s\n", error.what());
  return 1;
}
