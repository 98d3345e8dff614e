#pragma once

#include <lodestep/plugin.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <string>
#include <utility>
#include <vector>

/// A problem plugin from a right-hand side that is a functor, as Odeint takes it. C++17, and nothing but this header:
///
///     #include <lodestep/plugin.hpp>
///     struct Brusselator {
///       double a = 1.0, b = 3.0;
///       template <class State, class Deriv> void operator()(const State& u, Deriv& dudt, double) const {
///         dudt[0] = a + u[0] * (u[0] * u[1] - b - 1.0);
///         dudt[1] = u[0] * (b - u[0] * u[1]);
///       }
///     };
///     LODESTEP_CXX_PLUGIN(lodestep::Plugin<Brusselator>("brusselator").variable("x", 0.5, 2.0).variable("y", 1.0, 3.0)
///                             .parameter("a", &Brusselator::a).parameter("b", &Brusselator::b).horizon(20.0).dt(0.1));
namespace lodestep {

/// Random numbers for a sampler: the same on every platform, for the same seed.
class PluginRandom {
public:
  explicit PluginRandom(const lodestep_random& random) : random_(random) {}
  double uniform(double lower, double upper) const { return random_.uniform(random_.state, lower, upper); }
  /// Mean 0, variance 1.
  double normal() const { return random_.normal(random_.state); }

private:
  const lodestep_random& random_;
};

/// The variables of a problem with the box of their initial values: equal bounds fix a variable. Where there is a
/// sampler they may have none.
class PluginVariables {
public:
  void add(const std::string& name, double lower, double upper, const std::string& unit = "") {
    add(name, unit);
    lower_.push_back(lower);
    upper_.push_back(upper);
  }
  void add(const std::string& name, const std::string& unit = "") {
    // A deque keeps its strings where they are as it grows.
    names_.push_back(text_.emplace_back(name).c_str());
    units_.push_back(text_.emplace_back(unit).c_str());
  }

  void describe(lodestep_problem& problem) const {
    problem.dimension = names_.size();
    problem.variables = names_.data();
    problem.units = units_.data();
    const bool box = lower_.size() == names_.size();
    problem.lower = box ? lower_.data() : nullptr;
    problem.upper = box ? upper_.data() : nullptr;
  }

private:
  std::deque<std::string> text_;
  std::vector<const char*> names_, units_;
  std::vector<double> lower_, upper_;
};

/// Describes the plugin of a default-constructible functor. One per functor type and shared object.
template <class Functor> class Plugin {
public:
  explicit Plugin(const char* name, const char* description = nullptr) {
    state() = {};
    lodestep_problem& d = state().descriptor;
    d.abi = LODESTEP_PLUGIN_ABI;
    d.size = sizeof(lodestep_problem);
    d.name = name;
    d.description = description;
    d.rhs = [](double t, const double* u, double* dudt, void* user) -> int {
      static_cast<const Instance*>(user)->functor(u, dudt, t);
      return 0;
    };
    d.open = &open;
    d.close = &close;
  }

  Plugin& variable(const char* name, double lower, double upper, const char* unit = "") {
    state().variables.push_back({name, unit, lower, upper, true});
    return *this;
  }
  /// One without bounds, for a problem with a sampler.
  Plugin& variable(const char* name, const char* unit = "") {
    state().variables.push_back({name, unit, 0.0, 0.0, false});
    return *this;
  }
  /// For a problem whose dimension depends on its parameters: `describe(functor, variables)` adds them all.
  Plugin& variables(void (*describe)(const Functor&, PluginVariables&)) {
    state().describe = describe;
    return *this;
  }
  /// The default is the functor's own.
  Plugin& parameter(const char* name, double Functor::*member) {
    return add_parameter(name, Functor().*member, {member, nullptr});
  }
  /// `set` may throw a std::exception to refuse the value.
  Plugin& parameter(const char* name, double value, void (*set)(Functor&, double)) {
    return add_parameter(name, value, {nullptr, set});
  }
  /// Draws an initial state u0, [dimension], where the box is not enough; it must lie in the box if there is one.
  Plugin& sampler(void (*sample)(const Functor&, const PluginRandom&, double* u0)) {
    state().sampler = sample;
    state().descriptor.sample = [](const lodestep_random* random, double* u0, void* user) -> int {
      state().sampler(static_cast<const Instance*>(user)->functor, PluginRandom(*random), u0);
      return 0;
    };
    return *this;
  }
  Plugin& horizon(double horizon) {
    state().descriptor.horizon = horizon;
    return *this;
  }
  Plugin& dt(double dt) {
    state().descriptor.dt = dt;
    return *this;
  }
  Plugin& rhs_cost_ns(double nanoseconds) {
    state().descriptor.rhs_cost_ns = nanoseconds;
    return *this;
  }

  /// The descriptor; what it points to lives as long as the shared object.
  const lodestep_problem& descriptor() {
    lodestep_problem& d = state().descriptor;
    d.parameter_count = state().parameters.size();
    d.parameters = state().parameters.data();
    return d;
  }

private:
  struct Instance {
    Functor functor;
    PluginVariables variables;
  };
  struct Setter {
    double Functor::*member;
    void (*set)(Functor&, double);
  };
  struct FixedVariable {
    const char *name, *unit;
    double lower, upper;
    bool bounded;
  };
  struct State {
    lodestep_problem descriptor{};
    std::vector<FixedVariable> variables;
    std::vector<lodestep_parameter> parameters;
    std::vector<Setter> setters;
    void (*describe)(const Functor&, PluginVariables&) = nullptr;
    void (*sampler)(const Functor&, const PluginRandom&, double*) = nullptr;
    std::string error;
  };
  /// `open` has no other way to find it: it is handed nothing but the parameters.
  static State& state() {
    static State instance;
    return instance;
  }

  Plugin& add_parameter(const char* name, double value, Setter setter) {
    state().parameters.push_back({name, value});
    state().setters.push_back(setter);
    return *this;
  }

  static int open(const double* parameters, lodestep_problem* self) {
    try {
      auto* instance = new Instance;
      self->user = instance; // closed by `close`, after a failure as well
      for (std::size_t i = 0; i < state().setters.size(); ++i) {
        const Setter& setter = state().setters[i];
        if (setter.set) setter.set(instance->functor, parameters[i]);
        if (setter.member) instance->functor.*setter.member = parameters[i];
      }
      for (const auto& v : state().variables) {
        if (v.bounded) instance->variables.add(v.name, v.lower, v.upper, v.unit);
        if (!v.bounded) instance->variables.add(v.name, v.unit);
      }
      if (state().describe) state().describe(instance->functor, instance->variables);
      instance->variables.describe(*self);
      return 0;
    } catch (const std::exception& error) {
      state().error = error.what();
      self->error = state().error.c_str();
      return -1;
    }
  }

  static void close(lodestep_problem* self) {
    delete static_cast<Instance*>(self->user);
    self->user = nullptr;
  }
};

} // namespace lodestep

/// Exports the plugin a lodestep::Plugin describes.
#define LODESTEP_CXX_PLUGIN(...) LODESTEP_PLUGIN = (__VA_ARGS__).descriptor()
