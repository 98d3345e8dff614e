// Compiles exported sources by every compiler there is, without a warning, and compares their steps with the library's.
#include "compiled_source.hpp"
#include "pendulum_models.hpp"

#include <lodestep/error.hpp>
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
using State = std::array<double, 4>;

namespace {

struct Counters {
  unsigned long learned, step_size, domain, correction;
};
using Rhs = int (*)(double, const double *, double *, void *);
using Step = int (*)(Rhs, void *, double, double *, double, Counters *);
using Evolve = int (*)(Rhs, void *, double *, double *, double, Counters *);

int pendulum(double, const double *u, double *dudt, void *user) {
  if (user && --*static_cast<int *>(user) < 0) return 7;
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
  return 0;
}

struct Case {
  std::string name;
  test::PendulumOptions options;
};

std::vector<Case> cases() {
  std::vector<Case> list;
  const auto add = [&](std::string name, auto &&change) {
    Case c{std::move(name), {}};
    change(c.options);
    list.push_back(std::move(c));
  };
  add("tanh_64", [](auto &) {});
  add("tanh_13_9_stages", [](auto &o) { o.hidden = {13, 9}, o.input = CorrectorInput::stages; });
  add("silu_state", [](auto &o) { o.activation = Activation::silu, o.input = CorrectorInput::state, o.hidden = {30}; });
  add("relu_rk3", [](auto &o) { o.activation = Activation::relu, o.base = "rk3", o.hidden = {24}; });
  add("rational_heun", [](auto &o) { o.activation = Activation::rational, o.base = "heun"; });
  add("affine_euler", [](auto &o) { o.hidden = {}, o.base = "euler", o.fallback_substeps = 1000; });
  add("polynomial_3", [](auto &o) { o.degree = 3; });
  add("polynomial_9", [](auto &o) { o.degree = 9; }); // by tables
  add("polynomial_2_stages", [](auto &o) { o.degree = 2, o.input = CorrectorInput::stages; });
  add("a_name_of_the_greatest_length_allowed_xx", [](auto &o) { o.hidden = {8}; });
  add("f32_tanh", [](auto &o) { o.precision = Precision::f32; });
  add("density", [](auto &o) { o.density = true; });
  add("limited", [](auto &o) { o.correction_limit = 1e-3; }); // some corrections are too large
  return list;
}

State absolute_difference(const State &a, const State &b) {
  State d;
  for (std::size_t i = 0; i < 4; ++i) d[i] = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
  return d;
}

double largest(const State &a) {
  return *std::max_element(a.begin(), a.end());
}

/// Steps of the library and of exported code from states inside and outside of the domain, and with other steps.
/// Returns the largest difference, relative to the larger of 1 and the state.
template <class TakeStep> double compare(const Model &model, TakeStep &&take_step, StepCounters &counters) {
  CorrectedRungeKutta core(std::make_shared<const Corrector>(std::make_shared<const Model>(model)));
  const auto rhs = [](double t, const double *u, double *dudt) { return pendulum(t, u, dudt, nullptr); };
  test::SmallRandom random(11);
  double worst = 0.0;
  for (int n = 0; n < 300; ++n) {
    State u;
    test::pendulum_state(random, u.data());
    if (n % 10 == 3) u[n / 10 % 4] += 4.0;
    const double dt = n % 10 == 7 ? -0.05 : n % 10 == 8 ? 0.23 : 0.1;
    State expected = u;
    BOOST_REQUIRE_EQUAL(core.step(rhs, 0.0, expected.data(), dt), 0);
    take_step(u, dt);
    worst = std::max(worst, largest(absolute_difference(u, expected)));
  }
  counters = core.counters();
  return worst;
}

double tolerance(const test::PendulumOptions &options) {
  // An f32 network is evaluated in double by exported code: it agrees to f32's rounding of corrections near 1e-3.
  return options.precision == Precision::f32 ? 1e-8 : 1e-14;
}

} // namespace

BOOST_AUTO_TEST_CASE(exported_c_compiles_without_a_warning_and_agrees_with_the_library) {
  const std::string strict =
      " -Wall -Wextra -pedantic -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Werror";
  const std::vector<std::string> all{"gcc -std=c99 -O2", "gcc -std=c11 -O3 -march=native", "clang -std=c99 -O3",
                                     "gcc -std=c99 -O2 -mfpmath=387"};
  std::vector<std::string> compilers;
  for (const auto &compiler : all) {
    if (available(compiler)) compilers.push_back(compiler);
  }
  BOOST_REQUIRE(!compilers.empty());
  Directory directory;
  const auto model_cases = cases();
  for (std::size_t c = 0; c < model_cases.size(); ++c) {
    const auto &[name, options] = model_cases[c];
    const Model model = test::pendulum_model(options);
    const CSource source = export_c(model, name);
    write(directory.path / (name + ".h"), source.header);
    write(directory.path / (name + ".c"), source.source);
    for (std::size_t i = 0; i < compilers.size(); ++i) {
      if (i > 1 && c > 2) continue; // the last compilers see a few models of every shape of code
      const auto object = directory.path / (name + std::to_string(i) + ".so");
      const std::string command = compilers[i] + strict + " -fPIC -shared -o '" + object.string() + "' '" +
                                  (directory.path / (name + ".c")).string() + "' -lm";
      BOOST_TEST_REQUIRE(run(command, directory.path), command);
      Library library(object);
      const auto step = library.get<Step>((name + "_step").c_str());
      Counters counters{};
      StepCounters expected;
      const double worst = compare(
          model,
          [&](State &u, double dt) { BOOST_REQUIRE_EQUAL(step(pendulum, nullptr, 0.0, u.data(), dt, &counters), 0); },
          expected);
      BOOST_TEST_MESSAGE(name << " by " << compilers[i] << ": largest difference " << worst);
      BOOST_TEST(worst <= tolerance(options), name << " by " << compilers[i] << ": " << worst);
      BOOST_TEST(counters.learned == expected[Verdict::learned]);
      BOOST_TEST(counters.step_size == expected[Verdict::step_size]);
      BOOST_TEST(counters.domain == expected[Verdict::domain]);
      BOOST_TEST(counters.correction == expected[Verdict::correction]);
      BOOST_TEST(counters.learned > 0u);
      BOOST_TEST(counters.domain > 0u);
      BOOST_TEST(counters.step_size > 0u);
      if (name == "limited") BOOST_TEST(counters.correction > 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(exported_c_evolves_and_reports_failures) {
  Directory directory;
  const Model model = test::pendulum_model();
  const CSource source = export_c(model, "pendulum");
  write(directory.path / "pendulum.h", source.header);
  write(directory.path / "pendulum.c", source.source);
  const auto object = directory.path / "pendulum.so";
  BOOST_TEST_REQUIRE(run("cc -std=c99 -O2 -fPIC -shared -o '" + object.string() + "' '" +
                             (directory.path / "pendulum.c").string() + "' -lm",
                         directory.path));
  Library library(object);
  const auto step = library.get<Step>("pendulum_step");
  const auto evolve = library.get<Evolve>("pendulum_evolve");
  const State start{0.2, 10.2, 0.0, 0.3};
  State u = start, walked = start;
  Counters counters{};
  double t = 0.0;
  BOOST_TEST(evolve(pendulum, nullptr, &t, u.data(), 1.05, &counters) == 0);
  BOOST_TEST(t == 1.05);
  BOOST_TEST(counters.learned == 10u);
  BOOST_TEST(counters.step_size == 1u);
  for (int n = 0; n < 10; ++n) step(pendulum, nullptr, 0.1 * n, walked.data(), 0.1, nullptr);
  step(pendulum, nullptr, 1.0, walked.data(), 1.05 - 10 * 0.1, nullptr);
  BOOST_TEST((u == walked));
  BOOST_TEST(evolve(pendulum, nullptr, &t, u.data(), 2.05, nullptr) == 0);
  BOOST_TEST(t == 2.05);
  BOOST_TEST(evolve(pendulum, nullptr, &t, u.data(), std::nan(""), nullptr) == -1);
  BOOST_TEST(evolve(pendulum, nullptr, &t, u.data(), 1e300, nullptr) == -1);

  int calls = 10; // fails in the third step
  t = 0.0;
  u = start;
  BOOST_TEST(evolve(pendulum, &calls, &t, u.data(), 1.0, nullptr) == 7);
  BOOST_TEST(t == 0.2);
  walked = start;
  for (int n = 0; n < 2; ++n) step(pendulum, nullptr, 0.1 * n, walked.data(), 0.1, nullptr);
  BOOST_TEST((u == walked));
}

BOOST_AUTO_TEST_CASE(exported_fortran_compiles_without_a_warning_and_agrees_with_the_library) {
  const std::string compiler = "gfortran -std=f2008 -O2 -Wall -Wextra -pedantic -Werror";
  if (!available("gfortran", ".f90", "end\n")) {
    BOOST_TEST_MESSAGE("no gfortran: nothing to compile with");
    return;
  }
  // A C callable step around the module's.
  const auto wrapper = [](const std::string &name) {
    return "subroutine wrapped_step(y, dt, counts) bind(C)\n"
           "  use, intrinsic :: iso_c_binding\n"
           "  use " +
           name +
           "\n"
           "  implicit none\n"
           "  real(c_double), intent(inout) :: y(4)\n"
           "  real(c_double), intent(in) :: dt\n"
           "  integer(c_int), intent(inout) :: counts(4)\n"
           "  type(" +
           name +
           "_counters) :: counters\n"
           "  external :: pendulum_rhs\n"
           "  call " +
           name +
           "_step(pendulum_rhs, 0.0_c_double, y, dt, counters)\n"
           "  counts = counts + [counters%learned, counters%step_size, counters%domain, counters%correction]\n"
           "end subroutine\n"
           "subroutine pendulum_rhs(n, t, y, ydot)\n"
           "  use, intrinsic :: iso_c_binding\n"
           "  implicit none\n"
           "  integer, intent(in) :: n\n"
           "  real(c_double), intent(in) :: t, y(n)\n"
           "  real(c_double), intent(out) :: ydot(n)\n"
           "  ydot(1:2) = y(3:4) + 0 * t\n"
           "  ydot(3) = -(9.81_c_double * sin(y(1)) + 2 * y(3) * y(4)) / y(2)\n"
           "  ydot(4) = y(2) * y(3) * y(3) - 40 * (y(2) - 10) + 9.81_c_double * cos(y(1))\n"
           "end subroutine\n";
  };
  using WrappedStep = void (*)(double *, const double *, int *);
  Directory directory;
  for (const auto &[name, options] : cases()) {
    const Model model = test::pendulum_model(options);
    const auto source = directory.path / (name + ".f90");
    write(source, export_fortran(model, name));
    write(directory.path / "wrapper.f90", wrapper(name));
    const auto object = directory.path / (name + ".so");
    const std::string quoted = "'" + directory.path.string() + "'";
    BOOST_TEST_REQUIRE(run("cd " + quoted + " && " + compiler + " -fPIC -c " + name +
                               ".f90 && gfortran -O2 -fPIC -shared -o " + name + ".so wrapper.f90 " + name + ".o",
                           directory.path),
                       name);
    Library library(object);
    const auto step = library.get<WrappedStep>("wrapped_step");
    int counts[4] = {0, 0, 0, 0};
    StepCounters expected;
    const double worst = compare(
        model, [&](State &u, double dt) { step(u.data(), &dt, counts); }, expected);
    BOOST_TEST_MESSAGE(name << " by gfortran: largest difference " << worst);
    BOOST_TEST(worst <= tolerance(options), name << " by gfortran: " << worst);
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(static_cast<std::uint64_t>(counts[i]) == expected.steps[i]);
  }
}

BOOST_AUTO_TEST_CASE(names_and_descriptions_cannot_break_the_code) {
  const Model model = test::pendulum_model();
  BOOST_CHECK_THROW(export_c(model, ""), InvalidArgument);
  BOOST_CHECK_THROW(export_c(model, "4x"), InvalidArgument);
  BOOST_CHECK_THROW(export_c(model, "a-b"), InvalidArgument);
  BOOST_CHECK_THROW(export_c(model, std::string(41, 'a')), InvalidArgument);
  BOOST_CHECK_THROW(export_fortran(model, "x y"), InvalidArgument);
  // Names in Fortran are global: the module's own cannot be that of something in it.
  BOOST_CHECK_THROW(export_fortran(model, "Layer"), InvalidArgument);
  BOOST_CHECK_THROW(export_fortran(model, "y"), InvalidArgument);
  BOOST_TEST(source_name("2-link Pendulum") == "stepper_2_link_pendulum");
  BOOST_TEST(source_name("k_link_pendulum") == "k_link_pendulum");

  Model hostile = model;
  hostile.provenance.problem = "*/ int main(void) { return 1; } /*\n#error no\n?\?/";
  hostile.variables[1] = {"r */", "\n"};
  const CSource source = export_c(hostile, "hostile");
  BOOST_TEST(source.source.find("*/ int") == std::string::npos);
  BOOST_TEST(source.header.find("\n#error") == std::string::npos);
  BOOST_TEST(export_fortran(hostile, "hostile").find("\n#error") == std::string::npos);

  Model broken = model;
  std::get<CorrectorModel>(broken.method).dt = -1.0;
  BOOST_CHECK_THROW(export_c(broken, "broken"), InvalidModel);
}
