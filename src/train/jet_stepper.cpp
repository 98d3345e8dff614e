#include "train/jet_stepper.hpp"

#include <algorithm>
#include <cmath>

namespace lodestep::detail {

namespace {

// sum += dt coefficient k, where the coefficient is itself the variable of direction `lane` (or of none).
void add(double coefficient, std::size_t lane, double dt, const FamilyJet* k, FamilyJet* sum, std::size_t d) {
  const double weight = dt * coefficient;
  for (std::size_t m = 0; m < d; ++m) {
    sum[m].value += weight * k[m].value;
    for (std::size_t l = 0; l < jet_lanes; ++l) sum[m].derivative[l] += weight * k[m].derivative[l];
    if (lane < jet_lanes) sum[m].derivative[lane] += dt * k[m].value; // lanes before the first wrap to huge numbers
  }
}

void add(const FamilyJet& coefficient, double dt, const FamilyJet* k, FamilyJet* sum, std::size_t d) {
  const double weight = dt * coefficient.value;
  for (std::size_t m = 0; m < d; ++m) {
    sum[m].value += weight * k[m].value;
    const double value = dt * k[m].value;
    for (std::size_t l = 0; l < jet_lanes; ++l) {
      sum[m].derivative[l] += weight * k[m].derivative[l] + coefficient.derivative[l] * value;
    }
  }
}

} // namespace

JetStepper::JetStepper(const Family& family, std::size_t stages)
    : family_(family), stages_(stages), k_(stages * family.dimension()), at_(family.dimension()) {}

void JetStepper::step(const double* parameters, const double* coefficients, std::size_t first, double dt,
                      FamilyJet* u) {
  const std::size_t d = at_.size();
  std::size_t c = 0;
  for (std::size_t i = 0; i < stages_; ++i) {
    std::copy_n(u, d, at_.data());
    for (std::size_t j = 0; j < i; ++j, ++c) add(coefficients[c], c - first, dt, k_.data() + j * d, at_.data(), d);
    evaluate(parameters, at_.data(), k_.data() + i * d);
  }
  for (std::size_t j = 0; j < stages_; ++j, ++c) add(coefficients[c], c - first, dt, k_.data() + j * d, u, d);
}

void JetStepper::step(const double* parameters, const FamilyJet* coefficients, double dt, FamilyJet* u) {
  const std::size_t d = at_.size();
  for (std::size_t i = 0; i < stages_; ++i) {
    std::copy_n(u, d, at_.data());
    for (std::size_t j = 0; j < i; ++j) add(*coefficients++, dt, k_.data() + j * d, at_.data(), d);
    evaluate(parameters, at_.data(), k_.data() + i * d);
  }
  for (std::size_t j = 0; j < stages_; ++j) add(*coefficients++, dt, k_.data() + j * d, u, d);
}

void JetStepper::evaluate(const double* parameters, const FamilyJet* u, FamilyJet* dudt) {
  if (family_.rhs_jet) return family_.rhs_jet(parameters, u, dudt);
  // A black box: central differences along each direction, with the step that balances rounding and truncation,
  // epsilon^(1/3) of the state's size.
  const std::size_t d = at_.size();
  x_.resize(d);
  f_.resize(2 * d);
  double size = 1.0;
  for (std::size_t m = 0; m < d; ++m) {
    x_[m] = u[m].value;
    size = std::max(size, std::abs(x_[m]));
  }
  family_.rhs(parameters, x_.data(), f_.data());
  for (std::size_t m = 0; m < d; ++m) dudt[m] = FamilyJet(f_[m]);
  for (std::size_t l = 0; l < jet_lanes; ++l) {
    double norm = 0.0;
    for (std::size_t m = 0; m < d; ++m) norm = std::max(norm, std::abs(u[m].derivative[l]));
    if (norm == 0.0) continue;
    const double step = 6e-6 * size / norm;
    for (int side = 0; side < 2; ++side) {
      for (std::size_t m = 0; m < d; ++m) x_[m] = u[m].value + (side == 0 ? step : -step) * u[m].derivative[l];
      family_.rhs(parameters, x_.data(), f_.data() + static_cast<std::size_t>(side) * d);
    }
    for (std::size_t m = 0; m < d; ++m) dudt[m].derivative[l] = (f_[m] - f_[d + m]) / (2.0 * step);
  }
}

} // namespace lodestep::detail
