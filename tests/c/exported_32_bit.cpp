// Exported C as a program of 32 bits, in C99 and nothing beyond: its steps are the library's. There are no vectors then
// and, where the processor's old floating-point unit is used, longer intermediate results: see the tolerance.
#include "compiled_source.hpp"
#include "flow_maps.hpp"
#include "pendulum_models.hpp"

#include <lodestep/flow_map.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/source_export.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;

namespace {

constexpr const char *compiler = "gcc -std=c99 -m32 -O2";

/// Reads states, steps each once and writes them back.
std::string program(const std::string &name, std::size_t dimension, const std::string &rhs) {
  return "#include \"" + name +
         ".h\"\n#include <math.h>\n#include <stdio.h>\n"
         "static int rhs(double t, const double *u, double *dudt, void *user) {\n  (void)t;\n  (void)user;\n" +
         rhs + "  return 0;\n}\nint main(void) {\n  double u[" + std::to_string(dimension) +
         "], dt;\n  int i;\n  while (scanf(\"%lf\", &dt) == 1) {\n    for (i = 0; i < " + std::to_string(dimension) +
         "; ++i) {\n      if (scanf(\"%lf\", u + i) != 1) return 2;\n    }\n    if (" + name +
         "_step(rhs, 0, 0.0, u, dt, 0) != 0) return 1;\n    for (i = 0; i < " + std::to_string(dimension) +
         "; ++i) printf(\"%a \", u[i]);\n  }\n  return sizeof(void *) == 4 ? 0 : 3;\n}\n";
}

/// The largest difference, relative to the larger of 1 and the state, between the program's steps and step(u, dt).
double worst(const Model &model, const std::string &name, const std::string &rhs,
             const std::vector<std::pair<double, std::vector<double>>> &steps,
             const std::function<void(double *, double)> &step) {
  Directory directory;
  const CSource source = export_c(model, name);
  write(directory.path / (name + ".h"), source.header);
  write(directory.path / (name + ".c"), source.source);
  write(directory.path / "main.c", program(name, model.dimension(), rhs));
  std::string input;
  char text[40];
  for (const auto &[dt, u] : steps) {
    std::snprintf(text, sizeof text, "%a", dt);
    input += text;
    for (const double x : u) {
      std::snprintf(text, sizeof text, " %a", x);
      input += text;
    }
    input += '\n';
  }
  write(directory.path / "states", input);
  const std::string folder = "cd '" + directory.path.string() + "' && ";
  BOOST_TEST_REQUIRE(
      run(folder + compiler + " -Wall -Wextra -pedantic -Werror -o main main.c " + name + ".c -lm", directory.path));
  BOOST_TEST_REQUIRE(run("(" + folder + "./main < states > steps)", directory.path));
  std::ifstream output(directory.path / "steps");
  double largest = 0.0;
  std::string number;
  for (const auto &[dt, u] : steps) {
    std::vector<double> expected = u;
    step(expected.data(), dt);
    for (const double x : expected) {
      BOOST_REQUIRE(output >> number);
      largest = std::max(largest, std::abs(std::strtod(number.c_str(), nullptr) - x) / std::max(1.0, std::abs(x)));
    }
  }
  return largest;
}

} // namespace

BOOST_AUTO_TEST_CASE(exported_c_in_32_bits_agrees_with_the_library) {
  if (!available(compiler)) {
    std::cout << "skipped: '" << compiler << "' makes no program here (Debian: gcc-multilib)" << std::endl;
    return;
  }
  const auto pendulum = [](double, const double *u, double *dudt) {
    dudt[0] = u[2];
    dudt[1] = u[3];
    dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
    dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
  };
  SmallRandom random(23);
  std::vector<std::pair<double, std::vector<double>>> steps;
  for (int n = 0; n < 200; ++n) {
    std::vector<double> u(4);
    pendulum_state(random, u.data());
    if (n % 10 == 3) u[0] += 4.0;
    steps.emplace_back(n % 10 == 7 ? -0.05 : n % 10 == 8 ? 0.06 : 0.1, u);
  }
  PendulumOptions tanh_64, any_dt;
  any_dt.shortest_dt = 0.02;
  any_dt.density = true;
  any_dt.degree = 4;
  any_dt.input = CorrectorInput::stages;
  for (const auto &[name, options] : {std::pair("tanh_64", tanh_64), std::pair("any_dt", any_dt)}) {
    const Model model = pendulum_model(options);
    CorrectedRungeKutta core(std::make_shared<const Corrector>(std::make_shared<const Model>(model)));
    const double difference = worst(model, name,
                                    "  dudt[0] = u[2];\n  dudt[1] = u[3];\n"
                                    "  dudt[2] = -(9.81 * sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];\n"
                                    "  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * cos(u[0]);\n",
                                    steps, [&](double *u, double dt) { core.step(pendulum, 0.0, u, dt); });
    BOOST_TEST_MESSAGE(name << ": " << difference);
    BOOST_TEST(difference <= 1e-14, name << ": " << difference);
    BOOST_TEST(core.counters().learned() > 20u);
  }

  const Model model = oscillator_hierarchy({0.1, 0.8}, 0.1, 1e-4);
  FlowMap map(std::make_shared<const Hierarchy>(shared(model)), 1);
  auto forms = rhs_forms(OneOscillator(), ManyOscillators());
  steps.clear();
  for (int n = 0; n < 100; ++n) steps.push_back({0.8, {random.uniform(-12.0, 12.0), random.uniform(-9.0, 9.0)}});
  const double difference = worst(model, "flow", "  dudt[0] = u[1];\n  dudt[1] = -u[0];\n", steps,
                                  [&](double *u, double) { map.step(forms, 0.0, u, u); });
  BOOST_TEST_MESSAGE("flow: " << difference);
  BOOST_TEST(difference <= 1e-14, "flow: " << difference);
}
