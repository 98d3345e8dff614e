#include "problem/kuramoto_sivashinsky.hpp"

#include <algorithm>
#include <complex>
#include <fftw3.h>
#include <memory>
#include <mutex>

namespace lodestep::problem {

namespace {

using Complex = std::complex<double>;
using Spectrum = std::vector<Complex>;

/// FFTW's planner is for one thread at a time; executing a plan on other arrays is for any number.
std::mutex planner;

/// Transforms between values and spectra (not normalised). Plans are estimated, never measured: the same bits each run.
class Transform {
public:
  explicit Transform(std::size_t points) : points_(points) {
    std::vector<double> values(points);
    Spectrum spectrum(points / 2 + 1);
    const int n = static_cast<int>(points);
    const std::lock_guard lock(planner);
    forward_ = fftw_plan_dft_r2c_1d(n, values.data(), raw(spectrum), FFTW_ESTIMATE | FFTW_UNALIGNED);
    backward_ = fftw_plan_dft_c2r_1d(n, raw(spectrum), values.data(), FFTW_ESTIMATE | FFTW_UNALIGNED);
  }
  ~Transform() {
    const std::lock_guard lock(planner);
    fftw_destroy_plan(forward_);
    fftw_destroy_plan(backward_);
  }
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;

  std::size_t points() const noexcept { return points_; }
  /// Overwrites `values`, too.
  void forward(double* values, Spectrum& spectrum) const { fftw_execute_dft_r2c(forward_, values, raw(spectrum)); }
  /// Overwrites `spectrum`, too.
  void backward(Spectrum& spectrum, double* values) const { fftw_execute_dft_c2r(backward_, raw(spectrum), values); }

private:
  static fftw_complex* raw(Spectrum& spectrum) noexcept { return reinterpret_cast<fftw_complex*>(spectrum.data()); }

  std::size_t points_;
  fftw_plan forward_;
  fftw_plan backward_;
};

class KuramotoSivashinsky {
public:
  KuramotoSivashinsky(std::size_t points, double length) : transform_(points) {
    for (std::size_t m = 0; m <= points / 2; ++m) {
      const double k = 2.0 * pi * static_cast<double>(m) / length;
      linear_.push_back(k * k - k * k * k * k);
      // A first derivative of the highest mode, which is its own alias, would not be real.
      slope_.push_back(2 * m == points ? 0.0 : k);
    }
  }

  std::size_t points() const noexcept { return transform_.points(); }
  const std::vector<double>& linear() const noexcept { return linear_; }
  const Transform& transform() const noexcept { return transform_; }

  /// The spectrum of -u u_x = -(u^2 / 2)_x. `work` and `values` are scratch.
  void nonlinear(const Spectrum& u, Spectrum& work, std::vector<double>& values, Spectrum& result) const {
    work = u;
    transform_.backward(work, values.data());
    const double scale = 1.0 / static_cast<double>(points());
    for (double& v : values) v = scale * v * (scale * v);
    transform_.forward(values.data(), result);
    for (std::size_t m = 0; m < result.size(); ++m) result[m] *= Complex(0.0, -0.5 * slope_[m]);
  }

  void derivative(const double* u, double* dudt) const {
    std::vector<double> values(u, u + points());
    Spectrum spectrum(linear_.size()), work(linear_.size()), rate(linear_.size());
    transform_.forward(values.data(), spectrum);
    nonlinear(spectrum, work, values, rate);
    for (std::size_t m = 0; m < rate.size(); ++m) rate[m] += linear_[m] * spectrum[m];
    transform_.backward(rate, dudt);
    for (std::size_t i = 0; i < points(); ++i) dudt[i] /= static_cast<double>(points());
  }

private:
  Transform transform_;
  std::vector<double> linear_; ///< k^2 - k^4 of every mode
  std::vector<double> slope_;  ///< k
};

/// The exponential Runge-Kutta method of order 4 for u' = L u + N(u) with diagonal L (Cox and Matthews 2002, ETDRK4),
/// its coefficients by contour integrals (Kassam and Trefethen 2005): the linear part is exact, the step free of its
/// stiffness.
class ExponentialStepper {
public:
  ExponentialStepper(const KuramotoSivashinsky& equation, double h) : equation_(equation) {
    constexpr int nodes = 32;
    for (const double of_mode : equation.linear()) {
      const double c = h * of_mode;
      Complex q, f1, f2, f3;
      for (int j = 0; j < nodes; ++j) {
        // Half a circle: the other half gives the conjugates.
        const Complex z = c + std::exp(Complex(0.0, pi * (j + 0.5) / nodes));
        const Complex e = std::exp(z), cube = z * z * z;
        q += (std::exp(0.5 * z) - 1.0) / z;
        f1 += (-4.0 - z + e * (4.0 - 3.0 * z + z * z)) / cube;
        f2 += (2.0 + z + e * (z - 2.0)) / cube;
        f3 += (-4.0 - 3.0 * z - z * z + e * (4.0 - z)) / cube;
      }
      const double weight = h / nodes;
      modes_.push_back({std::exp(c), std::exp(0.5 * c), weight * q.real(), weight * f1.real(), weight * f2.real(),
                        weight * f3.real()});
    }
    for (Spectrum* s : {&at_u_, &a_, &at_a_, &b_, &at_b_, &c_, &at_c_, &work_}) s->resize(modes_.size());
    values_.resize(equation.points());
  }

  void step(Spectrum& u) {
    const std::size_t n = modes_.size();
    equation_.nonlinear(u, work_, values_, at_u_);
    for (std::size_t m = 0; m < n; ++m) a_[m] = modes_[m].half * u[m] + modes_[m].q * at_u_[m];
    equation_.nonlinear(a_, work_, values_, at_a_);
    for (std::size_t m = 0; m < n; ++m) b_[m] = modes_[m].half * u[m] + modes_[m].q * at_a_[m];
    equation_.nonlinear(b_, work_, values_, at_b_);
    for (std::size_t m = 0; m < n; ++m) c_[m] = modes_[m].half * a_[m] + modes_[m].q * (2.0 * at_b_[m] - at_u_[m]);
    equation_.nonlinear(c_, work_, values_, at_c_);
    for (std::size_t m = 0; m < n; ++m) {
      const auto& mode = modes_[m];
      u[m] = mode.whole * u[m] + mode.f1 * at_u_[m] + 2.0 * mode.f2 * (at_a_[m] + at_b_[m]) + mode.f3 * at_c_[m];
    }
  }

private:
  struct Mode {
    double whole; ///< exp(h L)
    double half;  ///< exp(h L / 2)
    double q, f1, f2, f3;
  };
  const KuramotoSivashinsky& equation_;
  std::vector<Mode> modes_;
  Spectrum at_u_, a_, at_a_, b_, at_b_, c_, at_c_, work_;
  std::vector<double> values_;
};

/// States [times, points] from u0, `substeps` exponential steps between two.
void solve(const KuramotoSivashinsky& equation, const double* u0, double dt, std::size_t times, std::size_t substeps,
           double* states) {
  const std::size_t n = equation.points();
  ExponentialStepper stepper(equation, dt / static_cast<double>(substeps));
  Spectrum spectrum(n / 2 + 1), copy;
  std::copy_n(u0, n, states);
  std::vector<double> values(u0, u0 + n);
  equation.transform().forward(values.data(), spectrum);
  for (std::size_t t = 1; t < times; ++t) {
    for (std::size_t s = 0; s < substeps; ++s) stepper.step(spectrum);
    copy = spectrum;
    double* to = states + t * n;
    equation.transform().backward(copy, to);
    for (std::size_t i = 0; i < n; ++i) {
      to[i] /= static_cast<double>(n);
      if (!std::isfinite(to[i])) {
        throw InvalidData("problem 'kuramoto_sivashinsky': the solution diverges in u_" + std::to_string(i + 1) +
                          " at t = " + std::to_string(static_cast<double>(t) * dt));
      }
    }
  }
}

/// Steps of the reference: with it one unit of time is right to 1e-12 on the attractor.
constexpr double reference_step = 0.0025;
/// Random smooth states reach the attractor within this time, and rounding has not grown far.
constexpr double transient = 100.0;
constexpr double transient_step = 0.1;

double reference(const KuramotoSivashinsky& equation, const double* u0, double dt, std::size_t times, double* states,
                 bool estimate_error) {
  const auto substeps = static_cast<std::size_t>(std::max(1.0, std::ceil(dt / reference_step * (1.0 - 1e-12))));
  solve(equation, u0, dt, times, substeps, states);
  if (!estimate_error) return 0.0;
  // By twice the step: an order 4 method's error is a fifteenth of the difference, and chaos lets it grow alike.
  const std::size_t n = equation.points() * times;
  std::vector<double> coarser(n);
  solve(equation, u0, dt, times, std::max<std::size_t>(1, substeps / 2), coarser.data());
  double difference = 0.0, size = 1.0;
  for (std::size_t i = 0; i < n; ++i) {
    difference = std::max(difference, std::abs(states[i] - coarser[i]));
    size = std::max(size, std::abs(states[i]));
  }
  return difference / (substeps > 1 ? 15.0 : 1.0) / size;
}

} // namespace

void KuramotoSivashinskyDefinition::define(Problem& problem) {
  const std::size_t points = whole(problem, "points", 32, 4096);
  if (points % 2 != 0) {
    throw InvalidArgument("kuramoto_sivashinsky: points = " + std::to_string(points) + " must be even");
  }
  const double length = positive(problem, "length");
  for (std::size_t i = 1; i <= points; ++i) problem.variables.push_back({"u_" + std::to_string(i), ""});
  problem.horizon = 100.0;
  problem.dt = 0.025;
  problem.fine_dt = 0.025;
  // Shared by copies of the problem.
  const auto equation = std::make_shared<const KuramotoSivashinsky>(points, length);
  problem.rhs = [equation](double /*t*/, const double* u, double* dudt) { equation->derivative(u, dudt); };
  // Three transforms of 2.5 n log2(n) operations each, and what is done to every mode.
  const auto n = static_cast<double>(points);
  problem.rhs_cost_ns = 0.2 * (3.0 * 2.5 * n * std::log2(n) + 10.0 * n);
  problem.solve = [equation](const double* u0, double dt, std::size_t times, double* states, bool estimate_error) {
    return reference(*equation, u0, dt, times, states, estimate_error);
  };
  problem.sample = [equation](Random& random, double* u0) {
    constexpr std::size_t longest_waves = 8;
    const std::size_t count = equation->points();
    std::vector<double> start(count, 0.0), states(2 * count);
    for (std::size_t m = 1; m <= longest_waves; ++m) {
      const double a = 0.3 * random.normal(), b = 0.3 * random.normal();
      for (std::size_t i = 0; i < count; ++i) {
        const double x = 2.0 * pi * static_cast<double>(m * i) / static_cast<double>(count);
        start[i] += a * std::cos(x) + b * std::sin(x);
      }
    }
    lodestep::problem::solve(*equation, start.data(), transient, 2,
                             static_cast<std::size_t>(transient / transient_step), states.data());
    std::copy_n(states.data() + count, count, u0);
  };
}

} // namespace lodestep::problem
