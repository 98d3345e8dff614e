#include "problem/plugin.hpp"

#include "problem/parameter_text.hpp"

#include <lodestep/error.hpp>

// Before Boost.DLL: std::filesystem instead of a Boost library to link.
#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <unistd.h>
#include <utility>

namespace lodestep::detail {

namespace {

constexpr const char* symbol = "lodestep_problem_plugin";
constexpr std::uint64_t most_variables = 100000;
constexpr unsigned probe_seconds = 10;

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

/// A descriptor, opened: shared by the functions of a Problem and closed with the last of them.
class Plugin {
public:
  /// Opens with default parameters changed by `given`. Throws InvalidData, InvalidArgument.
  Plugin(std::optional<boost::dll::shared_library> library, const lodestep_problem& descriptor, std::string origin,
         const std::string& given)
      : library_(std::move(library)), descriptor_(checked_version(descriptor, origin)), origin_(std::move(origin)) {
    set_parameters(given);
    if (descriptor_.open) {
      descriptor_.user = nullptr;
      int result = 0;
      try {
        result = descriptor_.open(values_.data(), &descriptor_);
      } catch (const std::exception& error) {
        fail(std::string("open() threw: ") + error.what());
      } catch (...) {
        fail("open() threw an object that is no std::exception");
      }
      if (result != 0) {
        const std::string reason = descriptor_.error ? descriptor_.error : "no reason given";
        if (descriptor_.close) descriptor_.close(&descriptor_);
        fail("open() refused the parameters: " + reason);
      }
    } else if (!descriptor_.user) {
      descriptor_.user = values_.data();
    }
    try {
      check();
    } catch (...) {
      if (descriptor_.close) descriptor_.close(&descriptor_);
      throw;
    }
  }
  ~Plugin() {
    if (descriptor_.close) descriptor_.close(&descriptor_);
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  const lodestep_problem& descriptor() const noexcept { return descriptor_; }
  const std::vector<Parameter>& parameters() const noexcept { return parameters_; }
  std::size_t dimension() const noexcept { return static_cast<std::size_t>(descriptor_.dimension); }

  std::string variable(std::size_t i) const {
    return descriptor_.variables && descriptor_.variables[i] ? descriptor_.variables[i] : "u" + std::to_string(i);
  }

  void rhs(double t, const double* u, double* dudt) const {
    call("rhs", t, [&] { return descriptor_.rhs(t, u, dudt, descriptor_.user); });
  }

  void sample(Random& random, double* u0) const {
    const std::size_t d = dimension();
    if (descriptor_.sample) {
      lodestep_random functions{};
      functions.uniform = [](void* state, double lower, double upper) {
        return static_cast<Random*>(state)->uniform(lower, upper);
      };
      functions.normal = [](void* state) { return static_cast<Random*>(state)->normal(); };
      functions.state = &random;
      std::fill_n(u0, d, std::nan(""));
      call("sample", 0.0, [&] { return descriptor_.sample(&functions, u0, descriptor_.user); });
      for (std::size_t i = 0; i < d; ++i) {
        if (!std::isfinite(u0[i])) fail("sample() left variable " + variable(i) + " not finite");
        if (descriptor_.lower && !(u0[i] >= descriptor_.lower[i] && u0[i] <= descriptor_.upper[i])) {
          fail("sample() gave " + variable(i) + " = " + text_of(u0[i]) + ", outside its own box [" +
               text_of(descriptor_.lower[i]) + ", " + text_of(descriptor_.upper[i]) + "]");
        }
      }
      return;
    }
    for (std::size_t i = 0; i < d; ++i) {
      const double lower = descriptor_.lower[i], upper = descriptor_.upper[i];
      u0[i] = lower == upper ? lower : random.uniform(lower, upper);
    }
  }

  /// Calls every function at some initial states and checks what comes back. This is where a plugin that is going to
  /// crash does so.
  void probe() const {
    const std::size_t d = dimension();
    constexpr std::size_t states = 4;
    std::vector<double> u(states * d), dudt(states * d), all(states * d);
    for (std::size_t n = 0; n < states; ++n) {
      Random random(0, static_cast<std::uint64_t>(Split::train), n);
      sample(random, u.data() + n * d);
      std::fill_n(dudt.data() + n * d, d, std::nan(""));
      rhs(0.0, u.data() + n * d, dudt.data() + n * d);
      for (std::size_t i = 0; i < d; ++i) {
        if (!std::isfinite(dudt[n * d + i])) {
          fail("rhs() gives a derivative of " + variable(i) +
               " that is not finite (or sets none) at t = 0 in an initial state of its own");
        }
      }
    }
    if (descriptor_.rhs_batch) {
      call("rhs_batch", 0.0,
           [&] { return descriptor_.rhs_batch(0.0, states, u.data(), all.data(), descriptor_.user); });
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!(std::abs(all[i] - dudt[i]) <= 1e-10 * std::max(1.0, std::abs(dudt[i])))) {
          fail("rhs_batch() gives " + text_of(all[i]) + " where rhs() gives " + text_of(dudt[i]) + " for " +
               variable(i % d) + " of state " + std::to_string(i / d));
        }
      }
    }
    if (descriptor_.jvp) probe_jvp(u);
  }

  [[noreturn]] void fail(const std::string& what) const { fail(origin_, descriptor_.name, what); }
  [[noreturn]] static void fail(const std::string& origin, const char* name, const std::string& what) {
    throw InvalidData("plugin '" + origin + "'" + (name && *name ? std::string(" (") + name + ")" : "") + ": " + what);
  }

private:
  static const lodestep_problem& checked_version(const lodestep_problem& d, const std::string& origin) {
    // Nothing but these two numbers may be read before they are known to be right.
    if (d.abi != LODESTEP_PLUGIN_ABI) {
      fail(origin, nullptr,
           "it was built for version " + std::to_string(d.abi) + " of the plugin interface, this library has version " +
               std::to_string(LODESTEP_PLUGIN_ABI) + ": rebuild it with this library's lodestep/plugin.h");
    }
    if (d.size != sizeof(lodestep_problem)) {
      fail(origin, nullptr,
           "its descriptor has " + std::to_string(d.size) + " bytes, expected " +
               std::to_string(sizeof(lodestep_problem)) + ": set size to sizeof(lodestep_problem)");
    }
    return d;
  }

  void set_parameters(const std::string& given) {
    if (!descriptor_.name || !*descriptor_.name) fail("it has no name");
    if (descriptor_.parameter_count > 0 && !descriptor_.parameters) fail("parameters is a null pointer");
    if (descriptor_.parameter_count > 10000) {
      fail("parameter_count is " + std::to_string(descriptor_.parameter_count) + ", expected 10000 at most");
    }
    Problem defaults;
    defaults.name = origin_;
    for (std::size_t i = 0; i < descriptor_.parameter_count; ++i) {
      const auto& parameter = descriptor_.parameters[i];
      if (!parameter.name || !*parameter.name) fail("parameter " + std::to_string(i) + " has no name");
      if (!std::isfinite(parameter.value)) {
        fail(std::string("the default of parameter ") + parameter.name + " is not finite");
      }
      defaults.parameters.push_back({parameter.name, parameter.value});
    }
    if (!given.empty()) detail::set_parameters(defaults, parse_parameters(given, origin_));
    parameters_ = defaults.parameters;
    for (const auto& parameter : parameters_) values_.push_back(parameter.value);
  }

  void check() const {
    const auto& d = descriptor_;
    if (d.dimension < 1 || d.dimension > most_variables) {
      fail("its dimension is " + std::to_string(d.dimension) + ", expected 1 to " + std::to_string(most_variables));
    }
    if (!d.rhs) fail("it has no right-hand side (rhs is a null pointer)");
    if (!(std::isfinite(d.horizon) && d.horizon > 0.0)) {
      fail("horizon is " + text_of(d.horizon) + ", expected a positive number");
    }
    if (!(std::isfinite(d.dt) && d.dt > 0.0)) fail("dt is " + text_of(d.dt) + ", expected a positive number");
    if (!(d.rhs_cost_ns >= 0.0 && std::isfinite(d.rhs_cost_ns))) fail("rhs_cost_ns is not a number >= 0");
    if (!d.sample && !(d.lower && d.upper)) {
      fail("it has neither a sampler nor a box (lower and upper) of initial states");
    }
    if (!d.lower != !d.upper) fail("its box of initial states has only one of lower and upper");
    for (std::size_t i = 0; d.lower && i < dimension(); ++i) {
      // The width too: numbers are drawn as fractions of it.
      if (!(std::isfinite(d.lower[i]) && std::isfinite(d.upper[i] - d.lower[i]) && d.lower[i] <= d.upper[i])) {
        fail("the box of " + variable(i) + " is [" + text_of(d.lower[i]) + ", " + text_of(d.upper[i]) +
             "], expected finite bounds in order, and a finite width");
      }
    }
  }

  template <class Function> void call(const char* function, double t, Function&& body) const {
    int result = 0;
    try {
      result = body();
    } catch (const std::exception& error) {
      fail(std::string(function) + "() threw at t = " + text_of(t) + ": " + error.what());
    }
    if (result != 0) {
      fail(std::string(function) + "() returned " + std::to_string(result) +
           (result > 0 ? " (recoverable)" : " (fatal)") + " at t = " + text_of(t));
    }
  }

  /// Against a central difference, whose error is about 1e-10 of a well-scaled second derivative.
  void probe_jvp(const std::vector<double>& states) const {
    const std::size_t d = dimension();
    std::vector<double> v(d), jv(d), u(d), above(d), below(d);
    for (std::size_t i = 0; i < d; ++i) v[i] = std::cos(static_cast<double>(i));
    call("jvp", 0.0, [&] { return descriptor_.jvp(0.0, states.data(), v.data(), jv.data(), descriptor_.user); });
    constexpr double h = 1e-5;
    for (std::size_t i = 0; i < d; ++i) u[i] = states[i] + h * v[i];
    rhs(0.0, u.data(), above.data());
    for (std::size_t i = 0; i < d; ++i) u[i] = states[i] - h * v[i];
    rhs(0.0, u.data(), below.data());
    double size = 1.0;
    for (double derivative : above) size = std::max(size, std::abs(derivative));
    for (std::size_t i = 0; i < d; ++i) {
      const double expected = (above[i] - below[i]) / (2.0 * h);
      if (!(std::abs(jv[i] - expected) <= 1e-4 * std::max(size, std::abs(expected)))) {
        fail("jvp() gives " + text_of(jv[i]) + " for " + variable(i) + " where differences of rhs() give " +
             text_of(expected));
      }
    }
  }

  // The library is unloaded last.
  std::optional<boost::dll::shared_library> library_;
  lodestep_problem descriptor_;
  std::string origin_;
  std::vector<Parameter> parameters_;
  std::vector<double> values_;
};

std::shared_ptr<const Plugin> open_library(const std::string& path, const std::string& given) {
  boost::dll::shared_library library;
  std::string reason;
  try {
    library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const std::exception& failure) {
    reason = failure.what();
  }
  if (!library.is_loaded()) Plugin::fail(path, nullptr, "it cannot be loaded: " + reason);
  if (!library.has(symbol)) {
    Plugin::fail(path, nullptr,
                 std::string("it exports no symbol '") + symbol +
                     "': is it a plugin, made with LODESTEP_PLUGIN of lodestep/plugin.h?");
  }
  const lodestep_problem& descriptor = library.get<const lodestep_problem>(symbol);
  return std::make_shared<const Plugin>(std::move(library), descriptor, path, given);
}

void write_all(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, bytes, size);
    if (written <= 0 && errno != EINTR) return;
    if (written > 0) {
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
  }
}

/// Loads and probes in a child process. Faults that end it are reported here; those it can report itself, it will
/// report again when the parent loads the plugin.
void probe_in_child(const std::string& path, const std::string& given) {
  int ends[2];
  if (::pipe(ends) != 0) return;
  const pid_t child = ::fork();
  if (child < 0) { // no process to spare: the parent takes the risk
    ::close(ends[0]);
    ::close(ends[1]);
    return;
  }
  if (child == 0) {
    ::close(ends[0]);
    // Faults end the child at once and quietly, whatever handlers the host has.
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) std::signal(number, SIG_DFL);
    ::alarm(probe_seconds);
    try {
      open_library(path, given)->probe();
    } catch (const std::exception&) {
      // The parent will meet it, too.
    }
    write_all(ends[1], "k", 1);
    ::_exit(0);
  }
  ::close(ends[1]);
  char alive = 0;
  ssize_t count;
  do {
    count = ::read(ends[0], &alive, 1);
  } while (count < 0 && errno == EINTR);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (count == 1) return;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    Plugin::fail(path, nullptr,
                 "its functions did not return within " + std::to_string(probe_seconds) + " s when tried");
  }
  if (WIFSIGNALED(status)) {
    Plugin::fail(path, nullptr,
                 std::string("it crashed when tried (") + strsignal(WTERMSIG(status)) +
                     ", in a child process): look at its rhs, sampler and open, and at array bounds");
  }
  Plugin::fail(path, nullptr,
               "it ended the process when tried (exit code " + std::to_string(WEXITSTATUS(status)) + ")");
}

Problem make(std::shared_ptr<const Plugin> plugin) {
  const lodestep_problem& d = plugin->descriptor();
  Problem problem;
  problem.name = d.name;
  problem.description = d.description ? d.description : "";
  for (std::size_t i = 0; i < plugin->dimension(); ++i) {
    problem.variables.push_back({plugin->variable(i), d.units && d.units[i] ? d.units[i] : ""});
  }
  problem.parameters = plugin->parameters();
  problem.horizon = d.horizon;
  problem.dt = d.dt;
  // Unknown: ten operations a variable.
  problem.rhs_cost_ns = d.rhs_cost_ns > 0.0 ? d.rhs_cost_ns : 10.0 * static_cast<double>(d.dimension);
  problem.rhs = [plugin](double t, const double* u, double* dudt) { plugin->rhs(t, u, dudt); };
  problem.sample = [plugin](Random& random, double* u0) { plugin->sample(random, u0); };
  // The box is one to learn flow maps in, unless it is flat.
  for (std::size_t i = 0; d.lower && i < plugin->dimension(); ++i) problem.region.push_back({d.lower[i], d.upper[i]});
  const auto flat = [](const Interval& side) { return !(side.lower < side.upper); };
  if (std::any_of(problem.region.begin(), problem.region.end(), flat)) problem.region.clear();
  problem.initial = "default";
  problem.distributions = {{problem.initial, "the plugin's own", problem.horizon, problem.sample}};
  return problem;
}

} // namespace

bool names_plugin(const std::string& text) {
  const std::string path = text.substr(0, text.find(':', text.rfind('/') == text.npos ? 0 : text.rfind('/')));
  return path.find('/') != path.npos || (path.size() > 3 && path.compare(path.size() - 3, 3, ".so") == 0);
}

Problem load_plugin(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  const std::size_t colon = text.find(':', slash == text.npos ? 0 : slash);
  const std::string path = text.substr(0, colon);
  const std::string given = colon == text.npos ? "" : text.substr(colon + 1);
  // The loader searches the system's folders for a name without a slash; a user means the file.
  const std::string file = path.find('/') == path.npos ? "./" + path : path;
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) Plugin::fail(path, nullptr, "there is no such file");
  probe_in_child(file, given);
  auto plugin = open_library(file, given);
  plugin->probe();
  Problem problem = make(std::move(plugin));
  problem.source = file;
  return problem;
}

Problem problem_from_descriptor(const lodestep_problem& descriptor, const std::string& origin) {
  auto plugin = std::make_shared<const Plugin>(std::nullopt, descriptor, origin, "");
  plugin->probe();
  return make(std::move(plugin));
}

} // namespace lodestep::detail
