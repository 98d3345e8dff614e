// The README's lines on ensembles, as they stand there, against the same pendulums stepped one by one. Run where the
// trained pendulum.safetensors is.
#include <lodestep/odeint.hpp>
#include <lodestep/odeint/ensemble_corrector.hpp>

#include <Eigen/Core>
#include <boost/numeric/odeint/integrate/integrate_const.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>

namespace {

constexpr std::size_t members = 100;

/// Variable i of member k at u[i n + k].
void pendulums(double, const double* u, double* dudt, std::size_t n) {
  for (std::size_t k = 0; k < n; ++k) {
    const double theta = u[k], r = u[n + k], theta_dot = u[2 * n + k], r_dot = u[3 * n + k];
    dudt[k] = theta_dot;
    dudt[n + k] = r_dot;
    dudt[2 * n + k] = -(9.81 * std::sin(theta) + 2.0 * theta_dot * r_dot) / r;
    dudt[3 * n + k] = r * theta_dot * theta_dot - 40.0 * (r - 10.0) + 9.81 * std::cos(theta);
  }
}

using Member = std::array<double, 4>;

void pendulum(const Member& u, Member& dudt, double t) {
  pendulums(t, u.data(), dudt.data(), 1);
}

/// At rest, as the trajectories of training start.
Member start(std::size_t k) {
  return {0.003 * static_cast<double>(k) + 0.02, 10.0, 0.0, 0.0};
}

} // namespace

int main() try {
  using boost::numeric::odeint::integrate_const;
  const int t = 0;
  const double dt = 0.1;
  Eigen::MatrixXd x(4, members);
  for (std::size_t k = 0; k < members; ++k) {
    const Member u = start(k);
    for (std::size_t i = 0; i < 4; ++i) x(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k)) = u[i];
  }
#include "readme_ensemble.inc"
  const auto counters = stepper.counters();
  double worst = 0.0;
  lodestep::odeint::corrector<boost::numeric::odeint::runge_kutta4<Member>> single("pendulum.safetensors");
  for (std::size_t k = 0; k < members; ++k) {
    Member u = start(k);
    integrate_const(single, pendulum, u, double(t), double(t + 5), dt);
    for (std::size_t i = 0; i < 4; ++i) {
      worst = std::fmax(worst, std::fabs(u[i] - x(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k))));
    }
  }
  const auto learned = counters[lodestep::Verdict::learned];
  std::printf("%zu members, %llu learned steps, largest difference to single runs %g\n", members,
              static_cast<unsigned long long>(learned), worst);
  // The guard may doubt a state now and then.
  return learned >= 45 * members && worst < 1e-11 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
