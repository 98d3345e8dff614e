#include "train/rknn_fit.hpp"

#include "train/jet_stepper.hpp"

#include <lodestep/error.hpp>
#include <lodestep/order_conditions.hpp>

#include <Eigen/Core>
#include <unsupported/Eigen/NonLinearOptimization>

#include <algorithm>
#include <cmath>

namespace lodestep::detail {

namespace {

// A ratio beyond this tells nothing but "unusable"; a bounded residual keeps one diverging start from overflowing.
constexpr double largest_ratio = 1e4;

double normalised(double value, Interval range) {
  const double half = 0.5 * (range.upper - range.lower);
  return half > 0.0 ? (value - 0.5 * (range.lower + range.upper)) / half : 0.0;
}

} // namespace

std::vector<std::vector<unsigned>> rknn_monomials(bool in_dt, std::size_t parameters, unsigned degree) {
  std::vector<std::vector<unsigned>> all;
  std::vector<unsigned> powers(1 + parameters, 0);
  for (unsigned total = 0; total <= degree; ++total) {
    const auto fill = [&](auto&& self, std::size_t i, unsigned left) -> void {
      if (i == parameters) {
        powers[i] = left;
        if (left == 0 || i > 0 || in_dt) all.push_back(powers);
        powers[i] = 0;
        return;
      }
      for (unsigned n = 0; n <= (i == 0 && !in_dt ? 0 : left); ++n) {
        powers[i] = n;
        self(self, i + 1, left - n);
      }
      powers[i] = 0;
    };
    fill(fill, 0, total);
  }
  return all;
}

RknnFitter::RknnFitter(const Family& family, const RknnTasks& tasks, const RknnFitOptions& options)
    : family_(family), tasks_(tasks), options_(options) {}

void RknnFitter::monomials(double dt, const double* parameters, double* phi) const {
  const auto& list = options_.shape.monomials;
  for (std::size_t m = 0; m < list.size(); ++m) {
    phi[m] = 1.0;
    for (std::size_t i = 0; i < list[m].size(); ++i) {
      const double x = list[m][i] == 0 ? 1.0
                       : i == 0        ? normalised(dt, family_.dt)
                                       : normalised(parameters[i - 1], family_.parameters[i - 1].range);
      for (unsigned n = 0; n < list[m][i]; ++n) phi[m] *= x;
    }
  }
}

void RknnFitter::numbers_at(const std::vector<double>& x, const double* phi, double* numbers) const {
  const std::size_t n = options_.shape.numbers();
  std::fill_n(numbers, n, 0.0);
  for (std::size_t m = 0; m < options_.shape.monomials.size(); ++m) {
    for (std::size_t i = 0; i < n; ++i) numbers[i] += phi[m] * x[m * n + i];
  }
}

void RknnFitter::raw(const double* numbers, double* coefficients, double* jacobian) const {
  const RknnShape& shape = options_.shape;
  const std::size_t lower = shape.lower();
  const std::size_t s = shape.stages;
  const std::size_t n = shape.numbers();
  if (jacobian) std::fill_n(jacobian, shape.coefficients() * n, 0.0);
  for (std::size_t i = 0; i < lower; ++i) {
    coefficients[i] = numbers[i];
    if (jacobian) jacobian[i * n + i] = 1.0;
  }
  double* b = coefficients + lower;
  if (shape.softmax) {
    const double largest = *std::max_element(numbers + lower, numbers + lower + s);
    double sum = 0.0;
    for (std::size_t i = 0; i < s; ++i) sum += b[i] = std::exp(numbers[lower + i] - largest);
    for (std::size_t i = 0; i < s; ++i) b[i] /= sum;
    for (std::size_t i = 0; jacobian && i < s; ++i) {
      for (std::size_t j = 0; j < s; ++j) jacobian[(lower + i) * n + lower + j] = b[i] * ((i == j ? 1.0 : 0.0) - b[j]);
    }
  } else {
    b[s - 1] = 1.0;
    for (std::size_t i = 0; i + 1 < s; ++i) {
      b[i] = numbers[lower + i];
      b[s - 1] -= b[i];
      if (jacobian) jacobian[(lower + i) * n + lower + i] = 1.0;
      if (jacobian) jacobian[(lower + s - 1) * n + lower + i] = -1.0;
    }
  }
}

void RknnFitter::coefficients(const std::vector<double>& x, double dt, const double* parameters, double* a,
                              double* b) const {
  const std::size_t s = options_.shape.stages;
  std::vector<double> phi(options_.shape.monomials.size());
  std::vector<double> numbers(options_.shape.numbers());
  std::vector<double> c(options_.shape.coefficients());
  monomials(dt, parameters, phi.data());
  numbers_at(x, phi.data(), numbers.data());
  raw(numbers.data(), c.data(), nullptr);
  std::fill_n(a, s * s, 0.0);
  for (std::size_t i = 1; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) a[i * s + j] = c[i * (i - 1) / 2 + j];
  }
  std::copy_n(c.data() + options_.shape.lower(), s, b);
}

void RknnFitter::coefficients_with_slopes(const std::vector<double>& x, double dt, const double* parameters,
                                          double* row, double* slopes) const {
  const RknnShape& shape = options_.shape;
  const std::size_t n = shape.numbers();
  const std::size_t count = shape.monomials.size();
  std::vector<double> phi(count), numbers(n), chain(shape.coefficients() * n);
  monomials(dt, parameters, phi.data());
  numbers_at(x, phi.data(), numbers.data());
  raw(numbers.data(), row, chain.data());
  for (std::size_t j = 0; j < shape.coefficients(); ++j) {
    for (std::size_t m = 0; m < count; ++m) {
      for (std::size_t k = 0; k < n; ++k) slopes[(j * count + m) * n + k] = chain[j * n + k] * phi[m];
    }
  }
}

std::vector<double> RknnFitter::random_start(Random& random) const {
  // Nodes and weights between 0 and 1, spread over the columns of each row: where useful methods are.
  const RknnShape& shape = options_.shape;
  std::vector<double> x(shape.size(), 0.0);
  for (std::size_t i = 1; i < shape.stages; ++i) {
    double left = random.uniform(0.2, 1.2);
    for (std::size_t j = 0; j < i; ++j) {
      const double part = j + 1 == i ? left : random.uniform(-0.5, 1.0);
      x[i * (i - 1) / 2 + j] = part;
      left -= part;
    }
  }
  for (std::size_t i = shape.lower(); i < shape.numbers(); ++i) {
    x[i] = shape.softmax ? random.uniform(-1.0, 1.0) : random.uniform(0.0, 0.7);
  }
  return x;
}

namespace {

// The residuals of the algebraic order conditions up to `order`, with derivatives by coefficient.
template <std::size_t N>
void order_residuals(const double* coefficients, std::size_t s, unsigned order, std::vector<Jet<double, N>>& result) {
  using J = Jet<double, N>;
  const std::size_t lower = s * (s - 1) / 2;
  std::vector<J> c(lower + s);
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = J::variable(coefficients[i], i);
  const auto& trees = rooted_trees();
  std::vector<J> phi;
  result.clear();
  for (const auto& tree : trees) {
    if (tree.order > order) break;
    J sum(-1.0 / tree.density);
    for (std::size_t i = 0; i < s; ++i) {
      J product(1.0);
      for (std::size_t child : tree.children) {
        J row(0.0);
        for (std::size_t j = 0; j < i; ++j) row += c[i * (i - 1) / 2 + j] * phi[child * s + j];
        product *= row;
      }
      phi.push_back(product);
      sum += c[lower + i] * product;
    }
    result.push_back(sum);
  }
}

constexpr std::size_t order_lanes = 28; // six stages

} // namespace

/// Residuals of all samples for Eigen's Levenberg-Marquardt (MINPACK's lmder).
struct RollOutProblem {
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  const RknnFitter& fitter;
  std::vector<double> weight; ///< [samples]
  std::size_t conditions = 0;

  explicit RollOutProblem(const RknnFitter& f) : fitter(f), weight(f.tasks_.samples.size(), 1.0) {
    if (f.options_.order_weight > 0.0) {
      for (const auto& tree : rooted_trees()) conditions += tree.order <= f.options_.order ? 1 : 0;
    }
  }
  int inputs() const { return static_cast<int>(fitter.options_.shape.size()); }
  std::size_t dimension() const { return fitter.family_.dimension(); }
  int values() const { return static_cast<int>(weight.size() * dimension() + conditions); }

  int operator()(const InputType& x, ValueType& f) const {
    const auto& shape = fitter.options_.shape;
    const std::size_t d = dimension();
    std::vector<double> numbers(x.data(), x.data() + x.size());
    std::vector<double> a(shape.stages * shape.stages), b(shape.stages), difference(d);
    RknnStepper stepper(fitter.family_, shape.stages);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const RknnSample& sample = fitter.tasks_.samples[i];
      const RknnTask& task = fitter.tasks_.tasks[sample.task];
      if (i == 0 || shape.monomials.size() > 1) {
        fitter.coefficients(numbers, sample.dt, task.parameters.data(), a.data(), b.data());
      }
      const double ratio = stepper.worst_error(a.data(), b.data(), shape.stages, task, sample, difference.data()) /
                           sample.classical_error;
      for (std::size_t m = 0; m < d; ++m) {
        f[static_cast<Eigen::Index>(i * d + m)] =
            weight[i] * (ratio < largest_ratio ? difference[m] / sample.classical_error : largest_ratio);
      }
    }
    if (conditions > 0) {
      std::vector<Jet<double, order_lanes>> residual;
      order_conditions_at(numbers, residual, nullptr);
      for (std::size_t i = 0; i < conditions; ++i) {
        f[static_cast<Eigen::Index>(weight.size() * d + i)] = fitter.options_.order_weight * residual[i].value;
      }
    }
    return 0;
  }

  int df(const InputType& x, JacobianType& jacobian) const {
    const auto& shape = fitter.options_.shape;
    const std::size_t d = dimension();
    const std::size_t n = shape.numbers();
    const std::size_t nc = shape.coefficients();
    const std::size_t nm = shape.monomials.size();
    jacobian.setZero();
    std::vector<double> all(x.data(), x.data() + x.size());
    std::vector<double> phi(nm), numbers(n), c(nc), chain(nc * n), by_c(d * nc);
    std::vector<FamilyJet> u(d);
    JetStepper stepper(fitter.family_, shape.stages);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const RknnSample& sample = fitter.tasks_.samples[i];
      const RknnTask& task = fitter.tasks_.tasks[sample.task];
      if (i == 0 || nm > 1) {
        fitter.monomials(sample.dt, task.parameters.data(), phi.data());
        fitter.numbers_at(all, phi.data(), numbers.data());
        fitter.raw(numbers.data(), c.data(), chain.data());
      }
      bool sound = true;
      for (std::size_t first = 0; first < nc; first += jet_lanes) {
        for (std::size_t m = 0; m < d; ++m) u[m] = FamilyJet(task.initial[m]);
        double worst = -1.0;
        for (std::size_t step = 0; step < sample.steps; ++step) {
          stepper.step(task.parameters.data(), c.data(), first, sample.dt, u.data());
          double error = 0.0;
          for (std::size_t m = 0; m < d; ++m) {
            const double difference = u[m].value - sample.reference[step * d + m];
            error += difference * difference;
          }
          sound &= std::isfinite(error);
          // The derivative of a maximum is that of its largest member.
          if (error > worst) {
            worst = error;
            for (std::size_t m = 0; m < d; ++m) {
              for (std::size_t l = 0; l < jet_lanes && first + l < nc; ++l)
                by_c[m * nc + first + l] = u[m].derivative[l];
            }
          }
        }
        sound &= std::sqrt(worst) < largest_ratio * sample.classical_error;
      }
      sound &= std::all_of(by_c.begin(), by_c.end(), [](double value) { return std::isfinite(value); });
      if (!sound) continue;
      const double scale = weight[i] / sample.classical_error;
      for (std::size_t m = 0; m < d; ++m) {
        for (std::size_t k = 0; k < n; ++k) {
          double sum = 0.0;
          for (std::size_t j = 0; j < nc; ++j) sum += by_c[m * nc + j] * chain[j * n + k];
          for (std::size_t q = 0; q < nm; ++q) {
            jacobian(static_cast<Eigen::Index>(i * d + m), static_cast<Eigen::Index>(q * n + k)) = scale * sum * phi[q];
          }
        }
      }
    }
    if (conditions > 0) {
      std::vector<Jet<double, order_lanes>> residual;
      std::vector<double> by_coefficient(nc * n);
      order_conditions_at(all, residual, by_coefficient.data());
      for (std::size_t i = 0; i < conditions; ++i) {
        for (std::size_t k = 0; k < n; ++k) {
          double sum = 0.0;
          for (std::size_t j = 0; j < nc; ++j) sum += residual[i].derivative[j] * by_coefficient[j * n + k];
          jacobian(static_cast<Eigen::Index>(weight.size() * d + i), static_cast<Eigen::Index>(k)) =
              fitter.options_.order_weight * sum;
        }
      }
    }
    return 0;
  }

private:
  // The conditions are on the constant part: an exact-order tableau has no other.
  void order_conditions_at(const std::vector<double>& x, std::vector<Jet<double, order_lanes>>& residual,
                           double* chain) const {
    std::vector<double> c(fitter.options_.shape.coefficients());
    fitter.raw(x.data(), c.data(), chain);
    order_residuals<order_lanes>(c.data(), fitter.options_.shape.stages, fitter.options_.order, residual);
  }
};

double mean_square(const Eigen::VectorXd& f, const Eigen::MatrixXd& jacobian, std::size_t count,
                   std::vector<double>& gradient) {
  const double mean = 1.0 / static_cast<double>(count);
  const Eigen::VectorXd g = 2.0 * mean * (jacobian.transpose() * f);
  gradient.assign(g.data(), g.data() + g.size());
  return mean * f.squaredNorm();
}

RknnFit RknnFitter::fit(std::vector<double> start, bool warm) const {
  RollOutProblem problem(*this);
  const std::size_t d = family_.dimension();
  const std::size_t count = tasks_.samples.size();
  Eigen::VectorXd x = Eigen::Map<const Eigen::VectorXd>(start.data(), static_cast<Eigen::Index>(start.size()));
  Eigen::VectorXd f(problem.values());
  std::vector<double> ratio(count);
  const auto measure = [&] {
    std::vector<double> weight(count, 1.0);
    std::swap(weight, problem.weight);
    problem(x, f);
    std::swap(weight, problem.weight);
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      ratio[i] = f.segment(static_cast<Eigen::Index>(i * d), static_cast<Eigen::Index>(d)).norm();
      sum += std::log(std::max(ratio[i], 1e-12));
    }
    return sum / static_cast<double>(count);
  };
  RknnFit best{start, measure()};
  for (std::size_t round = 0; round < options_.reweightings; ++round) {
    // Weights make the next least-squares problem a majorant of mean log(ratio^2 + floor^2), which touches it here; the
    // floor comes down so that early rounds see the whole landscape.
    const double floor = std::exp(best.log_ratio) * std::pow(0.5, static_cast<double>(round));
    for (std::size_t i = 0; i < count; ++i) problem.weight[i] = 1.0 / std::hypot(ratio[i], floor);
    if (round == 0 && !warm) std::fill(problem.weight.begin(), problem.weight.end(), 1.0);
    Eigen::LevenbergMarquardt<RollOutProblem> solver(problem);
    solver.parameters.maxfev = static_cast<int>(options_.iterations);
    solver.parameters.ftol = 1e-6;
    solver.parameters.xtol = 1e-9;
    solver.minimize(x);
    const double log_ratio = measure();
    if (log_ratio < best.log_ratio) best = {std::vector<double>(x.data(), x.data() + x.size()), log_ratio};
  }
  return best;
}

RknnLoss RknnFitter::scaled_loss() const {
  return [problem = RollOutProblem(*this), f = Eigen::VectorXd(),
          jacobian = Eigen::MatrixXd()](const std::vector<double>& numbers, std::vector<double>& gradient) mutable {
    const Eigen::Map<const Eigen::VectorXd> x(numbers.data(), static_cast<Eigen::Index>(numbers.size()));
    f.resize(problem.values());
    jacobian.resize(problem.values(), problem.inputs());
    problem(x, f);
    problem.df(x, jacobian);
    return mean_square(f, jacobian, problem.weight.size(), gradient);
  };
}

double RknnFitter::log_ratio(const std::vector<double>& x) const {
  const std::size_t s = options_.shape.stages;
  std::vector<double> a(s * s), b(s), difference(family_.dimension());
  RknnStepper stepper(family_, s);
  double sum = 0.0;
  for (const auto& sample : tasks_.samples) {
    const RknnTask& task = tasks_.tasks[sample.task];
    coefficients(x, sample.dt, task.parameters.data(), a.data(), b.data());
    const double error = stepper.worst_error(a.data(), b.data(), s, task, sample, difference.data());
    sum += std::log(std::clamp(error / sample.classical_error, 1e-12, largest_ratio));
  }
  return sum / static_cast<double>(tasks_.samples.size());
}

void RknnFitter::term(const std::vector<double>& x, std::size_t m, double* a, double* b) const {
  const RknnShape& shape = options_.shape;
  const std::size_t s = shape.stages;
  const double* numbers = x.data() + m * shape.numbers();
  std::vector<double> c(shape.coefficients());
  raw(numbers, c.data(), nullptr);
  if (m > 0) c.back() -= 1.0; // the weights of a term sum to 0, not 1
  std::fill_n(a, s * s, 0.0);
  for (std::size_t i = 1; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) a[i * s + j] = c[i * (i - 1) / 2 + j];
  }
  std::copy_n(c.data() + shape.lower(), s, b);
}

std::vector<double> RknnFitter::exact_order(std::vector<double> x) const {
  const RknnShape& shape = options_.shape;
  const auto n = static_cast<Eigen::Index>(shape.numbers());
  std::vector<double> c(shape.coefficients()), chain(shape.coefficients() * shape.numbers());
  std::vector<Jet<double, order_lanes>> residual;
  double largest = 0.0;
  for (int i = 0; i < 20; ++i) {
    raw(x.data(), c.data(), chain.data());
    order_residuals<order_lanes>(c.data(), shape.stages, options_.order, residual);
    Eigen::MatrixXd jacobian = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(residual.size()), n);
    Eigen::VectorXd f(jacobian.rows());
    for (Eigen::Index r = 0; r < f.size(); ++r) {
      f[r] = residual[static_cast<std::size_t>(r)].value;
      for (std::size_t j = 0; j < c.size(); ++j) {
        for (Eigen::Index k = 0; k < n; ++k) {
          jacobian(r, k) += residual[static_cast<std::size_t>(r)].derivative[j] *
                            chain[j * shape.numbers() + static_cast<std::size_t>(k)];
        }
      }
    }
    largest = f.cwiseAbs().maxCoeff();
    if (largest < 2e-16) break;
    const Eigen::VectorXd step = jacobian.completeOrthogonalDecomposition().solve(f);
    for (Eigen::Index k = 0; k < n; ++k) x[static_cast<std::size_t>(k)] -= step[k];
  }
  if (!(largest < 1e-14)) {
    throw InvalidData("the fit did not come near a tableau of order " + std::to_string(options_.order) +
                      ": order conditions are left at " + std::to_string(largest));
  }
  return x;
}

} // namespace lodestep::detail
