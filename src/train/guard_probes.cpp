#include "train/guard_probes.hpp"

#include "train/bare_step.hpp"

#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <exception>

namespace lodestep::detail {

namespace {

constexpr std::uint64_t probe_stream = 128; // beside those of Split and of parameters
constexpr double most_cost_ns = 1e8;        // of all probes' right-hand sides, as modelled
constexpr std::size_t fewest_probes = 200;
// With more sub-steps the reference solver costs less than the fallback, whose own error is then not told.
constexpr std::size_t most_substeps = 64;
constexpr double reference_evaluations = 4000.0; // as many would take its time, roughly
// Steps that a probe of the fourth kind is followed for, and how far outside the box it may begin, in half widths.
constexpr std::size_t followed = 12;
constexpr double beyond = 1.33;

class Probing {
public:
  Probing(const CorrectorModel& corrector, const Approximator& approximator, const Cases& train,
          const GuardProbeOptions& options)
      : corrector_(corrector), train_(train), options_(options), random_(options.seed, probe_stream, 0),
        scheme_(classical_tableau(corrector.fallback_scheme())), fallback_(scheme_, dimension()),
        learned_(corrector, approximator, dimension()) {}

  GuardProbes run() {
    const std::size_t most = affordable();
    GuardProbes probes;
    const auto columns = static_cast<Eigen::Index>(most);
    probes.inputs.resize(static_cast<Eigen::Index>(learned_.features().density_count()), columns);
    probes.error.resize(static_cast<Eigen::Index>(dimension()), columns);
    probes.fallback.resize(columns);
    Eigen::Index found = 0;
    // Draws that fall outside are not repeated for ever.
    for (std::size_t draw = 0; draw < 3 * most && found < columns; ++draw) {
      const std::size_t kind = draw % 4;
      const Context context = drawn_context();
      Eigen::VectorXd u = drawn(kind < 3 ? kind : draw / 4 % 3, context);
      if (kind == 3) {
        u = middle() + beyond * (u - middle());
        const std::size_t steps = 1 + static_cast<std::size_t>(random_.uniform(0.0, 1.0) * followed);
        if (!follow(context, steps, u)) continue;
      }
      if (inside(u) && measure(context, u, probes, found)) ++found;
    }
    probes.inputs.conservativeResize(Eigen::NoChange, found);
    probes.error.conservativeResize(Eigen::NoChange, found);
    probes.fallback.conservativeResize(found);
    return probes;
  }

private:
  /// Time, parameters and step of a probe: those of some pair of training.
  struct Context {
    std::size_t trajectory;
    std::size_t start;
    double t;
    double h;
  };

  std::size_t dimension() const { return train_.trajectories.dimension; }
  std::size_t below(std::size_t count) {
    return std::min(static_cast<std::size_t>(random_.uniform(0.0, 1.0) * static_cast<double>(count)), count - 1);
  }
  std::size_t substeps(double h) const {
    const double count = std::ceil(h / corrector_.dt * corrector_.fallback_substeps * (1.0 - 1e-9));
    return static_cast<std::size_t>(std::max(count, 1.0));
  }

  std::size_t affordable() const {
    const auto stages = static_cast<double>(scheme_.stages());
    const auto steps = static_cast<double>(std::min<std::size_t>(corrector_.fallback_substeps, most_substeps));
    // Each is measured, one in four followed for half as many steps as that may be.
    const double measured = corrector_.fallback_substeps > most_substeps ? reference_evaluations : 3.0 * stages * steps;
    const double evaluations = measured + stages * steps * followed / 8.0;
    const double most = most_cost_ns / (evaluations * std::max(options_.rhs_cost_ns, 2.0));
    const auto count = static_cast<std::size_t>(std::min(most, 1e9));
    return std::min(options_.most, std::max(fewest_probes, count));
  }

  Context drawn_context() {
    const Trajectories& t = train_.trajectories;
    const std::size_t stride = options_.strides[below(options_.strides.size())];
    Context context{below(t.trajectories), below(t.times - stride), 0.0, 0.0};
    context.t = t.t0 + static_cast<double>(context.start) * t.dt;
    context.h = static_cast<double>(stride) * t.dt;
    return context;
  }

  double lower(std::size_t v) const { return corrector_.domain.state[v].lower; }
  double upper(std::size_t v) const { return corrector_.domain.state[v].upper; }
  Eigen::VectorXd middle() const {
    Eigen::VectorXd m(static_cast<Eigen::Index>(dimension()));
    for (std::size_t v = 0; v < dimension(); ++v) m[static_cast<Eigen::Index>(v)] = 0.5 * (lower(v) + upper(v));
    return m;
  }

  Eigen::VectorXd drawn(std::size_t kind, const Context& context) {
    const Trajectories& t = train_.trajectories;
    const double size = std::pow(10.0, random_.uniform(-4.0, 0.0)); // of the third kind
    Eigen::VectorXd u(static_cast<Eigen::Index>(dimension()));
    for (std::size_t v = 0; v < dimension(); ++v) {
      double value = 0.0;
      if (kind == 0) {
        value = random_.uniform(lower(v), upper(v));
      } else if (kind == 1) {
        value = t.state(below(t.trajectories), below(t.times))[v];
      } else {
        value = t.state(context.trajectory, context.start)[v];
        value += size * (upper(v) - lower(v)) * random_.uniform(-0.5, 0.5);
      }
      u[static_cast<Eigen::Index>(v)] = value;
    }
    return u;
  }

  bool inside(const Eigen::VectorXd& u) const {
    for (std::size_t v = 0; v < dimension(); ++v) {
      const double value = u[static_cast<Eigen::Index>(v)];
      if (!(value >= lower(v) && value <= upper(v))) return false;
    }
    return true;
  }

  /// `count` steps of the fallback over `length`. False where the right-hand side is not defined: a state that a
  /// problem refuses is not its guard's to judge.
  bool advance(const Context& context, double length, std::size_t count, Eigen::VectorXd& u) {
    const double h = length / static_cast<double>(count);
    const Problem& problem = train_.problem(context.trajectory);
    try {
      for (std::size_t k = 0; k < count; ++k) {
        fallback_.step(problem.rhs, context.t + static_cast<double>(k) * h, u.data(), h, u.data());
      }
    } catch (const std::exception&) {
      return false;
    }
    return u.allFinite();
  }

  bool follow(const Context& context, std::size_t steps, Eigen::VectorXd& u) {
    for (std::size_t n = 0; n < steps; ++n) {
      if (!advance(context, context.h, std::min(substeps(context.h), most_substeps), u)) return false;
    }
    return true;
  }

  /// The true state a step after u, and the root mean square error of the fallback, 0 if it is not known.
  bool solve(const Context& context, Eigen::VectorXd& u, double& fallback) {
    const std::size_t count = substeps(context.h);
    if (count > most_substeps) {
      std::vector<double> states(2 * dimension());
      try {
        reference_solution(train_.problem(context.trajectory), u.data(), context.t, context.h, 2, states.data(), false);
      } catch (const std::exception&) {
        return false;
      }
      std::copy_n(states.data() + dimension(), dimension(), u.data());
      return true;
    }
    Eigen::VectorXd coarse = u;
    Eigen::VectorXd fine = u;
    if (!advance(context, context.h, count, coarse) || !advance(context, context.h, 2 * count, fine)) return false;
    u = fine + (fine - coarse) / (std::pow(2.0, scheme_.order) - 1.0);
    fallback = (coarse - u).norm() / std::sqrt(static_cast<double>(u.size()));
    return true;
  }

  bool measure(const Context& context, const Eigen::VectorXd& u, GuardProbes& probes, Eigen::Index column) {
    Eigen::VectorXd exact = u;
    double fallback = 0.0;
    if (!solve(context, exact, fallback)) return false;
    Eigen::VectorXd next = u;
    const double* parameters = train_.values(context.trajectory);
    try {
      learned_(train_.problem(context.trajectory), context.t, context.h, parameters, next.data());
    } catch (const std::exception&) {
      return false;
    }
    if (!next.allFinite()) return false; // such a correction is refused
    const double factor = learned_.features().factor(context.h);
    for (std::size_t v = 0; v < dimension(); ++v) {
      if (std::abs(learned_.correction()[v]) > factor * corrector_.domain.correction_limit[v]) return false;
    }
    learned_.features().make_density(context.t, u.data(), parameters, probes.inputs.col(column).data());
    probes.error.col(column) = (next - exact) / factor;
    probes.fallback[column] = fallback / factor;
    return true;
  }

  const CorrectorModel& corrector_;
  const Cases& train_;
  const GuardProbeOptions& options_;
  Random random_;
  const ButcherTableau& scheme_;
  RungeKutta fallback_;
  BareStep learned_;
};

} // namespace

GuardProbes make_guard_probes(const CorrectorModel& corrector, const Approximator& approximator, const Cases& train,
                              const GuardProbeOptions& options) {
  return Probing(corrector, approximator, train, options).run();
}

} // namespace lodestep::detail
