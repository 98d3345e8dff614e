#include "report/core_contender.hpp"

#include "report/roll_out.hpp"

#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lodestep::report {

bool corrected_in_odeint(const std::string& base) {
  return base == "euler" || base == "heun" || base == "rk3" || base == "rk4";
}

Contender core_contender(const std::shared_ptr<const Corrector>& corrector, const Problem& problem) {
  const auto stepper = std::make_shared<CorrectedRungeKutta>(corrector);
  set_parameters(*stepper, *corrector, problem);
  const auto run = [stepper, corrector, &problem](double dt, const double* u0, std::size_t times, double output_dt,
                                                  double* states) {
    const std::size_t d = corrector->dimension();
    const std::size_t before = stepper->rhs_evaluations();
    std::vector<double> u(u0, u0 + d);
    std::copy(u.begin(), u.end(), states);
    // Outputs are some steps apart, or some lie within each step.
    const auto steps = static_cast<std::size_t>(std::lround(output_dt / dt));
    const std::size_t within = corrector->dense_points();
    std::vector<double> dense(within * d);
    for (std::size_t k = 1; k < times;) {
      const double from = static_cast<double>(k - 1) * output_dt;
      if (steps >= 1) {
        for (std::size_t i = 0; i < steps; ++i) {
          stepper->step(problem.rhs, from + static_cast<double>(i) * dt, u.data(), dt);
        }
        std::copy(u.begin(), u.end(), states + k++ * d);
        continue;
      }
      stepper->attempt(problem.rhs, from, u.data(), dt);
      if (!stepper->dense_states(u.data(), dense.data())) { // the fallback steps from output to output
        stepper->step(problem.rhs, from, u.data(), output_dt);
        std::copy(u.begin(), u.end(), states + k++ * d);
        continue;
      }
      const double spacing = dt / static_cast<double>(within + 1);
      const auto every = static_cast<std::size_t>(std::lround(output_dt / spacing));
      for (std::size_t j = every; j <= within && k < times; j += every) {
        std::copy_n(dense.data() + (j - 1) * d, d, states + k++ * d);
      }
      stepper->accept(u.data());
      if (k < times) std::copy(u.begin(), u.end(), states + k++ * d);
    }
    return stepper->rhs_evaluations() - before;
  };
  return {"", Family::learned, Setting::dt, run};
}

} // namespace lodestep::report
