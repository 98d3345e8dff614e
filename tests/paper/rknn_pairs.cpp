#include <lodestep/evaluate_controlled.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/odeint/tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <memory>
#include <vector>

using namespace lodestep;

// Learned pairs under step-size control (beyond Guo et al. 2021), on held-out tasks.
namespace {

namespace bno = boost::numeric::odeint;
using State = std::array<double, 2>;

/// Evaluations and the logarithm of the largest error, means over tasks, of Odeint's own control of a tableau stepper.
/// The reference is Odeint's Fehlberg 7(8) at a tolerance of 1e-13 in extended precision.
template <class Make>
std::array<double, 2> controlled_by_odeint(const Family& family, double tolerance, const Make& make) {
  constexpr std::uint64_t tasks = 100;
  std::array<double, 2> result{};
  for (std::uint64_t i = 0; i < tasks; ++i) {
    Random random(0, static_cast<std::uint64_t>(Split::test), i); // the tasks of evaluate_controlled
    double parameter = 0.0;
    State u{};
    family.sample(random, 1.0, &parameter, u.data());
    std::size_t evaluations = 0;
    const auto rhs = [&](const State& x, State& dxdt, double) {
      ++evaluations;
      family.rhs(&parameter, x.data(), dxdt.data());
    };
    using Extended = std::array<long double, 2>;
    const auto extended = [&](const Extended& x, Extended& dxdt, long double) {
      family.rhs_extended(&parameter, x.data(), dxdt.data());
    };
    Extended exact{u[0], u[1]};
    auto reference = bno::make_controlled(1e-13L, 1e-13L, bno::runge_kutta_fehlberg78<Extended, long double>());
    double last = 0.0;
    double error = 0.0;
    bno::integrate_adaptive(bno::make_controlled(tolerance, tolerance, make(parameter)), rhs, u, 0.0, 1.0, 0.01,
                            [&](const State& x, double t) {
                              if (t > last) {
                                bno::integrate_adaptive(reference, extended, exact, static_cast<long double>(last),
                                                        static_cast<long double>(t), 0.001L);
                              }
                              last = t;
                              error = std::max(error, std::hypot(x[0] - static_cast<double>(exact[0]),
                                                                 x[1] - static_cast<double>(exact[1])));
                            });
    result[0] += static_cast<double>(evaluations) / tasks;
    result[1] += std::log(error) / tasks;
  }
  return result;
}

} // namespace

// The pair learned for step-size control against Bogacki and Shampine's, both in Odeint's hands: evaluations at equal
// global error, the learned one's by interpolation between its tolerances.
BOOST_AUTO_TEST_CASE(pairs_save_evaluations_at_equal_error) {
  for (const char* name : {"van_der_pol", "brusselator"}) {
    const Family family = make_family(name);
    RknnOptions options;
    options.embedded = true;
    const std::clock_t begin = std::clock(); // processor time: the machine may have other work
    const RknnResult result = train_rknn(family, options);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    BOOST_TEST_MESSAGE(name << ": " << seconds << " s");
    BOOST_TEST(seconds <= 10.0);
    const ControlledEvaluation& ours = result.controlled;
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(ours.correlation >= 0.97);
      const auto model = std::make_shared<const Model>(result.model);
      const auto learned = [&](double) {
        return odeint::tableau_fsal_stepper<State>(std::make_shared<const LearnedTableau>(model));
      };
      const auto classical = [](double) {
        return odeint::tableau_fsal_stepper<State>(classical_tableau("bogacki_shampine"));
      };
      // Finest first: errors grow with the tolerance.
      std::vector<std::array<double, 2>> curve;
      for (int i = 0; i <= 24; ++i) {
        curve.push_back(controlled_by_odeint(family, 1e-7 * std::pow(10.0, i / 5.0), learned));
      }
      for (std::size_t k = 0; k < ours.by_tolerance.size(); ++k) {
        const double tolerance = ours.by_tolerance[k].tolerance;
        const auto theirs = controlled_by_odeint(family, tolerance, classical);
        double most = 0.0; // where the curve meets the error more than once
        for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
          const double part = (theirs[1] - curve[i][1]) / (curve[i + 1][1] - curve[i][1]);
          if (part >= 0.0 && part <= 1.0) {
            most = std::max(most, std::exp((1.0 - part) * std::log(curve[i][0]) + part * std::log(curve[i + 1][0])));
          }
        }
        BOOST_TEST_REQUIRE(most > 0.0);
        const double saving = 1.0 - most / theirs[0];
        BOOST_TEST_MESSAGE(name << ", tolerance " << tolerance << ": error " << std::exp(theirs[1]) << ", evaluations "
                                << theirs[0] << " and " << most << ", saved " << saving << "; by evaluate_controlled "
                                << ours.by_tolerance[k].saving());
        BOOST_TEST(saving >= 0.15);
        BOOST_TEST(ours.by_tolerance[k].saving() >= 0.15);
        // The same tasks and a controller written anew: what differs is where the curves are interpolated.
        BOOST_TEST(std::abs(saving - ours.by_tolerance[k].saving()) < 0.06);
      }
      BOOST_TEST_MESSAGE(name << ": correlation " << ours.correlation << ", Bogacki-Shampine "
                              << ours.classical_correlation);
    }
  }
}
