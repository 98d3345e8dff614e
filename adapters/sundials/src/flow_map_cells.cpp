#include "flow_map_cells.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lodestep::arkode {

namespace {

std::vector<double> steps_of(const Hierarchy& hierarchy) {
  std::vector<double> steps;
  for (std::size_t k = hierarchy.placing() + 1; k-- > 0;) steps.push_back(hierarchy.map(k).dt);
  return steps;
}

} // namespace

FlowMapCells::FlowMapCells(std::shared_ptr<const Hierarchy> hierarchy, CellLayout layout)
    : CellStepper(layout, *hierarchy->fine(), steps_of(*hierarchy)), hierarchy_(std::move(hierarchy)),
      from_(layout.size()), added_(layout.size()), cell_(layout.dimension) {
  hierarchy_->require_whole_states("a stepper in ARKODE");
  if (layout_.dimension != hierarchy_->dimension()) {
    throw InvalidArgument("cells of dimension " + std::to_string(layout_.dimension) + ", the model's is " +
                          std::to_string(hierarchy_->dimension()));
  }
  for (std::size_t k = hierarchy_->placing() + 1; k-- > 0;) {
    const Hierarchy::Map& map = hierarchy_->map(k);
    levels_.push_back({&map, map.base ? std::optional<RungeKutta>(std::in_place, map.base, layout.size())
                                      : std::optional<RungeKutta>()});
  }
}

std::unique_ptr<CellStepper> FlowMapCells::make(CellLayout layout) const {
  return std::make_unique<FlowMapCells>(hierarchy_, layout);
}

std::size_t FlowMapCells::substeps(double dt) const noexcept {
  const double count = std::ceil(std::abs(dt) / hierarchy_->fine_dt() * (1.0 - 1e-9));
  return count >= 1.0 ? static_cast<std::size_t>(std::min(count, 9e15)) : 1;
}

std::size_t FlowMapCells::admit(double /*t*/, double dt, const double* u, const Forcing& forcing) {
  const auto found = std::find_if(levels_.begin(), levels_.end(), [dt](const Level& level) {
    return std::abs(dt - level.map->dt) <= 1e-9 * level.map->dt;
  });
  if (found == levels_.end()) return none(Outcome::step_size);
  if (forcing.count > 0) return none(Outcome::forcing);
  level_ = &*found;
  const double* box = level_->map->box.data();
  std::size_t learned = 0;
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    const double* at = cell(u, c, cell_.data());
    bool inside = true; // NaN compares false
    for (std::size_t i = 0; i < layout_.dimension; ++i) inside &= at[i] >= box[2 * i] && at[i] <= box[2 * i + 1];
    outcome_[c] = inside ? Outcome::learned : Outcome::domain;
    learned += inside;
  }
  return learned;
}

int FlowMapCells::base_step(RhsRef rhs, double t, const double* u, double dt, const double* dudt) {
  if (!level_->base) {
    std::copy_n(u, layout_.size(), next_.data());
    return 0;
  }
  const std::size_t count = level_->map->substeps;
  const double h = dt / static_cast<double>(count);
  for (std::size_t s = 0; s < count; ++s) {
    const double* from = s == 0 ? u : next_.data();
    if (const int status =
            level_->base->step(rhs, t + static_cast<double>(s) * h, from, h, next_.data(), s == 0 ? dudt : nullptr)) {
      return status;
    }
  }
  return 0;
}

std::size_t FlowMapCells::correct(double /*t*/, const double* u, double /*dt*/, const Forcing& /*forcing*/) {
  const std::size_t dimension = layout_.dimension;
  rows_.clear();
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    if (outcome_[c] != Outcome::learned) continue;
    if (!finite(next_.data(), c)) {
      outcome_[c] = Outcome::rhs;
      continue;
    }
    std::copy_n(cell(u, c, cell_.data()), dimension, from_.data() + rows_.size() * dimension);
    rows_.push_back(c);
  }
  if (rows_.empty()) return 0;
  level_->map->approximator.evaluate(from_.data(), added_.data(), rows_.size(), workspace_);
  network_evaluations += rows_.size();
  std::size_t learned = 0;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const double* q = added_.data() + row * dimension;
    bool small = true;
    for (std::size_t i = 0; i < dimension; ++i) small &= std::abs(q[i]) <= level_->map->limit[i]; // NaN: false
    if (!small) {
      outcome_[rows_[row]] = Outcome::correction;
      continue;
    }
    double* next = next_.data() + rows_[row] * layout_.cell_stride();
    for (std::size_t i = 0; i < dimension; ++i) next[i * layout_.variable_stride()] += q[i];
    ++learned;
  }
  return learned;
}

} // namespace lodestep::arkode
