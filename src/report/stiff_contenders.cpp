#include "report/stiff_contenders.hpp"

#include <boost/numeric/odeint/stepper/controlled_step_result.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4_controller.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4_dense_output.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <utility>

namespace lodestep::report {

namespace {

namespace boost_odeint = boost::numeric::odeint;

/// Thrown out of a stepper that takes far more evaluations than any sensible setting would.
struct Exhausted : std::exception {};

using Rosenbrock = boost_odeint::rosenbrock4<double>;
using State = Rosenbrock::state_type;
using Matrix = Rosenbrock::matrix_type;

/// The right-hand side on ublas vectors, and its Jacobian.
class ImplicitSystem {
public:
  ImplicitSystem(const Problem& problem, std::size_t limit)
      : problem_(&problem), limit_(limit), at_(problem.dimension()), slope_(problem.dimension()) {}

  std::size_t evaluations = 0;

  void rhs(const State& u, State& dudt, double t) { evaluate(&u[0], &dudt[0], t); }
  void jacobian(const State& u, Matrix& matrix, double t, State& dfdt) {
    const std::size_t d = u.size();
    std::copy_n(&u[0], d, at_.data());
    evaluate(at_.data(), slope_.data(), t);
    State moved(d);
    for (std::size_t j = 0; j < d; ++j) {
      const double whole = at_[j];
      const double step = root_epsilon * std::max(std::abs(whole), 1e-3);
      at_[j] = whole + step;
      evaluate(at_.data(), &moved[0], t);
      for (std::size_t i = 0; i < d; ++i) matrix(i, j) = (moved[i] - slope_[i]) / (at_[j] - whole);
      at_[j] = whole;
    }
    std::fill_n(&dfdt[0], d, 0.0); // autonomous: only such are learned as flow maps
  }

private:
  static constexpr double root_epsilon = 1.5e-8;

  void evaluate(const double* u, double* dudt, double t) {
    if (++evaluations > limit_) throw Exhausted();
    problem_->rhs(t, u, dudt);
  }

  const Problem* problem_;
  std::size_t limit_;
  std::vector<double> at_;
  std::vector<double> slope_;
};

std::size_t rosenbrock(const Problem& problem, double tolerance, const double* u0, std::size_t times, double output_dt,
                       double* states) {
  const std::size_t d = problem.dimension();
  ImplicitSystem implicit(problem, 10000 * times);
  auto system =
      std::make_pair([&](const State& u, State& dudt, double t) { implicit.rhs(u, dudt, t); },
                     [&](const State& u, Matrix& j, double t, State& dfdt) { implicit.jacobian(u, j, t, dfdt); });
  std::copy_n(u0, d, states);
  State u(d);
  std::copy_n(u0, d, &u[0]);
  const auto give_up = [&](std::size_t from) {
    std::fill_n(states + from * d, (times - from) * d, std::numeric_limits<double>::quiet_NaN());
  };
  std::size_t k = 1;
  try {
    boost_odeint::rosenbrock4_dense_output<boost_odeint::rosenbrock4_controller<Rosenbrock>> stepper(
        boost_odeint::rosenbrock4_controller<Rosenbrock>(tolerance, tolerance));
    stepper.initialize(u, 0.0, 1e-3 * output_dt);
    for (; k < times; ++k) {
      const double target = static_cast<double>(k) * output_dt;
      while (stepper.current_time() < target) stepper.do_step(std::ref(system));
      stepper.calc_state(target, u);
      std::copy_n(&u[0], d, states + k * d);
    }
  } catch (const Exhausted&) {
    give_up(k);
  } catch (const boost_odeint::odeint_error&) { // Odeint's own "no progress"
    give_up(k);
  }
  return implicit.evaluations;
}

constexpr std::uint64_t sampled_states = 8;
constexpr double stiff_from = 20.0;
constexpr std::size_t largest_dense = 64;

} // namespace

bool is_stiff(const Problem& problem) {
  const std::size_t d = problem.dimension();
  if (d > largest_dense) return false;
  State u(d), dfdt(d);
  Matrix matrix(d, d);
  double largest = 0.0;
  for (std::uint64_t n = 0; n < sampled_states; ++n) {
    Random random(0, static_cast<std::uint64_t>(Split::validation), n);
    problem.sample(random, &u[0]);
    ImplicitSystem(problem, std::numeric_limits<std::size_t>::max()).jacobian(u, matrix, 0.0, dfdt);
    for (std::size_t i = 0; i < d; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < d; ++j) sum += std::abs(matrix(i, j));
      largest = std::max(largest, sum);
    }
  }
  return largest * problem.dt > stiff_from;
}

std::vector<Contender> stiff_contenders(const Problem& problem) {
  return {{"rosenbrock4 dense", Family::classical, Setting::tolerance,
           [&problem](double tolerance, const double* u0, std::size_t times, double output_dt, double* states) {
             return rosenbrock(problem, tolerance, u0, times, output_dt, states);
           }}};
}

} // namespace lodestep::report
