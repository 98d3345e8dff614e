#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>

#include <algorithm>
#include <utility>

namespace lodestep {

namespace {

const TableauModel& tableau_model(const std::shared_ptr<const Model>& model) {
  if (!model) throw InvalidModel("model", "no model given (null pointer)");
  model->validate();
  const auto* tableau = std::get_if<TableauModel>(&model->method);
  if (!tableau) {
    throw InvalidModel("kind", std::string("a tableau stepper needs a tableau, this model is a ") + model->kind());
  }
  return *tableau;
}

// Centre and half width; an interval of one point has no width to divide by.
double normalised(double value, const Interval& interval) noexcept {
  const double half_width = 0.5 * (interval.upper - interval.lower);
  return half_width > 0.0 ? (value - 0.5 * (interval.lower + interval.upper)) / half_width : 0.0;
}

double power(double x, unsigned n) noexcept {
  double result = 1.0;
  for (; n > 0; --n) result *= x;
  return result;
}

} // namespace

LearnedTableau::LearnedTableau(std::shared_ptr<const Model> model, std::vector<double> parameters)
    : model_(std::move(model)), method_(&tableau_model(model_)), classical_(classical_tableau(method_->classical)),
      parameters_(std::move(parameters)) {
  const auto& known = method_->parameters;
  if (!parameters_.empty() && parameters_.size() != known.size()) {
    std::string names;
    for (const auto& parameter : known) {
      if (!names.empty()) names += ", ";
      names += parameter.name;
    }
    throw InvalidArgument("the learned tableau of family '" + method_->family + "' takes " +
                          std::to_string(known.size()) + " parameters (" + names + "), found " +
                          std::to_string(parameters_.size()));
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_inside_ &= parameters_[i] >= known[i].valid.lower && parameters_[i] <= known[i].valid.upper;
  }
  for (const auto& term : method_->terms) {
    depends_on_dt_ |= term.powers[0] > 0;
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (term.powers[1 + i] > 0 && parameters_.empty()) {
        throw InvalidArgument("the coefficients of this tableau depend on the parameter '" + known[i].name +
                              "' of family '" + method_->family + "': give its value");
      }
    }
  }
  for (const auto& interval : method_->state) {
    box_.push_back(interval.lower);
    box_.push_back(interval.upper);
  }
}

void LearnedTableau::coefficients(double dt, double* a, double* b) const noexcept {
  const ButcherTableau& constant = method_->tableau;
  std::copy(constant.a.begin(), constant.a.end(), a);
  std::copy(constant.b.begin(), constant.b.end(), b);
  for (const auto& term : method_->terms) {
    double monomial = power(normalised(dt, method_->trained_dt), term.powers[0]);
    for (std::size_t i = 0; i < method_->parameters.size(); ++i) {
      if (term.powers[1 + i] == 0) continue;
      monomial *= power(normalised(parameters_[i], method_->parameters[i].trained), term.powers[1 + i]);
    }
    for (std::size_t i = 0; i < term.a.size(); ++i) a[i] += monomial * term.a[i];
    for (std::size_t i = 0; i < term.b.size(); ++i) b[i] += monomial * term.b[i];
  }
}

ButcherTableau LearnedTableau::at(double dt) const {
  ButcherTableau tableau = method_->tableau;
  coefficients(dt, tableau.a.data(), tableau.b.data());
  const std::size_t s = tableau.stages();
  for (std::size_t i = 0; i < s; ++i) {
    tableau.c[i] = 0.0;
    for (std::size_t j = 0; j < i; ++j) tableau.c[i] += tableau.a[i * s + j];
  }
  for (std::size_t i = 0; i < tableau.b_embedded.size(); ++i) {
    tableau.b_embedded[i] += tableau.b[i] - method_->tableau.b[i];
  }
  // What coefficients of another step size would be is not the algebra's business: only consistency is certain.
  if (!method_->terms.empty()) {
    tableau.order = 1;
    tableau.embedded_order = tableau.b_embedded.empty() ? 0 : 1;
  }
  return tableau;
}

} // namespace lodestep
