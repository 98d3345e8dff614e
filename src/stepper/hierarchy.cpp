#include <lodestep/error.hpp>
#include <lodestep/hierarchy.hpp>

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
  dimension_ = model_->dimension();
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

} // namespace lodestep
