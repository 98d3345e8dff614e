#include "cell_stepper.hpp"

#include "corrector_cells.hpp"
#include "flow_map_cells.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::arkode {

void Forcing::add(double t, double* dudt, std::size_t size) const noexcept {
  // NOTE: the scale is zero where there is only a constant term (ForcingStep's), so that tau must not be formed there.
  const double tau = count > 1 ? (t - shift) / scale : 0.0;
  double power = 1.0;
  for (std::size_t k = 0; k < count; ++k) {
    const double* g = terms.data() + k * size;
    for (std::size_t i = 0; i < size; ++i) dudt[i] += power * g[i];
    power *= tau;
  }
}

void Forcing::integrate(double t, double dt, double* increment, std::size_t size) const noexcept {
  std::fill_n(increment, size, 0.0);
  const double tau0 = count > 1 ? (t - shift) / scale : 0.0;
  const double tau1 = count > 1 ? (t + dt - shift) / scale : 0.0;
  double power0 = 1.0;
  double power1 = 1.0;
  for (std::size_t k = 0; k < count; ++k) {
    power0 *= tau0;
    power1 *= tau1;
    const double weight = k == 0 ? dt : scale * (power1 - power0) / static_cast<double>(k + 1);
    const double* g = terms.data() + k * size;
    for (std::size_t i = 0; i < size; ++i) increment[i] += weight * g[i];
  }
}

CellStepper::CellStepper(CellLayout layout, const ButcherTableau& fallback, std::vector<double> trained_steps)
    : layout_(layout), outcome_(layout.cells, Outcome::learned), next_(layout.size()), fallback_(layout.size()),
      trained_steps_(std::move(trained_steps)), sub_stepper_(fallback, layout.size()), first_slope_(layout.size()) {
  rows_.reserve(layout_.cells);
}

CellStepper::~CellStepper() = default;

std::unique_ptr<CellStepper> CellStepper::with_layout(CellLayout layout) const {
  std::unique_ptr<CellStepper> fresh = make(layout);
  fresh->forcing_tolerance = forcing_tolerance;
  fresh->max_recoveries = max_recoveries;
  fresh->steps = steps;
  std::copy_n(outcomes, outcome_count, fresh->outcomes);
  fresh->network_evaluations = network_evaluations;
  return fresh;
}

void CellStepper::set_parameter(const std::string& name, double /*value*/) {
  throw InvalidArgument("parameter '" + name + "' is no input of this model: it was trained at fixed parameters");
}

int CellStepper::step(RhsRef rhs, double t, double* u, double dt, const double* dudt, const Forcing& forcing) {
  if (forcing.count == 0) return take(rhs, t, u, dt, dudt, forcing);
  auto forced = [&](double at, const double* v, double* out) -> int {
    if (const int status = rhs(at, v, out)) return status;
    forcing.add(at, out, layout_.size());
    return 0;
  };
  if (dudt) {
    std::copy_n(dudt, layout_.size(), first_slope_.data());
    forcing.add(t, first_slope_.data(), layout_.size());
    dudt = first_slope_.data();
  }
  return take(forced, t, u, dt, dudt, forcing);
}

int CellStepper::take(RhsRef rhs, double t, double* u, double dt, const double* dudt, const Forcing& forcing) {
  std::size_t learned = admit(t, dt, u, forcing);
  if (learned > 0) {
    const int status = base_step(rhs, t, u, dt, dudt);
    if (status < 0) return status;
    learned = status == 0 ? correct(t, u, dt, forcing) : none(Outcome::rhs);
  }
  if (learned < layout_.cells) {
    const std::size_t count = substeps(dt);
    // A slope handed in was computed once and is not asked for again: if that is what failed, it must be.
    if (dudt && !std::all_of(dudt, dudt + layout_.size(), [](double x) { return std::isfinite(x); })) dudt = nullptr;
    for (unsigned attempt = 0;; ++attempt) {
      const int status = sub_step(rhs, t, u, dt, count << attempt, dudt);
      if (status < 0) return status;
      if (status == 0 && replace(attempt > 0)) break;
      if (attempt >= max_recoveries) return status > 0 ? status : 1;
    }
  }
  std::copy_n(next_.data(), layout_.size(), u);
  ++steps;
  if (learned == layout_.cells) {
    outcomes[0] += learned;
  } else {
    for (const Outcome o : outcome_) ++outcomes[static_cast<std::size_t>(o)];
  }
  return 0;
}

int CellStepper::sub_step(RhsRef rhs, double t, const double* u, double dt, std::size_t substeps, const double* dudt) {
  std::copy_n(u, layout_.size(), fallback_.data());
  const double h = dt / static_cast<double>(substeps);
  for (std::size_t i = 0; i < substeps; ++i) {
    const double at = t + static_cast<double>(i) * h;
    if (const int status = sub_stepper_.step(rhs, at, fallback_.data(), h, fallback_.data(), i == 0 ? dudt : nullptr)) {
      return status;
    }
  }
  return 0;
}

std::size_t CellStepper::dense_points(double /*dt*/) const noexcept {
  return 0;
}

int CellStepper::dense_states(RhsRef, double, const double*, double, const double*, double*) {
  return 0;
}

int CellStepper::fill(RhsRef rhs, double t, double* u, double tout) {
  const double h = fine_dt();
  const double whole = std::floor((tout - t) / h * (1.0 + 1e-12) + 1e-9);
  const auto count = static_cast<std::size_t>(whole);
  for (std::size_t i = 0; i < count; ++i) {
    if (const int status = sub_stepper_.step(rhs, t + static_cast<double>(i) * h, u, h, u)) return status;
  }
  const double rest = tout - (t + whole * h);
  if (rest > 1e-9 * h) {
    if (const int status = sub_stepper_.step(rhs, tout - rest, u, rest, u)) return status;
  }
  return std::all_of(u, u + layout_.size(), [](double x) { return std::isfinite(x); }) ? 0 : 1;
}

std::size_t CellStepper::none(Outcome why) noexcept {
  std::fill(outcome_.begin(), outcome_.end(), why);
  return 0;
}

const double* CellStepper::cell(const double* array, std::size_t index, double* buffer) const noexcept {
  if (layout_.adjacent()) return array + index * layout_.dimension;
  for (std::size_t i = 0; i < layout_.dimension; ++i) buffer[i] = array[i * layout_.cells + index];
  return buffer;
}

bool CellStepper::finite(const double* array, std::size_t index) const noexcept {
  const double* at = array + index * layout_.cell_stride();
  const std::size_t stride = layout_.variable_stride();
  // One test for all: 0 x is 0 for every finite x and NaN for the others.
  double sum = 0.0;
  for (std::size_t i = 0; i < layout_.dimension; ++i) sum += 0.0 * at[i * stride];
  return sum == 0.0;
}

bool CellStepper::replace(bool recovered) noexcept {
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    if (outcome_[c] == Outcome::learned) continue;
    if (!finite(fallback_.data(), c)) return false;
    if (recovered) outcome_[c] = Outcome::rhs;
    const std::size_t first = c * layout_.cell_stride();
    for (std::size_t i = 0; i < layout_.dimension; ++i) {
      const std::size_t at = first + i * layout_.variable_stride();
      next_[at] = fallback_[at];
    }
  }
  return true;
}

std::unique_ptr<CellStepper> make_cell_stepper(std::shared_ptr<const Model> model) {
  if (!model) throw InvalidArgument("no model given (null pointer)");
  const CellLayout one{1, model->dimension(), false};
  if (std::holds_alternative<HierarchyModel>(model->method)) {
    return std::make_unique<FlowMapCells>(std::make_shared<const Hierarchy>(std::move(model)), one);
  }
  if (std::holds_alternative<TableauModel>(model->method)) {
    throw InvalidArgument("a tableau is no stepper of its own in ARKODE: give it to ERKStep, ARKStep or MRIStep by "
                          "LodestepButcherTable_Load");
  }
  return std::make_unique<CorrectorCells>(std::make_shared<const Corrector>(std::move(model)), one);
}

} // namespace lodestep::arkode
