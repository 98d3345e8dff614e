#include <lodestep/error.hpp>
#include <lodestep/hierarchy.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace lodestep {

namespace {

const HierarchyModel& hierarchy_model(const std::shared_ptr<const Model>& model) {
  if (!model) throw InvalidModel("model", "no model given (null pointer)");
  model->validate();
  const auto* hierarchy = std::get_if<HierarchyModel>(&model->method);
  if (!hierarchy) {
    throw InvalidModel("kind", std::string("flow maps are in a hierarchy, this model is a ") + model->kind());
  }
  return *hierarchy;
}

} // namespace

Hierarchy::Hierarchy(std::shared_ptr<const Model> model, Backend backend) : model_(std::move(model)) {
  const HierarchyModel& hierarchy = hierarchy_model(model_);
  reduced_ = hierarchy.reduced ? &*hierarchy.reduced : nullptr;
  dimension_ = reduced_ ? reduced_->count() : model_->dimension();
  fine_dt_ = hierarchy.fine_dt;
  fine_ = std::make_shared<const ButcherTableau>(classical_tableau(hierarchy.fine));
  lower_ = hierarchy.lower;
  upper_ = hierarchy.upper;
  placing_ = hierarchy.placing;
  for (const auto& map : hierarchy.maps) {
    maps_.push_back({map.dt,
                     static_cast<std::size_t>(std::llround(map.dt / fine_dt_)),
                     map.base.empty() ? nullptr : std::make_shared<const ButcherTableau>(classical_tableau(map.base)),
                     map.substeps,
                     map.states,
                     map.base == "rk4",
                     Approximator(map.approximator, backend),
                     {},
                     map.limit});
    for (const auto& interval : map.state) {
      maps_.back().box.push_back(interval.lower);
      maps_.back().box.push_back(interval.upper);
    }
  }
}

Hierarchy::~Hierarchy() = default;

void Hierarchy::encode(const double* x, double* z) const noexcept {
  if (!reduced_) {
    std::copy_n(x, dimension_, z);
    return;
  }
  const std::size_t full = reduced_->mean.size();
  for (std::size_t r = 0; r < dimension_; ++r) {
    const double* mode = reduced_->modes.data() + r * full;
    double sum = 0.0;
    for (std::size_t i = 0; i < full; ++i) sum += mode[i] * (x[i] - reduced_->mean[i]);
    z[r] = sum;
  }
}

void Hierarchy::decode(const double* z, double* x) const noexcept {
  if (!reduced_) {
    std::copy_n(z, dimension_, x);
    return;
  }
  const std::size_t full = reduced_->mean.size();
  std::copy_n(reduced_->mean.data(), full, x);
  for (std::size_t r = 0; r < dimension_; ++r) {
    const double* mode = reduced_->modes.data() + r * full;
    for (std::size_t i = 0; i < full; ++i) x[i] += z[r] * mode[i];
  }
}

void Hierarchy::require_whole_states(const char* scheme) const {
  if (!reduced_) return;
  throw InvalidArgument(std::string(scheme) + ": its classical scheme needs whole states of " +
                        std::to_string(full_dimension()) + " variables, the flow maps know " +
                        std::to_string(dimension_) + " reduced coordinates of them; use the multiscale scheme");
}

} // namespace lodestep
