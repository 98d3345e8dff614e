#include "model.hpp"

#include "boundary.hpp"

#include <lodestep/model.hpp>

#include <string>
#include <utility>
#include <variant>

using namespace lodestep;

namespace {

const CorrectorModel& method(const lodestep_model* model) {
  return std::get<CorrectorModel>(model->corrector->model().method);
}

int make(std::shared_ptr<const Model> loaded, lodestep_model** model) {
  auto corrector = std::make_shared<const Corrector>(std::move(loaded));
  *model = new lodestep_model{std::move(corrector)};
  return LODESTEP_SUCCESS;
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
    save_model(model->corrector->model(), path, overwrite ? Overwrite::yes : Overwrite::no);
    return LODESTEP_SUCCESS;
  });
}

void lodestep_model_free(lodestep_model* model) {
  delete model;
}

size_t lodestep_model_dimension(const lodestep_model* model) {
  return model ? model->corrector->dimension() : 0;
}

double lodestep_model_dt(const lodestep_model* model) {
  return model ? model->corrector->dt() : 0.0;
}

const char* lodestep_model_base(const lodestep_model* model) {
  return model ? method(model).base.c_str() : nullptr;
}

const char* lodestep_model_problem(const lodestep_model* model) {
  return model ? model->corrector->model().provenance.problem.c_str() : nullptr;
}

const char* lodestep_model_variable(const lodestep_model* model, size_t i) {
  if (!model || i >= model->corrector->dimension()) return nullptr;
  return model->corrector->model().variables[i].name.c_str();
}

const char* lodestep_model_unit(const lodestep_model* model, size_t i) {
  if (!model || i >= model->corrector->dimension()) return nullptr;
  return model->corrector->model().variables[i].unit.c_str();
}

int lodestep_model_domain(const lodestep_model* model, double* lower, double* upper) {
  if (!model) return c::fail_null("lodestep_model_domain", "model");
  if (!lower) return c::fail_null("lodestep_model_domain", "lower");
  if (!upper) return c::fail_null("lodestep_model_domain", "upper");
  const auto& box = method(model).domain.state;
  for (std::size_t i = 0; i < box.size(); ++i) {
    lower[i] = box[i].lower;
    upper[i] = box[i].upper;
  }
  return LODESTEP_SUCCESS;
}

int lodestep_model_get_errors(const lodestep_model* model, lodestep_model_errors* errors) {
  if (!model) return c::fail_null("lodestep_model_get_errors", "model");
  if (!errors) return c::fail_null("lodestep_model_get_errors", "errors");
  const ErrorProfile& e = model->corrector->model().error;
  *errors = {e.step_rms, e.step_max, e.horizon, e.horizon_rms, e.base_step_rms};
  return LODESTEP_SUCCESS;
}

} // extern "C"
