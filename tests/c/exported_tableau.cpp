// Learned tableaux as C and Fortran, compiled without a warning, against steps by definition.
#include "compiled_source.hpp"

#include <lodestep/learned_tableau.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/source_export.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;
using State = std::array<double, 2>;

namespace {

struct Counters {
  unsigned long learned, step_size, domain;
};
using Rhs = int (*)(double, const double *, double *, void *);

int forced_oscillator(double t, const double *u, double *dudt, void *user) {
  if (user && --*static_cast<int *>(user) < 0) return 5;
  dudt[0] = u[1];
  dudt[1] = std::cos(3.0 * t) - std::sin(u[0]) - 0.1 * u[1];
  return 0;
}

struct Case {
  std::string name;
  bool parameters;
  bool estimate;
  Model model;
};

/// Every shape of generated code: constant or not, with and without an embedded row, first-same-as-last, a box.
std::vector<Case> cases() {
  TableauModel constant;
  constant.tableau = classical_tableau("rk3");
  constant.family = "oscillator";
  constant.family_order = 3;
  constant.classical = "rk3_guo1";
  constant.trained_dt = {0.1, 0.2};
  constant.dt = {0.05, 0.3};

  TableauModel fsal = constant;
  fsal.tableau = classical_tableau("bogacki_shampine");
  fsal.classical = "dormand_prince";
  fsal.controlled_dt = {0.05, 0.3};
  fsal.state = {{-1.0, 1.0}, {-2.0, 2.0}};
  fsal.parameters = {{"damping", {0.0, 0.2}, {-0.1, 0.3}}};

  // Heun's two stages with a second-stage abscissa, and weights, that move with the step size and a parameter.
  TableauModel of_dt = constant;
  of_dt.tableau = classical_tableau("heun");
  of_dt.tableau.order = 1;
  of_dt.tableau.embedded_order = 1;
  of_dt.tableau.b_embedded = {0.75, 0.25};
  of_dt.controlled_dt = {0.05, 0.3};
  of_dt.classical = "cash_karp";
  of_dt.parameters = {{"damping", {0.0, 0.2}, {-0.1, 0.3}}, {"mass", {1.0, 1.0}, {1.0, 1.0}}};
  of_dt.terms = {{{1, 0, 0}, {0.0, 0.0, 0.07, 0.0}, {0.03, -0.03}},
                 {{2, 1, 0}, {0.0, 0.0, -0.011, 0.0}, {-0.017, 0.017}},
                 {{0, 0, 1}, {0.0, 0.0, 5.0, 0.0}, {1.0, -1.0}}}; // an interval of one point: never added
  of_dt.state = {{-1.5, 1.5}, {-2.0, 2.0}};

  TableauModel of_dt_alone = of_dt;
  of_dt_alone.parameters.clear();
  of_dt_alone.terms = {{{1}, {0.0, 0.0, 0.07, 0.0}, {0.03, -0.03}}};
  of_dt_alone.tableau.embedded_order = 0;
  of_dt_alone.tableau.b_embedded.clear();

  const auto model = [](TableauModel method) {
    Model m;
    m.variables = {{"x", "m"}, {"v", "m/s"}};
    m.provenance.problem = "forced oscillator";
    m.method = std::move(method);
    m.validate();
    return m;
  };
  return {{"constant", false, false, model(constant)},
          {"fsal_in_a_box", true, true, model(fsal)},
          {"of_dt_and_parameters", true, true, model(of_dt)},
          {"of_dt_alone", false, false, model(of_dt_alone)}};
}

struct Step {
  State u, error;
  Verdict verdict;
};

/// The step by the library's coefficients, taken by its plain Runge-Kutta step.
Step by_library(const LearnedTableau &learned, double t, const State &u, double dt) {
  Step step{u, {}, learned.admits(dt)};
  if (step.verdict == Verdict::learned) step.verdict = learned.admits_state(u.data());
  const ButcherTableau tableau = step.verdict == Verdict::learned ? learned.at(dt) : learned.classical();
  RungeKutta scheme(tableau, 2);
  scheme.step([](double at, const double *v, double *dvdt) { return forced_oscillator(at, v, dvdt, nullptr); }, t,
              u.data(), dt, step.u.data());
  if (!tableau.b_embedded.empty()) scheme.error_estimate(dt, step.error.data());
  return step;
}

/// Steps from everywhere and of every size; returns the largest difference. `take(t, u, dt, parameters, error)`.
template <class Take> double compare(const Case &c, StepCounters &expected, const Take &take) {
  const auto model = std::make_shared<const Model>(c.model);
  const auto &known = std::get<TableauModel>(c.model.method).parameters;
  double worst = 0.0;
  for (int n = 0; n < 200; ++n) {
    std::vector<double> parameters;
    if (!known.empty()) parameters.push_back(n % 10 == 4 ? 0.5 : 0.01 * (n % 30));
    if (known.size() > 1) parameters.push_back(1.0);
    const LearnedTableau learned(model, parameters);
    const State u{-0.95 + 0.0095 * n + (n % 10 == 5 ? 3.0 : 0.0), 0.7 * std::sin(n)};
    const double t = 0.3 * n, dt = n % 10 == 7 ? -0.1 : n % 10 == 8 ? 0.4 : 0.05 + 0.0012 * n;
    const Step by = by_library(learned, t, u, dt);
    ++expected.steps[static_cast<std::size_t>(by.verdict)];
    State taken = u, error{};
    take(t, taken.data(), dt, parameters.data(), error.data());
    for (std::size_t i = 0; i < 2; ++i) {
      worst = std::max(worst, std::abs(taken[i] - by.u[i]) / std::max(1.0, std::abs(by.u[i])));
      if (c.estimate) worst = std::max(worst, std::abs(error[i] - by.error[i]));
    }
  }
  return worst;
}

void check(const StepCounters &expected, unsigned long learned, unsigned long step_size, unsigned long domain) {
  BOOST_TEST(learned == expected[Verdict::learned]);
  BOOST_TEST(step_size == expected[Verdict::step_size]);
  BOOST_TEST(domain == expected[Verdict::domain]);
  BOOST_TEST(learned > 0u);
  BOOST_TEST(step_size > 0u);
}

} // namespace

BOOST_AUTO_TEST_CASE(exported_c_agrees_with_the_library) {
  const std::string strict =
      " -Wall -Wextra -pedantic -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Werror";
  std::vector<std::string> compilers;
  for (const char *compiler : {"gcc -std=c99 -O2", "gcc -std=c11 -O3 -march=native", "clang -std=c99 -O3"}) {
    if (available(compiler)) compilers.push_back(compiler);
  }
  BOOST_REQUIRE(!compilers.empty());
  Directory directory;
  for (const auto &c : cases()) {
    const CSource source = export_c(c.model, c.name);
    write(directory.path / (c.name + ".h"), source.header);
    write(directory.path / (c.name + ".c"), source.source);
    for (std::size_t i = 0; i < compilers.size(); ++i) {
      const auto object = directory.path / (c.name + std::to_string(i) + ".so");
      const std::string command = compilers[i] + strict + " -fPIC -shared -o '" + object.string() + "' '" +
                                  (directory.path / (c.name + ".c")).string() + "' -lm";
      BOOST_TEST_REQUIRE(run(command, directory.path), command);
      Library library(object);
      const std::string function = c.name + "_step";
      Counters counters{};
      StepCounters expected;
      const double worst =
          compare(c, expected, [&](double t, double *u, double dt, const double *parameters, double *error) {
            using Plain = int (*)(Rhs, void *, double, double *, double, Counters *);
            using Full = int (*)(Rhs, void *, const double *, double, double *, double, double *, Counters *);
            const int result =
                c.parameters ? library.get<Full>(function.c_str())(forced_oscillator, nullptr, parameters, t, u, dt,
                                                                   error, &counters)
                             : library.get<Plain>(function.c_str())(forced_oscillator, nullptr, t, u, dt, &counters);
            BOOST_REQUIRE_EQUAL(result, 0);
          });
      BOOST_TEST(worst <= 1e-14, c.name << " by " << compilers[i] << ": " << worst);
      check(expected, counters.learned, counters.step_size, counters.domain);
    }
  }
}

BOOST_AUTO_TEST_CASE(exported_c_without_parameters_evolves_and_reports_failures) {
  Directory directory;
  const auto list = cases();
  const auto compiled = [&](const Case &c) {
    const CSource source = export_c(c.model, c.name);
    write(directory.path / (c.name + ".h"), source.header);
    write(directory.path / (c.name + ".c"), source.source);
    const auto object = directory.path / (c.name + ".so");
    BOOST_TEST_REQUIRE(run("cc -std=c99 -O2 -fPIC -shared -o '" + object.string() + "' '" +
                               (directory.path / (c.name + ".c")).string() + "' -lm",
                           directory.path));
    return object;
  };
  // Coefficients that need a parameter are not guessed; those that do not are used.
  for (const auto &c : {list[1], list[2]}) {
    Library library(compiled(c));
    using Full = int (*)(Rhs, void *, const double *, double, double *, double, double *, Counters *);
    State u{0.1, 0.2};
    Counters counters{};
    library.get<Full>((c.name + "_step").c_str())(forced_oscillator, nullptr, nullptr, 0.0, u.data(), 0.1, nullptr,
                                                  &counters);
    BOOST_TEST(counters.learned == (c.name == "fsal_in_a_box" ? 1u : 0u));
    BOOST_TEST(counters.step_size == (c.name == "fsal_in_a_box" ? 0u : 1u));
  }

  Library library(compiled(list[0]));
  using Evolve = int (*)(Rhs, void *, double *, double *, double, double, Counters *);
  const auto evolve = library.get<Evolve>("constant_evolve");
  const LearnedTableau learned(std::make_shared<const Model>(list[0].model));
  const State start{0.2, -0.1};
  State u = start, walked = start;
  Counters counters{};
  double t = 0.0;
  BOOST_TEST(evolve(forced_oscillator, nullptr, &t, u.data(), 1.07, 0.1, &counters) == 0);
  BOOST_TEST(t == 1.07);
  BOOST_TEST(counters.learned == 11u); // the last one, 0.07, is within the range of step sizes
  for (int n = 0; n < 10; ++n) walked = by_library(learned, 0.1 * n, walked, 0.1).u;
  walked = by_library(learned, 1.0, walked, 1.07 - 10 * 0.1).u;
  for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(std::abs(u[i] - walked[i]) <= 1e-14);

  int calls = 7; // fails in the third step of three stages
  t = 0.0;
  u = start;
  BOOST_TEST(evolve(forced_oscillator, &calls, &t, u.data(), 1.0, 0.1, nullptr) == 5);
  BOOST_TEST(t == 0.2);
  BOOST_TEST(evolve(forced_oscillator, nullptr, &t, u.data(), 1.0, 0.0, nullptr) == -1);
  BOOST_TEST(evolve(forced_oscillator, nullptr, &t, u.data(), 1.0, std::nan(""), nullptr) == -1);
}

BOOST_AUTO_TEST_CASE(exported_fortran_agrees_with_the_library) {
  if (!available("gfortran", ".f90", "end\n")) {
    BOOST_TEST_MESSAGE("no gfortran: nothing to compile with");
    return;
  }
  Directory directory;
  for (const auto &c : cases()) {
    const std::size_t count = std::get<TableauModel>(c.model.method).parameters.size();
    write(directory.path / (c.name + ".f90"), export_fortran(c.model, c.name));
    write(directory.path / "wrapper.f90",
          "subroutine wrapped_step(t, y, dt, parameters, error, counts) bind(C)\n"
          "  use, intrinsic :: iso_c_binding\n"
          "  use " +
              c.name +
              "\n"
              "  implicit none\n"
              "  real(c_double), intent(in) :: t, dt, parameters(" +
              std::to_string(count) +
              ")\n"
              "  real(c_double), intent(inout) :: y(2), error(2)\n"
              "  integer(c_int), intent(inout) :: counts(3)\n"
              "  type(" +
              c.name +
              "_counters) :: counters\n"
              "  external :: oscillator\n"
              "  call " +
              c.name + "_step(oscillator, t, y, dt, counters" + (c.parameters ? ", parameters" : "") +
              (c.estimate ? ", error" : "") +
              ")\n"
              "  counts = counts + [counters%learned, counters%step_size, counters%domain]\n"
              "end subroutine\n"
              "subroutine oscillator(n, t, y, ydot)\n"
              "  use, intrinsic :: iso_c_binding\n"
              "  implicit none\n"
              "  integer, intent(in) :: n\n"
              "  real(c_double), intent(in) :: t, y(n)\n"
              "  real(c_double), intent(out) :: ydot(n)\n"
              "  ydot(1) = y(2)\n"
              "  ydot(2) = cos(3 * t) - sin(y(1)) - 0.1_c_double * y(2)\n"
              "end subroutine\n");
    const std::string command = "cd '" + directory.path.string() +
                                "' && gfortran -std=f2008 -O2 -Wall -Wextra -pedantic -Werror -fPIC -c " + c.name +
                                ".f90 && gfortran -O2 -fPIC -shared -o " + c.name + ".so wrapper.f90 " + c.name + ".o";
    BOOST_TEST_REQUIRE(run(command, directory.path), c.name);
    Library library(directory.path / (c.name + ".so"));
    using Wrapped = void (*)(const double *, double *, const double *, const double *, double *, int *);
    const auto step = library.get<Wrapped>("wrapped_step");
    int counts[3] = {0, 0, 0};
    StepCounters expected;
    const double worst =
        compare(c, expected, [&](double t, double *u, double dt, const double *parameters, double *error) {
          step(&t, u, &dt, parameters, error, counts);
        });
    BOOST_TEST(worst <= 1e-14, c.name << " by gfortran: " << worst);
    check(expected, static_cast<unsigned long>(counts[0]), static_cast<unsigned long>(counts[1]),
          static_cast<unsigned long>(counts[2]));
  }
}
