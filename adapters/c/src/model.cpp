#include "model.hpp"

#include "boundary.hpp"

#include <lodestep/model.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace lodestep;

namespace {

const CorrectorModel* corrector(const lodestep_model* model) {
  return model ? std::get_if<CorrectorModel>(&model->model->method) : nullptr;
}
const TableauModel* tableau(const lodestep_model* model) {
  return model ? std::get_if<TableauModel>(&model->model->method) : nullptr;
}
const HierarchyModel* hierarchy(const lodestep_model* model) {
  return model ? std::get_if<HierarchyModel>(&model->model->method) : nullptr;
}

int make(std::shared_ptr<const Model> loaded, lodestep_model** model) {
  auto handle = std::make_unique<lodestep_model>();
  handle->model = std::move(loaded);
  if (corrector(handle.get())) {
    handle->packed = std::make_shared<const Corrector>(handle->model);
  } else if (hierarchy(handle.get())) {
    handle->packed = std::make_shared<const Hierarchy>(handle->model);
  } else {
    handle->packed = handle->model;
  }
  *model = handle.release();
  return LODESTEP_SUCCESS;
}

/// The box of states; empty for a tableau that may be used in any.
const std::vector<Interval>& box(const lodestep_model* model) {
  if (const auto* method = corrector(model)) return method->domain.state;
  if (const auto* method = hierarchy(model)) return method->maps[method->placing].state;
  return tableau(model)->state;
}

} // namespace

extern "C" {

int lodestep_model_load(const char* path, lodestep_model** model) {
  if (!model) return c::fail_null("lodestep_model_load", "model");
  *model = nullptr;
  if (!path) return c::fail_null("lodestep_model_load", "path");
  return c::guarded([&] { return make(load_model(path), model); });
}

int lodestep_model_load_memory(const void* data, size_t size, const char* name, lodestep_model** model) {
  if (!model) return c::fail_null("lodestep_model_load_memory", "model");
  *model = nullptr;
  if (!data) return c::fail_null("lodestep_model_load_memory", "data");
  return c::guarded([&] { return make(load_model(data, size, name ? name : "model in memory"), model); });
}

int lodestep_model_save(const lodestep_model* model, const char* path, int overwrite) {
  if (!model) return c::fail_null("lodestep_model_save", "model");
  if (!path) return c::fail_null("lodestep_model_save", "path");
  return c::guarded([&] {
    save_model(*model->model, path, overwrite ? Overwrite::yes : Overwrite::no);
    return LODESTEP_SUCCESS;
  });
}

void lodestep_model_free(lodestep_model* model) {
  delete model;
}

size_t lodestep_model_dimension(const lodestep_model* model) {
  return model ? model->model->dimension() : 0;
}

const char* lodestep_model_kind(const lodestep_model* model) {
  return model ? model->model->kind() : nullptr;
}

double lodestep_model_dt(const lodestep_model* model) {
  if (const auto* method = corrector(model)) return method->dt;
  if (const auto* method = hierarchy(model)) return method->maps[method->placing].dt;
  if (const auto* method = tableau(model)) return method->dt.upper;
  return 0.0;
}

double lodestep_model_shortest_dt(const lodestep_model* model) {
  if (const auto* method = corrector(model)) return method->dt_aware() ? 0.0 : method->dt;
  if (const auto* method = tableau(model)) return method->dt.lower;
  return lodestep_model_dt(model);
}

double lodestep_model_fine_dt(const lodestep_model* model) {
  if (const auto* method = corrector(model)) {
    return method->dense ? method->dt / static_cast<double>(method->dense->points + 1) : 0.0;
  }
  const auto* method = hierarchy(model);
  return method ? method->fine_dt : 0.0;
}

const char* lodestep_model_base(const lodestep_model* model) {
  if (const auto* method = corrector(model)) return method->base.c_str();
  if (const auto* method = hierarchy(model)) return method->fine.c_str();
  if (const auto* method = tableau(model)) return method->classical.c_str();
  return nullptr;
}

const char* lodestep_model_problem(const lodestep_model* model) {
  return model ? model->model->provenance.problem.c_str() : nullptr;
}

const char* lodestep_model_variable(const lodestep_model* model, size_t i) {
  return i < lodestep_model_dimension(model) ? model->model->variables[i].name.c_str() : nullptr;
}

const char* lodestep_model_unit(const lodestep_model* model, size_t i) {
  return i < lodestep_model_dimension(model) ? model->model->variables[i].unit.c_str() : nullptr;
}

size_t lodestep_model_parameters(const lodestep_model* model) {
  if (const auto* method = corrector(model)) return method->parameters.size();
  const auto* method = tableau(model);
  return method ? method->parameters.size() : 0;
}

const char* lodestep_model_parameter(const lodestep_model* model, size_t i, double* lower, double* upper) {
  if (i >= lodestep_model_parameters(model)) return nullptr;
  const auto* method = corrector(model);
  const Interval& values = method ? method->parameters[i].trained : tableau(model)->parameters[i].valid;
  if (lower) *lower = values.lower;
  if (upper) *upper = values.upper;
  return method ? method->parameters[i].name.c_str() : tableau(model)->parameters[i].name.c_str();
}

int lodestep_model_domain(const lodestep_model* model, double* lower, double* upper) {
  if (!model) return c::fail_null("lodestep_model_domain", "model");
  if (!lower) return c::fail_null("lodestep_model_domain", "lower");
  if (!upper) return c::fail_null("lodestep_model_domain", "upper");
  const auto& intervals = box(model);
  for (std::size_t i = 0; i < model->model->dimension(); ++i) {
    lower[i] = intervals.empty() ? -HUGE_VAL : intervals[i].lower;
    upper[i] = intervals.empty() ? HUGE_VAL : intervals[i].upper;
  }
  return LODESTEP_SUCCESS;
}

int lodestep_model_get_errors(const lodestep_model* model, lodestep_model_errors* errors) {
  if (!model) return c::fail_null("lodestep_model_get_errors", "model");
  if (!errors) return c::fail_null("lodestep_model_get_errors", "errors");
  const ErrorProfile& e = model->model->error;
  *errors = {e.step_rms, e.step_max, e.horizon, e.horizon_rms, e.base_step_rms};
  return LODESTEP_SUCCESS;
}

} // extern "C"
