#include "train/jet_stepper.hpp"
#include "train/rknn_fit.hpp"

#include <Eigen/Core>
#include <unsupported/Eigen/NonLinearOptimization>

#include <algorithm>
#include <cmath>

namespace lodestep::detail {

namespace {

constexpr std::size_t lanes = jet_lanes;
constexpr std::size_t tasks_used = 6; // the conditions are the same for every task but for scaling

double norm(const std::vector<FamilySeries>& u, std::size_t k) {
  double sum = 0.0;
  for (const auto& x : u) sum += x.coefficient[k].value * x.coefficient[k].value;
  return std::sqrt(sum);
}

// u(h) of the flow from u(0): the coefficient of h^(k+1) is that of h^k in f(u), over k + 1.
std::vector<FamilySeries> flow(const Family& family, const RknnTask& task, unsigned order) {
  const std::size_t d = task.initial.size();
  std::vector<FamilySeries> u(d), f(d);
  for (std::size_t m = 0; m < d; ++m) u[m] = FamilySeries(task.initial[m]);
  for (std::size_t k = 0; k < order; ++k) {
    family.rhs_series(task.parameters.data(), u.data(), f.data());
    for (std::size_t m = 0; m < d; ++m) u[m].coefficient[k + 1] = f[m].coefficient[k] / static_cast<double>(k + 1);
  }
  return u;
}

// One step as a series in h, coefficients first .. first + lanes - 1 of the tableau being variables.
std::vector<FamilySeries> step(const Family& family, const RknnTask& task, const std::vector<double>& coefficients,
                               std::size_t stages, std::size_t first) {
  const std::size_t d = task.initial.size();
  std::vector<FamilySeries> u(d), at(d), k(stages * d);
  for (std::size_t m = 0; m < d; ++m) u[m] = FamilySeries(task.initial[m]);
  std::size_t c = 0;
  const auto variable = [&] {
    const std::size_t lane = c - first;
    const double value = coefficients[c++];
    return lane < lanes ? FamilyJet::variable(value, lane) : FamilyJet(value);
  };
  for (std::size_t i = 0; i < stages; ++i) {
    at = u;
    for (std::size_t j = 0; j < i; ++j) {
      const FamilyJet weight = variable();
      for (std::size_t m = 0; m < d; ++m) at[m] += k[j * d + m] * FamilySeries::constant(weight);
    }
    family.rhs_series(task.parameters.data(), at.data(), k.data() + i * d);
    for (std::size_t m = 0; m < d; ++m) k[i * d + m] = k[i * d + m].shifted(); // h k
  }
  for (std::size_t j = 0; j < stages; ++j) {
    const FamilyJet weight = variable();
    for (std::size_t m = 0; m < d; ++m) u[m] += k[j * d + m] * FamilySeries::constant(weight);
  }
  return u;
}

} // namespace

/// Mismatch of the Taylor coefficients of h^2 .. h^order, relative to the flow's (eq. 16 with each order on one scale).
struct TaylorProblem {
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  const RknnFitter& fitter;
  std::vector<std::vector<FamilySeries>> flows;

  TaylorProblem(const RknnFitter& f, std::size_t tasks) : fitter(f) {
    const std::size_t count = std::min(tasks, f.tasks_.tasks.size());
    for (std::size_t i = 0; i < count; ++i) flows.push_back(flow(f.family_, f.tasks_.tasks[i], f.options_.order));
  }
  std::size_t dimension() const { return fitter.family_.dimension(); }
  std::size_t conditions() const { return fitter.options_.order - 1; }
  int inputs() const { return static_cast<int>(fitter.options_.shape.numbers()); }
  int values() const {
    // MINPACK wants at least as many residuals as unknowns.
    return std::max(inputs(), static_cast<int>(flows.size() * dimension() * conditions()));
  }

  int operator()(const InputType& x, ValueType& f) const { return evaluate(x, &f, nullptr); }
  int df(const InputType& x, JacobianType& jacobian) const { return evaluate(x, nullptr, &jacobian); }

private:
  int evaluate(const InputType& x, ValueType* f, JacobianType* jacobian) const {
    const auto& shape = fitter.options_.shape;
    const std::size_t n = shape.numbers();
    const std::size_t nc = shape.coefficients();
    std::vector<double> c(nc), chain(nc * n);
    fitter.raw(x.data(), c.data(), chain.data());
    if (f) f->setZero();
    if (jacobian) jacobian->setZero();
    for (std::size_t i = 0; i < flows.size(); ++i) {
      for (std::size_t first = 0; first < nc; first += lanes) {
        const auto u = step(fitter.family_, fitter.tasks_.tasks[i], c, shape.stages, first);
        for (std::size_t k = 2; k <= fitter.options_.order; ++k) {
          const double scale = 1.0 / std::max(norm(flows[i], k), 1e-300);
          for (std::size_t m = 0; m < u.size(); ++m) {
            const auto row = static_cast<Eigen::Index>((i * conditions() + k - 2) * u.size() + m);
            const FamilyJet& coefficient = u[m].coefficient[k];
            if (f) (*f)[row] = scale * (coefficient.value - flows[i][m].coefficient[k].value);
            for (std::size_t l = 0; jacobian && l < lanes && first + l < nc; ++l) {
              for (std::size_t q = 0; q < n; ++q) {
                (*jacobian)(row, static_cast<Eigen::Index>(q)) +=
                    scale * coefficient.derivative[l] * chain[(first + l) * n + q];
              }
            }
          }
        }
        if (!jacobian) break; // values are the same in every pass
      }
    }
    return 0;
  }
};

RknnLoss RknnFitter::taylor_loss(std::size_t tasks) const {
  return [problem = TaylorProblem(*this, tasks), f = Eigen::VectorXd(),
          jacobian = Eigen::MatrixXd()](const std::vector<double>& numbers, std::vector<double>& gradient) mutable {
    const Eigen::Map<const Eigen::VectorXd> x(numbers.data(), static_cast<Eigen::Index>(numbers.size()));
    f.resize(problem.values());
    jacobian.resize(problem.values(), problem.inputs());
    problem(x, f);
    problem.df(x, jacobian);
    return mean_square(f, jacobian, problem.flows.size(), gradient);
  };
}

double RknnFitter::fit_taylor(std::vector<double>& start) const {
  TaylorProblem problem(*this, tasks_used);
  Eigen::VectorXd x = Eigen::Map<const Eigen::VectorXd>(start.data(), problem.inputs());
  Eigen::LevenbergMarquardt<TaylorProblem> solver(problem);
  solver.parameters.maxfev = static_cast<int>(options_.iterations);
  solver.parameters.ftol = solver.parameters.xtol = 1e-15;
  solver.minimize(x);
  Eigen::VectorXd f(problem.values());
  problem(x, f);
  std::copy_n(x.data(), x.size(), start.begin());
  const double mismatch = f.cwiseAbs().maxCoeff();
  return std::isfinite(mismatch) ? mismatch : largest_mismatch;
}

} // namespace lodestep::detail
