#include "train/learned_field.hpp"

#include "train/gram.hpp"
#include "train/least_squares.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

namespace lodestep::detail {

namespace {

using Eigen::Index;
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::size_t most_variables = 5;
constexpr std::size_t most_coefficients = 130;
constexpr unsigned largest_degree = 6;
/// Samples of the first and shortest segments, at least.
constexpr std::size_t shortest = 32;
/// Samples of a window of the weak form, and windows that each monomial wants.
constexpr std::size_t window = 16;
constexpr std::size_t windows_each = 10;
/// Residuals are of the means of so many samples: noise within one is averaged before anything is factorised.
constexpr std::size_t block = 8;
/// Of a variable's deviation: what is trusted of a sample where no noise was found.
constexpr double trusted = 1e-5;
/// Of all trajectories together, that suffice to choose a degree, to make segments longer, and for the last fit.
constexpr std::size_t steps_for_degrees = 30000;
constexpr std::size_t steps_for_lengths = 100000;
constexpr std::size_t steps_for_all = 400000;
constexpr int most_iterations = 8;
constexpr int few_iterations = 3;
/// Standardised states farther out than this diverged.
constexpr double far_out = 10.0;
/// A higher degree must leave so much less.
constexpr double clearly = 0.98;
/// What a field that is the true one may leave for rounding and the steps' own error: a higher degree only seems
/// better.
constexpr double exact = 1e-2;
/// Segments become so much longer at a time.
constexpr std::size_t longer_by = 4;
/// Longer segments may leave so much more, and a field so much more than the noise, in root mean squares.
constexpr double fits = 1.1;
/// Where there is no noise: what leaves more of what is trusted is no model of the data.
constexpr double hopeless = 1e3;

/// A solution of its own within one trajectory.
struct Segment {
  std::size_t trajectory = 0;
  std::size_t first = 0;
  std::size_t samples = 0; ///< that follow the first
  Eigen::VectorXd start;   ///< standardised
};

/// Gauss and Newton's method on W and the initial states of segments.
class Fit {
public:
  Fit(const Trajectories& measured, PolynomialField field, Eigen::VectorXd noise)
      : measured_(measured), field_(std::move(field)), noise_(std::move(noise)),
        d_(static_cast<Index>(measured.dimension)), n_(static_cast<Index>(field_.terms())), phi_(n_), slopes_(d_, n_) {}

  PolynomialField& field() noexcept { return field_; }
  const Eigen::VectorXd& noise() const noexcept { return noise_; }

  /// Mean square of the residuals, in units of the noise, after at most `iterations`; infinite where it diverges.
  double run(std::vector<Segment>& segments, bool coefficients, int iterations, const std::function<bool()>& proceed) {
    const Index w = coefficients ? d_ * n_ : 0;
    double damping = 1e-6;
    double cost = std::numeric_limits<double>::infinity();
    std::vector<Segment> trial = segments;
    Eigen::MatrixXd kept = field_.coefficients();
    for (int k = 0; k <= iterations; ++k) {
      System system(segments.size(), d_, w);
      const double now = assemble(trial, system, w, k < iterations);
      if (now < cost) {
        const bool settled = now > 0.995 * cost;
        cost = now;
        segments = trial;
        kept = field_.coefficients();
        last_ = std::move(system);
        damping = std::max(damping * 0.1, 1e-12);
        if (settled || k == iterations) break;
      } else {
        field_.coefficients() = kept;
        trial = segments;
        if (!std::isfinite(cost)) return cost;
        damping = std::max(damping, 1e-8) * 100.0;
        if (damping > 1e2) break;
        // The equations stand as they were but for their damping.
      }
      if (!proceed()) break;
      step(trial, w, damping);
    }
    field_.coefficients() = kept;
    return cost;
  }

  /// The segments' solutions at all samples.
  bool solve(const std::vector<Segment>& segments, Trajectories& to) const {
    for (const Segment& segment : segments) {
      std::vector<double> x(static_cast<std::size_t>(d_));
      field_.original(segment.start.data(), x.data());
      for (std::size_t s = 0;; ++s) {
        std::copy(x.begin(), x.end(), to.state(segment.trajectory, segment.first + s));
        if (s == segment.samples) break;
        if (!field_.flow(x.data(), measured_.dt, 1)) return false;
      }
    }
    return true;
  }

private:
  /// Normal equations, of each segment's initial state and of W.
  struct System {
    System(std::size_t segments, Index d, Index w)
        : start(segments, Eigen::MatrixXd::Zero(d, d)), mixed(segments, Eigen::MatrixXd::Zero(d, w)),
          start_right(segments, Eigen::VectorXd::Zero(d)), shared(Eigen::MatrixXd::Zero(w, w)),
          shared_right(Eigen::VectorXd::Zero(w)) {}
    System() : System(0, 0, 0) {}
    std::vector<Eigen::MatrixXd> start, mixed;
    std::vector<Eigen::VectorXd> start_right;
    Eigen::MatrixXd shared;
    Eigen::VectorXd shared_right;
  };

  double assemble(const std::vector<Segment>& segments, System& system, Index w, bool equations) {
    double sum = 0.0;
    std::size_t count = 0;
    const Index columns = d_ + w;
    sensitivity_.resize(d_, columns);
    for (auto* stage : {&k1_, &k2_, &k3_, &k4_, &at_}) stage->resize(d_, columns);
    Eigen::VectorXd mean(d_), data(d_);
    Rows gram(columns + 1, columns + 1), rows; // the last column is of residuals
    for (std::size_t n = 0; n < segments.size(); ++n) {
      const Segment& segment = segments[n];
      z_ = segment.start;
      if (equations) {
        sensitivity_.setZero();
        sensitivity_.leftCols(d_).setIdentity();
        rows.setZero(static_cast<Index>(segment.samples / block + 1) * d_, columns + 1);
      }
      Index row = 0;
      for (std::size_t s = 0; s <= segment.samples;) {
        mean.setZero();
        data.setZero();
        std::size_t in_block = 0;
        for (; in_block < block && s <= segment.samples; ++in_block, ++s) {
          mean += z_;
          data += field_.standardised(measured_.state(segment.trajectory, segment.first + s));
          if (equations) rows.block(row, 0, d_, columns) += sensitivity_;
          if (s < segment.samples && !advance(w, equations)) return std::numeric_limits<double>::infinity();
        }
        const auto weight = static_cast<double>(in_block);
        for (Index i = 0; i < d_; ++i) {
          const double scale = 1.0 / (std::sqrt(weight) * noise_[i]);
          const double residual = (data[i] - mean[i]) * scale;
          sum += residual * residual;
          if (!equations) continue;
          rows.row(row + i) *= scale;
          rows(row + i, columns) = residual;
        }
        row += d_;
      }
      count += static_cast<std::size_t>(row);
      if (!equations) continue;
      gram.setZero();
      add_gram(rows.data(), static_cast<std::size_t>(rows.rows()), static_cast<std::size_t>(columns + 1), gram.data());
      gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
      system.start[n] = gram.topLeftCorner(d_, d_);
      system.mixed[n] = gram.block(0, d_, d_, w);
      system.start_right[n] = gram.col(columns).head(d_);
      system.shared += gram.block(d_, d_, w, w);
      system.shared_right += gram.col(columns).segment(d_, w);
    }
    return sum / static_cast<double>(count);
  }

  /// One Runge-Kutta step of z and of its derivative by initial state and coefficients.
  bool advance(Index w, bool equations) {
    const double h = measured_.dt;
    const auto stage = [&](const Eigen::VectorXd& z, Eigen::VectorXd& f, const Rows& s, Rows& k) {
      field_.basis(z.data(), phi_.data(), equations ? slopes_.data() : nullptr);
      f.noalias() = field_.coefficients() * phi_;
      if (!equations) return;
      jacobian_.noalias() = field_.coefficients() * slopes_.transpose();
      for (Index i = 0; i < d_; ++i) {
        k.row(i) = jacobian_(i, 0) * s.row(0);
        for (Index j = 1; j < d_; ++j) k.row(i) += jacobian_(i, j) * s.row(j);
        if (w != 0) k.row(i).segment(d_ + i * n_, n_) += phi_.transpose();
      }
    };
    stage(z_, f1_, sensitivity_, k1_);
    if (equations) at_ = sensitivity_ + 0.5 * h * k1_;
    near_ = z_ + 0.5 * h * f1_;
    stage(near_, f2_, at_, k2_);
    if (equations) at_ = sensitivity_ + 0.5 * h * k2_;
    near_ = z_ + 0.5 * h * f2_;
    stage(near_, f3_, at_, k3_);
    if (equations) at_ = sensitivity_ + h * k3_;
    near_ = z_ + h * f3_;
    stage(near_, f4_, at_, k4_);
    z_ += h / 6.0 * (f1_ + 2.0 * (f2_ + f3_) + f4_);
    if (equations) sensitivity_ += h / 6.0 * (k1_ + 2.0 * (k2_ + k3_) + k4_);
    return z_.cwiseAbs().maxCoeff() < far_out; // NaN compares false
  }

  /// The next trial from the last equations.
  void step(std::vector<Segment>& trial, Index w, double damping) {
    Eigen::MatrixXd shared = last_.shared;
    Eigen::VectorXd right = last_.shared_right;
    std::vector<Eigen::MatrixXd> inverse;
    for (std::size_t n = 0; n < trial.size(); ++n) {
      Eigen::MatrixXd start = last_.start[n];
      start.diagonal() *= 1.0 + damping;
      inverse.push_back(start.ldlt().solve(Eigen::MatrixXd::Identity(d_, d_)));
      if (w == 0) continue;
      shared.noalias() -= last_.mixed[n].transpose() * (inverse[n] * last_.mixed[n]);
      right.noalias() -= last_.mixed[n].transpose() * (inverse[n] * last_.start_right[n]);
    }
    Eigen::VectorXd change = Eigen::VectorXd::Zero(w);
    if (w != 0) {
      shared.diagonal() += damping * last_.shared.diagonal();
      shared.diagonal().array() += 1e-14 * shared.diagonal().maxCoeff();
      change = shared.ldlt().solve(right);
      field_.coefficients() += change.reshaped<Eigen::RowMajor>(d_, n_);
    }
    for (std::size_t n = 0; n < trial.size(); ++n) {
      Eigen::VectorXd rest = last_.start_right[n];
      if (w != 0) rest -= last_.mixed[n] * change;
      trial[n].start += inverse[n] * rest;
    }
  }

  const Trajectories& measured_;
  PolynomialField field_;
  Eigen::VectorXd noise_;
  Index d_, n_;
  System last_;
  Eigen::VectorXd z_, near_, f1_, f2_, f3_, f4_, phi_;
  Eigen::MatrixXd slopes_, jacobian_;
  Rows sensitivity_, k1_, k2_, k3_, k4_, at_;
};

/// `count` segments of each of the trajectories first, first + stride, .., below last, started on smoothed states.
std::vector<Segment> cut(const Trajectories& smoothed, const PolynomialField& field, std::size_t first,
                         std::size_t last, std::size_t stride, std::size_t count) {
  std::vector<Segment> segments;
  const std::size_t length = (smoothed.times - 1) / count;
  for (std::size_t k = first; k < last; k += stride) {
    for (std::size_t s = 0; s < count; ++s) {
      const std::size_t at = s * length;
      segments.push_back(
          {k, at, (s + 1 == count ? smoothed.times - 1 : at + length) - at, field.standardised(smoothed.state(k, at))});
    }
  }
  return segments;
}

/// Every `by` segments made one.
std::vector<Segment> joined(const std::vector<Segment>& segments, std::size_t by) {
  std::vector<Segment> longer;
  for (std::size_t n = 0; n < segments.size(); ++n) {
    if (n % by == 0) {
      longer.push_back(segments[n]);
    } else {
      longer.back().samples += segments[n].samples;
    }
  }
  return longer;
}

/// W by increments over windows of samples, which are integrals of W phi along the smoothed trajectories: by the
/// trapezoidal rule, good enough to start from.
Eigen::MatrixXd weak_form(const Trajectories& smoothed, const PolynomialField& field, std::size_t last) {
  const auto d = static_cast<Index>(smoothed.dimension), n = static_cast<Index>(field.terms());
  const std::size_t windows = (smoothed.times - 1) / window;
  Eigen::MatrixXd basis(n, static_cast<Index>(windows * last)), target(d, basis.cols());
  Eigen::VectorXd phi(n);
  Index column = 0;
  for (std::size_t k = 0; k < last; ++k) {
    for (std::size_t m = 0; m < windows; ++m, ++column) {
      basis.col(column).setZero();
      for (std::size_t s = 0; s <= window; ++s) {
        field.basis(field.standardised(smoothed.state(k, m * window + s)).data(), phi.data(), nullptr);
        basis.col(column) += (s == 0 || s == window ? 0.5 : 1.0) * smoothed.dt * phi;
      }
      target.col(column) =
          field.standardised(smoothed.state(k, (m + 1) * window)) - field.standardised(smoothed.state(k, m * window));
    }
  }
  return RidgeSolver(basis, target).solve(1e-10);
}

/// Every so many of `trajectories` have about `most` steps together.
std::size_t every(std::size_t trajectories, std::size_t steps, std::size_t most) {
  return std::max<std::size_t>(1, trajectories * steps / most);
}

/// The field of the lowest degree that does well on held-out trajectories, cut into `pieces`.
std::optional<Fit> best_degree(const Trajectories& measured, const Trajectories& smoothed, const Smoothing& smoothing,
                               std::size_t held_out, std::size_t pieces, const std::function<bool()>& proceed) {
  const std::size_t learned = measured.trajectories - held_out, steps = measured.times - 1;
  const auto d = static_cast<Index>(measured.dimension);
  const Eigen::Map<const Eigen::MatrixXd> all(smoothed.states.data(), d,
                                              static_cast<Index>(smoothed.trajectories * smoothed.times));
  const Eigen::VectorXd low = all.rowwise().minCoeff(), high = all.rowwise().maxCoeff();
  Eigen::VectorXd scale = 0.5 * (high - low), noise(d);
  for (Index i = 0; i < d; ++i) {
    if (!(scale[i] > 0.0)) scale[i] = 1.0;
    noise[i] = std::max(smoothing.noise_rms[static_cast<std::size_t>(i)] / scale[i], trusted);
  }
  std::optional<Fit> best;
  double best_left = std::numeric_limits<double>::infinity();
  for (unsigned degree = 1; degree <= largest_degree && proceed(); ++degree) {
    PolynomialField field(0.5 * (low + high), scale, degree);
    const auto terms = field.terms();
    if (terms * measured.dimension > most_coefficients || terms * windows_each > learned * (steps / window)) break;
    field.coefficients() = weak_form(smoothed, field, learned);
    Fit fit(measured, field, noise);
    auto some = cut(smoothed, field, 0, learned, every(learned, steps, steps_for_degrees), pieces);
    double left = fit.run(some, true, few_iterations, proceed);
    if (!std::isfinite(left)) continue;
    if (held_out > 0) {
      some =
          cut(smoothed, field, learned, measured.trajectories, every(held_out, steps, steps_for_degrees / 2), pieces);
      left = fit.run(some, false, few_iterations, proceed);
    }
    left = std::max(left, exact);
    if (!(left < clearly * clearly * best_left)) continue;
    best_left = left;
    best.emplace(std::move(fit));
  }
  return best;
}

} // namespace

std::optional<LearnedField> learn_field(const Trajectories& measured, const Trajectories& smoothed,
                                        const Smoothing& smoothing, std::size_t held_out,
                                        const std::function<bool()>& proceed) {
  const std::size_t learned = measured.trajectories - held_out, steps = measured.times - 1;
  if (measured.dimension > most_variables || learned == 0 || steps < 2 * shortest) return std::nullopt;
  std::size_t pieces = 1; // that a trajectory is cut into
  while (steps / (2 * pieces) >= shortest) pieces *= 2;
  auto fit = best_degree(measured, smoothed, smoothing, held_out, pieces, proceed);
  if (!fit) return std::nullopt;

  std::size_t count = pieces;
  auto segments = cut(smoothed, fit->field(), 0, learned, every(learned, steps, steps_for_lengths), count);
  double left = fit->run(segments, true, most_iterations, proceed);
  while (count > 1 && proceed()) {
    const std::size_t next_count = count / std::min(count, longer_by);
    auto longer = joined(segments, count / next_count);
    const Eigen::MatrixXd kept = fit->field().coefficients();
    const double next = fit->run(longer, true, most_iterations, proceed);
    if (!(next < std::max(fits * fits * left, 1.0))) {
      fit->field().coefficients() = kept;
      break;
    }
    left = next;
    segments = std::move(longer);
    count = next_count;
  }
  if (!smoothing.any()) {
    if (!(left < hopeless * hopeless)) return std::nullopt;
    return LearnedField{fit->field(), smoothed, count, std::sqrt(left)};
  }
  // Every trajectory's initial states by that W, in ever longer segments again; then W by all that are learned from.
  auto everything = cut(smoothed, fit->field(), 0, measured.trajectories, 1, pieces);
  fit->run(everything, false, few_iterations, proceed);
  while (pieces > count) {
    const std::size_t by = std::min(longer_by, pieces / count);
    everything = joined(everything, by);
    pieces /= by;
    fit->run(everything, false, few_iterations, proceed);
  }
  const std::size_t stride = every(learned, steps, steps_for_all);
  std::vector<Segment> of_learned;
  std::copy_if(everything.begin(), everything.end(), std::back_inserter(of_learned),
               [&](const Segment& s) { return s.trajectory < learned && s.trajectory % stride == 0; });
  fit->run(of_learned, true, few_iterations, proceed);
  LearnedField result{fit->field(), smoothed, count, std::sqrt(fit->run(everything, false, few_iterations, proceed))};
  if (!(result.residual < fits) || !fit->solve(everything, result.consistent)) return std::nullopt;
  return result;
}

} // namespace lodestep::detail
