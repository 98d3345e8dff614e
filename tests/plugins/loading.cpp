#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace lodestep;

namespace {

std::string fixture(const std::string& name) {
  return FIXTURES + name + ".so";
}
std::string plugin(const std::string& name) {
  return PLUGINS + name + ".so";
}

/// The message of the fault, which must name the plugin's file.
template <class Exception = InvalidData> std::string fault_of(const std::string& text) {
  try {
    make_problem(text);
  } catch (const Exception& error) {
    const std::string message = error.what();
    BOOST_TEST(message.find(text.substr(0, text.find(".so") + 3)) != std::string::npos, message);
    return message;
  }
  BOOST_ERROR("no fault found in " + text);
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

// The registry's problems as plugins, all but one, are the registry's problems, to the bit, at any parameters.
BOOST_AUTO_TEST_CASE(plugins_of_the_registry_are_the_registry) {
  std::vector<std::pair<std::string, std::string>> cases{{"elastic_pendulum", ":g=1.62,l0=8"},
                                                         {"k_link_pendulum", ":K=7"},
                                                         {"k_link_pendulum", ":K=3,g=3.7"},
                                                         {"spring_mass", ":d=7,k=2,m=3"},
                                                         {"duffing", ":omega=2.5,beta=0.3"},
                                                         {"lorenz", ":rho=20"},
                                                         {"hopf", ":A=2,omega=0.5"}};
  for (const auto& info : list_problems()) {
    // A plugin here links nothing, and this problem's right-hand side is a Fourier transform of FFTW's.
    if (info.name != "kuramoto_sivashinsky") cases.emplace_back(info.name, "");
  }
  for (const auto& [name, parameters] : cases) {
    const Problem built_in = make_problem(name + parameters);
    const Problem loaded = make_problem(plugin(name) + parameters);
    BOOST_TEST(loaded.name == built_in.name);
    BOOST_TEST(loaded.horizon == built_in.horizon);
    BOOST_TEST(loaded.dt == built_in.dt);
    BOOST_TEST(loaded.region.size() >= built_in.region.size());
    for (std::size_t i = 0; i < built_in.region.size(); ++i) {
      BOOST_TEST(loaded.region[i].lower == built_in.region[i].lower);
      BOOST_TEST(loaded.region[i].upper == built_in.region[i].upper);
    }
    BOOST_REQUIRE_EQUAL(loaded.dimension(), built_in.dimension());
    BOOST_REQUIRE_EQUAL(loaded.parameters.size(), built_in.parameters.size());
    for (std::size_t i = 0; i < loaded.dimension(); ++i) {
      BOOST_TEST(loaded.variables[i].name == built_in.variables[i].name);
      BOOST_TEST(loaded.variables[i].unit == built_in.variables[i].unit);
    }
    for (std::size_t i = 0; i < loaded.parameters.size(); ++i) {
      BOOST_TEST(loaded.parameters[i].name == built_in.parameters[i].name);
      BOOST_TEST(loaded.parameters[i].value == built_in.parameters[i].value);
    }
    std::vector<double> a(loaded.dimension()), b(a), da(a), db(a);
    for (std::uint64_t n = 0; n < 10; ++n) {
      Random one(3, 1, n), other(3, 1, n);
      built_in.sample(one, a.data());
      loaded.sample(other, b.data());
      BOOST_TEST(a == b, boost::test_tools::per_element());
      for (std::size_t i = 0; i < a.size(); ++i) a[i] += 0.01 * static_cast<double>(i);
      const double t = 0.7 * static_cast<double>(n);
      built_in.rhs(t, a.data(), da.data());
      loaded.rhs(t, a.data(), db.data());
      // A dimension known at compile time may contract differently.
      BOOST_TEST(da == db, boost::test_tools::tolerance(1e-13) << boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_sound_plugin_outlives_its_problem_s_copies) {
  std::function<void(double, const double*, double*)> rhs;
  {
    const Problem problem = make_problem(fixture("fault_0") + ":omega=3");
    BOOST_TEST(problem.name == "oscillator");
    BOOST_TEST(problem.variables[1].name == "v");
    rhs = problem.rhs;
    const Trajectories t = generate_trajectories(problem, {2, 0.1, 1.0, 0, Split::test, {}});
    BOOST_TEST(t.times == 11u);
  }
  const double u[] = {1.0, 2.0};
  double dudt[2];
  rhs(0.0, u, dudt);
  BOOST_TEST(dudt[0] == 2.0);
  BOOST_TEST(dudt[1] == -9.0);
}

BOOST_AUTO_TEST_CASE(every_fault_is_the_plugin_s_and_is_named) {
  const std::map<int, std::vector<std::string>> faults{{1, {"version 0", "version 1", "rebuild"}},
                                                       {2, {"version 2", "version 1", "rebuild"}},
                                                       {3, {"8 bytes", "sizeof(lodestep_problem)"}},
                                                       {4, {"oscillator", "dimension is 0"}},
                                                       {5, {"oscillator", "dimension is 1000000000", "100000"}},
                                                       {6, {"oscillator", "derivative of v", "not finite"}},
                                                       {7, {"oscillator", "rhs() returned 4", "recoverable"}},
                                                       {8, {"crashed", "Segmentation fault"}},
                                                       {9, {"ended the process", "exit code 3"}},
                                                       {10, {"oscillator", "v = 1.5", "outside its own box [-1, 1]"}},
                                                       {11, {"oscillator", "no right-hand side"}},
                                                       {12, {"oscillator", "neither a sampler nor a box"}},
                                                       {13, {"oscillator", "the box of v is [-1, -2]"}},
                                                       {14, {"oscillator", "horizon is -1"}},
                                                       {15, {"oscillator", "rhs_batch()", "v of state 1"}},
                                                       {16, {"oscillator", "jvp()", "for x"}},
                                                       {17, {"oscillator", "derivative of v", "sets none"}},
                                                       {18, {"no name"}},
                                                       {19, {"oscillator", "parameter omega is not finite"}},
                                                       {20, {"oscillator", "the moon is in the wrong quarter"}}};
  for (const auto& [number, parts] : faults) {
    const std::string message = fault_of(fixture("fault_" + std::to_string(number)));
    for (const auto& part : parts) BOOST_TEST(contains(message, part), message << " | misses: " << part);
  }
  const std::string thrown = fault_of(fixture("throwing"));
  BOOST_TEST(contains(thrown, "rhs() threw"), thrown);
  BOOST_TEST(contains(thrown, "no root in the bracket"), thrown);
  const std::string missing = fault_of(fixture("no_symbol"));
  BOOST_TEST(contains(missing, "lodestep_problem_plugin"), missing);
}

BOOST_AUTO_TEST_CASE(what_is_no_shared_object_or_no_parameter_is_said_so) {
  BOOST_TEST(contains(fault_of(fixture("not_there")), "no such file"));
  const std::string text = FIXTURES "text.so";
  std::ofstream(text) << "not a shared object";
  BOOST_TEST(contains(fault_of(text), "cannot be loaded"));
  BOOST_TEST(contains(fault_of<InvalidArgument>(fixture("fault_0") + ":omegaa=1"), "did you mean 'omega'"));
  BOOST_TEST(contains(fault_of<InvalidArgument>(fixture("fault_0") + ":omega"), "parameter=value"));
  BOOST_TEST(contains(fault_of(plugin("k_link_pendulum") + ":K=2.5"), "whole number"));
  BOOST_CHECK_THROW(make_problem("oscillator.so"), InvalidData); // a file, not a name to guess at
  BOOST_CHECK_THROW(make_problem("oscillator"), InvalidArgument);
}
