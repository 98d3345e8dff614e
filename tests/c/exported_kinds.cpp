// Exported sources of the later kinds of correctors and of hierarchies: compiled by every compiler there is, without a
// warning, and compared with the C library, step by step.
#include "c_handles.hpp"
#include "compiled_source.hpp"
#include "flow_maps.hpp"
#include "pendulum_models.hpp"

#include <lodestep/source_export.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;

namespace {

int pendulum(double, const double *u, double *dudt, void *) {
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
  return 0;
}
int oscillator(double, const double *u, double *dudt, void *) {
  dudt[0] = u[1];
  dudt[1] = -u[0];
  return 0;
}

struct Case {
  std::string name;
  Model model;
  std::size_t dimension;
  lodestep_rhs rhs;
  std::string fortran_rhs; ///< its statements
  std::vector<std::string> parameters;
  bool error = false;
  std::size_t states = 0; ///< of a step

  double dt() const { return dimension == 4 ? 0.1 : 0.8; }
  std::vector<double> start(SmallRandom &random) const {
    std::vector<double> u(dimension);
    if (dimension == 4) {
      pendulum_state(random, u.data());
    } else {
      for (double &x : u) x = random.uniform(-9.0, 9.0);
    }
    return u;
  }
};

Case corrector(const std::string &name, const PendulumOptions &options) {
  return {name,
          pendulum_model(options),
          4,
          pendulum,
          "  ydot(1:2) = y(3:4) + 0 * t\n"
          "  ydot(3) = -(9.81_c_double * sin(y(1)) + 2 * y(3) * y(4)) / y(2)\n"
          "  ydot(4) = y(2) * y(3) * y(3) - 40 * (y(2) - 10) + 9.81_c_double * cos(y(1))\n",
          options.parameters,
          options.estimate,
          options.dense_points > 0 ? options.dense_points + 1 : 0};
}

Case hierarchy(const std::string &name, const std::string &base) {
  Model model = oscillator_hierarchy({0.1, 0.8}, 0.1, 1e-4);
  FlowMapModel &map = std::get<HierarchyModel>(model.method).maps.back();
  if (!base.empty()) {
    map.base = base;
    map.substeps = 2;
    for (double &w : map.approximator.affine.weight) w *= 1e-3;
  }
  map.state.assign(2, {-8.0, 8.0}); // some states are outside, and some steps too large
  map.limit = {base.empty() ? 9.0 : 9e-3, base.empty() ? 11.0 : 11e-3};
  return {name, model, 2, oscillator, "  ydot(1) = y(2) + 0 * t\n  ydot(2) = -y(1)\n", {}, false, 8};
}

std::vector<Case> cases() {
  std::vector<Case> list;
  const auto add = [&](const std::string &name, auto &&change) {
    PendulumOptions options;
    options.hidden = {12};
    change(options);
    list.push_back(corrector(name, options));
  };
  add("any_dt", [](auto &o) { o.shortest_dt = 0.02, o.estimate = true, o.density = true; });
  add("times", [](auto &o) {
    o.form = CorrectorForm::multiplicative, o.time = TimeInput::elapsed, o.base = "euler", o.fallback = "rk4";
    o.fallback_substeps = 30;
  });
  add("states_within", [](auto &o) {
    o.dense_points = 3, o.input = CorrectorInput::state, o.degree = 2;
    o.parameters = {"g"}, o.estimate = true;
  });
  add("everything", [](auto &o) {
    o.shortest_dt = 0.02, o.form = CorrectorForm::multiplicative, o.time = TimeInput::phase;
    o.parameters = {"g", "k"}, o.input = CorrectorInput::stages, o.density = true, o.estimate = true;
    o.base = "rk3", o.fallback = "rk4", o.activation = Activation::silu;
  });
  list.push_back(hierarchy("flow_map", ""));
  list.push_back(hierarchy("corrected_flow_map", "rk4"));
  for (const std::size_t states : {1, 2}) { // the exported fine states are those of the whole step
    Model model = oscillator_on_a_grid(0.8, states, 0.1);
    std::get<HierarchyModel>(model.method).maps[0].state.assign(2, {-8.0, 8.0});
    list.push_back({"flow_map_on_a_grid_" + std::to_string(states),
                    model,
                    2,
                    oscillator,
                    "  ydot(1) = y(2) + 0 * t\n  ydot(2) = -y(1)\n",
                    {},
                    false,
                    states == 1 ? std::size_t{8} : 0});
  }
  return list;
}

struct Counts {
  unsigned long learned = 0, step_size = 0, domain = 0, correction = 0;
};

/// The exported functions behind one form, whatever arguments they have.
class CStepper {
public:
  CStepper(const Library &library, const Case &c)
      : case_(c), step_(library.get<Any>((c.name + "_step").c_str())),
        error_(c.error ? library.get<Any>((c.name + "_step_error").c_str()) : nullptr),
        states_(c.states > 0 ? library.get<Any>((c.name + "_step_states").c_str()) : nullptr) {}

  void step(double t, double *u, double dt, const double *parameters, double *error) {
    using Rhs = lodestep_rhs;
    int result = 0;
    if (case_.parameters.empty()) {
      result = error ? reinterpret_cast<int (*)(Rhs, void *, double, double *, double, double *, Counts *)>(error_)(
                           case_.rhs, nullptr, t, u, dt, error, &counts)
                     : reinterpret_cast<int (*)(Rhs, void *, double, double *, double, Counts *)>(step_)(
                           case_.rhs, nullptr, t, u, dt, &counts);
    } else {
      result =
          error ? reinterpret_cast<int (*)(Rhs, void *, const double *, double, double *, double, double *, Counts *)>(
                      error_)(case_.rhs, nullptr, parameters, t, u, dt, error, &counts)
                : reinterpret_cast<int (*)(Rhs, void *, const double *, double, double *, double, Counts *)>(step_)(
                      case_.rhs, nullptr, parameters, t, u, dt, &counts);
    }
    BOOST_REQUIRE_EQUAL(result, 0);
  }
  void states(double t, double *u, double *states, const double *parameters) {
    using Rhs = lodestep_rhs;
    const int result =
        case_.parameters.empty()
            ? reinterpret_cast<int (*)(Rhs, void *, double, double *, double *, Counts *)>(states_)(
                  case_.rhs, nullptr, t, u, states, &counts)
            : reinterpret_cast<int (*)(Rhs, void *, const double *, double, double *, double *, Counts *)>(states_)(
                  case_.rhs, nullptr, parameters, t, u, states, &counts);
    BOOST_REQUIRE_EQUAL(result, 0);
  }

  Counts counts;

private:
  using Any = void (*)();
  const Case &case_;
  Any step_;
  Any error_;
  Any states_;
};

/// A wrapper in Fortran with arguments of C, null for what is not wanted.
std::string fortran_wrapper(const Case &c) {
  const std::string d = std::to_string(c.dimension), count = std::to_string(c.parameters.size());
  const std::string states = std::to_string(c.states),
                    parameters = c.parameters.empty() ? "" : ", parameters=parameters";
  std::string text = "subroutine wrapped(t, y, dt, values, error, states, counts) bind(C)\n"
                     "  use, intrinsic :: iso_c_binding\n  use " +
                     c.name +
                     "\n  implicit none\n"
                     "  real(c_double), value :: t, dt\n  real(c_double), intent(inout) :: y(" +
                     d +
                     ")\n"
                     "  type(c_ptr), value :: values, error, states\n  integer(c_long), intent(inout) :: counts(4)\n"
                     "  type(" +
                     c.name +
                     "_counters) :: counters\n"
                     "  real(c_double), pointer :: parameters(:), errors(:), within(:, :)\n"
                     "  external :: right_hand_side\n"
                     "  nullify (parameters, errors, within)\n";
  if (!c.parameters.empty())
    text += "  if (c_associated(values)) call c_f_pointer(values, parameters, [" + count + "])\n";
  text += "  if (c_associated(error)) call c_f_pointer(error, errors, [" + d +
          "])\n"
          "  if (c_associated(states)) call c_f_pointer(states, within, [" +
          d + ", " + std::to_string(std::max<std::size_t>(c.states, 1)) + "])\n";
  const std::string with_error = c.error ? ", error=errors" : "";
  if (c.states > 0) {
    text += "  if (associated(within)) then\n    call " + c.name +
            "_step_states(right_hand_side, t, y, within, counters" + parameters + ")\n  else\n  ";
  }
  // An unassociated pointer is an absent argument.
  text += "  call " + c.name + "_step(right_hand_side, t, y, dt, counters" + parameters + with_error + ")\n";
  if (c.states > 0) text += "  end if\n";
  return text +
         "  counts = counts + [counters%learned, counters%step_size, counters%domain, counters%correction]\n"
         "end subroutine\n"
         "subroutine right_hand_side(n, t, y, ydot)\n"
         "  use, intrinsic :: iso_c_binding\n  implicit none\n  integer, intent(in) :: n\n"
         "  real(c_double), intent(in) :: t, y(n)\n  real(c_double), intent(out) :: ydot(n)\n" +
         c.fortran_rhs + "end subroutine\n";
}

class FortranStepper {
public:
  FortranStepper(const Library &library, const Case &) : wrapped_(library.get<Wrapped>("wrapped")) {}
  void step(double t, double *u, double dt, const double *parameters, double *error) {
    call(t, u, dt, parameters, error, nullptr);
  }
  void states(double t, double *u, double *states, const double *parameters) {
    call(t, u, 0.0, parameters, nullptr, states);
  }
  Counts counts;

private:
  using Wrapped = void (*)(double, double *, double, const double *, double *, double *, long *);
  void call(double t, double *u, double dt, const double *parameters, double *error, double *states) {
    long numbers[4] = {0, 0, 0, 0};
    wrapped_(t, u, dt, parameters, error, states, numbers);
    counts.learned += static_cast<unsigned long>(numbers[0]);
    counts.step_size += static_cast<unsigned long>(numbers[1]);
    counts.domain += static_cast<unsigned long>(numbers[2]);
    counts.correction += static_cast<unsigned long>(numbers[3]);
  }
  Wrapped wrapped_;
};

double difference(const double *a, const double *b, std::size_t count) {
  double worst = 0.0;
  for (std::size_t i = 0; i < count; ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i])));
  return worst;
}

/// Steps of the C library and of exported code: inside and outside of the domain, of every length, at times and
/// parameters of training and at others.
template <class Exported> void compare(const Case &c, Exported &&exported, const std::string &by) {
  const auto stepper = make(load(c.model), c.rhs);
  SmallRandom random(17);
  const std::size_t d = c.dimension;
  double worst = 0.0, worst_error = 0.0;
  std::vector<double> parameters(c.parameters.size(), 1.0), error(d), expected_error(d);
  for (int n = 0; n < 400; ++n) {
    if (n == 200 || n == 380) { // others, then such as it was not trained on
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        parameters[i] = n == 380 ? 1.6 : 1.0 + 0.2 * (static_cast<double>(i) + 1.0);
        BOOST_REQUIRE_EQUAL(lodestep_stepper_set_parameter(stepper.get(), c.parameters[i].c_str(), parameters[i]),
                            LODESTEP_SUCCESS);
      }
    }
    std::vector<double> u = c.start(random), expected = u;
    if (n % 10 == 3) u[static_cast<std::size_t>(n / 10) % d] += 4.0, expected = u;
    const double t = 0.1 * (n % 60);
    const double dt = n % 10 == 7 ? -0.05 : n % 10 == 8 ? 2.3 * c.dt() : n % 10 == 9 ? 0.6 * c.dt() : c.dt();
    const double *given = n < 200 ? nullptr : parameters.data(); // null: those of training
    if (c.error) {
      BOOST_REQUIRE_EQUAL(lodestep_step_error(stepper.get(), t, expected.data(), dt, expected_error.data()),
                          LODESTEP_SUCCESS);
      exported.step(t, u.data(), dt, given, error.data());
      for (std::size_t i = 0; i < d; ++i) {
        worst_error = std::max(worst_error, std::abs(error[i] / expected_error[i] - 1.0));
      }
    } else {
      BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), t, expected.data(), dt), LODESTEP_SUCCESS);
      exported.step(t, u.data(), dt, given, nullptr);
    }
    worst = std::max(worst, difference(u.data(), expected.data(), d));
    if (c.states > 0 && n % 4 == 0) {
      std::vector<double> states(c.states * d), core((c.states + 1) * d);
      u = c.start(random);
      if (n % 12 == 0) u[0] += 4.0;
      expected = u;
      double end = t;
      BOOST_REQUIRE_EQUAL(lodestep_fine_states(stepper.get(), &end, expected.data(), c.states, core.data()),
                          LODESTEP_SUCCESS);
      exported.states(t, u.data(), states.data(), given);
      worst = std::max(worst, difference(states.data(), core.data() + d, c.states * d));
      BOOST_TEST(std::equal(u.begin(), u.end(), states.end() - static_cast<std::ptrdiff_t>(d)));
    }
  }
  BOOST_TEST_MESSAGE(c.name << " by " << by << ": largest difference " << worst << ", of errors " << worst_error);
  // The library sums a flow map's fine steps in another order.
  BOOST_TEST(worst <= 1e-14, c.name << " by " << by << ": " << worst);
  BOOST_TEST(worst_error <= 1e-12, c.name << " by " << by << ": " << worst_error);
  const auto expected = counters(stepper);
  BOOST_TEST(exported.counts.learned == expected.learned);
  BOOST_TEST(exported.counts.step_size == expected.step_size);
  BOOST_TEST(exported.counts.domain == expected.domain);
  BOOST_TEST(exported.counts.correction == expected.correction);
  BOOST_TEST(expected.learned > 15u);
  BOOST_TEST(expected.domain > 20u);
  BOOST_TEST(expected.step_size > 20u);
}

} // namespace

BOOST_AUTO_TEST_CASE(exported_c_of_every_kind_agrees_with_the_library) {
  const std::string strict =
      " -Wall -Wextra -pedantic -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Werror";
  std::vector<std::string> compilers;
  for (const std::string compiler : {"gcc -std=c99 -O2", "clang -std=c99 -O3"}) {
    if (available(compiler)) compilers.push_back(compiler);
  }
  BOOST_REQUIRE(!compilers.empty());
  Directory directory;
  for (const Case &c : cases()) {
    const CSource source = export_c(c.model, c.name);
    write(directory.path / (c.name + ".h"), source.header);
    write(directory.path / (c.name + ".c"), source.source);
    for (std::size_t i = 0; i < compilers.size(); ++i) {
      const auto object = directory.path / (c.name + std::to_string(i) + ".so");
      const std::string command = compilers[i] + strict + " -fPIC -shared -o '" + object.string() + "' '" +
                                  (directory.path / (c.name + ".c")).string() + "' -lm";
      BOOST_TEST_REQUIRE(run(command, directory.path), command);
      const Library library(object);
      compare(c, CStepper(library, c), compilers[i]);
    }
  }
}

namespace {
int not_a_number(double, const double *, double *dudt, void *) {
  for (int i = 0; i < 4; ++i) dudt[i] = std::nan("");
  return 0;
}
} // namespace

// An approximator fed with the state alone does not notice that the base scheme's result is not finite.
BOOST_AUTO_TEST_CASE(exported_c_learns_no_step_that_is_not_finite) {
  PendulumOptions options;
  options.input = CorrectorInput::state;
  Case c = corrector("blind", options);
  c.rhs = not_a_number;
  const CSource source = export_c(c.model, c.name);
  Directory directory;
  write(directory.path / "blind.h", source.header);
  write(directory.path / "blind.c", source.source);
  const auto object = directory.path / "blind.so";
  BOOST_TEST_REQUIRE(run("cc -std=c99 -O2 -fPIC -shared -o '" + object.string() + "' '" +
                             (directory.path / "blind.c").string() + "' -lm",
                         directory.path));
  const Library library(object);
  CStepper exported(library, c);
  double u[] = {0.2, 10.2, 0.0, 0.3};
  exported.step(0.0, u, 0.1, nullptr, nullptr);
  BOOST_TEST(exported.counts.correction == 1u);
  BOOST_TEST(exported.counts.learned == 0u);
  BOOST_TEST(std::isnan(u[0]));
}

BOOST_AUTO_TEST_CASE(exported_fortran_of_every_kind_agrees_with_the_library) {
  if (!available("gfortran", ".f90", "end\n")) {
    BOOST_TEST_MESSAGE("no gfortran: nothing to compile with");
    return;
  }
  Directory directory;
  for (const Case &c : cases()) {
    write(directory.path / (c.name + ".f90"), export_fortran(c.model, c.name));
    write(directory.path / "wrapper.f90", fortran_wrapper(c));
    BOOST_TEST_REQUIRE(run("cd '" + directory.path.string() +
                               "' && gfortran -std=f2008 -O2 -Wall -Wextra -pedantic -Werror -fPIC -c " + c.name +
                               ".f90 && gfortran -O2 -fPIC -shared -o " + c.name + ".so wrapper.f90 " + c.name + ".o",
                           directory.path),
                       c.name);
    const Library library(directory.path / (c.name + ".so"));
    compare(c, FortranStepper(library, c), "gfortran");
  }
}
