#include "train/rknn_embedded.hpp"
#include "train/rknn_fit.hpp"
#include "train/rknn_recipe.hpp"
#include "train/rknn_search.hpp"
#include "train/rknn_validity.hpp"

#include <lodestep/error.hpp>
#include <lodestep/order_conditions.hpp>
#include <lodestep/train_rknn.hpp>
#include <lodestep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep {

namespace {

using namespace detail;

void check(const Family& family, const RknnOptions& options) {
  const auto in_range = [](const char* name, std::size_t value, std::size_t least, std::size_t most) {
    if (value < least || value > most) {
      throw InvalidArgument(std::string("train rknn: ") + name + " must be from " + std::to_string(least) + " to " +
                            std::to_string(most) + ", found " + std::to_string(value));
    }
  };
  in_range("stages", options.stages, 1, 6);
  in_range("order", options.order, 1, 8);
  in_range("starts", options.starts, 1, 10000);
  if (options.recipe != "auto" && options.recipe != "paper") {
    throw InvalidArgument("train rknn: unknown recipe '" + options.recipe + "'; there are auto and paper");
  }
  const bool polynomial = dt_degree_of(options) > 0 || options.parameter_degree > 0;
  if (options.recipe == "paper" && (polynomial || options.exact_order)) {
    throw InvalidArgument("train rknn: the paper's recipe knows no coefficients that depend on dt or parameters and no "
                          "exact order");
  }
  if (options.recipe == "auto" && (options.epochs > 0 || options.samples > 0 || options.taylor_weight >= 0.0)) {
    throw InvalidArgument("train rknn: epochs, samples and the Taylor weight belong to the paper's recipe");
  }
  in_range("the degree in dt", dt_degree_of(options), 0, 4);
  in_range("the degree in the parameters", options.parameter_degree, 0, 4);
  if (!(family.dt.lower > 0.0 && family.dt.lower <= family.dt.upper && std::isfinite(family.dt.upper))) {
    throw InvalidArgument("train rknn: step sizes must be positive and in order, found " +
                          std::to_string(family.dt.lower) + " to " + std::to_string(family.dt.upper));
  }
  if (options.softmax && polynomial) {
    throw InvalidArgument("train rknn: coefficients that depend on dt or parameters need free weights, not softmax");
  }
  if ((options.embedded || options.exact_order) && options.order > attainable_order(options.stages)) {
    throw InvalidArgument("train rknn: with an embedded row or an exact order, " + std::to_string(options.stages) +
                          " stages reach order " + std::to_string(attainable_order(options.stages)) +
                          " at most, asked for " + std::to_string(options.order));
  }
  if (options.exact_order && polynomial) {
    throw InvalidArgument("train rknn: an exact order needs constant coefficients");
  }
  for (double horizon : options.horizons) {
    if (!(std::isfinite(horizon) && horizon >= 0.0)) {
      throw InvalidArgument("train rknn: a horizon must be a number >= 0, found " + std::to_string(horizon));
    }
  }
}

// The lower triangle and b, from and to a tableau.
ButcherTableau tableau_of(const std::vector<double>& a, const std::vector<double>& b, std::string name) {
  ButcherTableau tableau;
  tableau.name = std::move(name);
  tableau.a = a;
  tableau.b = b;
  const std::size_t s = b.size();
  tableau.c.assign(s, 0.0);
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) tableau.c[i] += a[i * s + j];
  }
  tableau.order = std::max(1u, attained_order(tableau));
  return tableau;
}

/// The paper's way to a tableau's numbers.
RknnCoefficients follow_recipe(const Family& family, const ButcherTableau& classical, const RknnOptions& options) {
  RknnRecipe recipe = RknnRecipe::published(family.name, options.stages, options.order);
  if (options.epochs > 0) recipe.epochs = options.epochs;
  if (options.samples > 0) recipe.samples = options.samples;
  if (options.taylor_weight >= 0.0) recipe.taylor_weight = options.taylor_weight;
  if (recipe.taylor_weight != 0.0 && !family.rhs_series) {
    throw InvalidArgument(
        "train rknn: the paper's Taylor regulariser needs a generic right-hand side (with_rhs), not a "
        "black box; give it the weight 0");
  }
  const auto proceed = [&](double fraction) {
    return !options.progress || options.progress(0.8 * fraction, "Adam, as published");
  };
  RknnRecipeFit fit = fit_rknn_recipe(family, classical, options.stages, options.order, recipe, options.seed, proceed);
  RknnCoefficients found;
  found.shape.stages = options.stages;
  found.shape.softmax = true;
  found.x = std::move(fit.x);
  found.recipe = "paper";
  found.tasks = recipe.samples;
  return found;
}

} // namespace

unsigned attainable_order(std::size_t stages) {
  // Butcher 2016, table 324(I).
  constexpr unsigned order[] = {0, 1, 2, 3, 4, 4, 5, 6, 6, 7, 7, 8, 8, 8};
  if (stages < 1 || stages > 13) {
    throw InvalidArgument("expected 1 to 13 stages, found " + std::to_string(stages));
  }
  return order[stages];
}

const ButcherTableau& rknn_classical(std::size_t stages, unsigned order) {
  constexpr const char* name[] = {"", "euler", "heun", "rk3", "rk4", "dormand_prince"};
  return classical_tableau(name[std::min({order, attainable_order(stages), 5u})]);
}

RknnResult train_rknn(const Family& given, const RknnOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  Family family = given;
  if (options.dt.upper > 0.0) family.dt = options.dt;
  check(family, options);
  const ButcherTableau& classical = !options.classical.empty() ? classical_tableau(options.classical)
                                    : options.embedded
                                        ? classical_tableau(options.order > 3 ? "dormand_prince" : "bogacki_shampine")
                                        : rknn_classical(options.stages, options.order);
  const std::vector<double> horizons =
      options.horizons.empty() ? std::vector<double>{family.horizon} : options.horizons;
  const auto stop_asked = [&](double fraction, const char* what) {
    return options.progress && !options.progress(fraction, what);
  };

  RknnResult result;
  if (options.embedded && classical.b_embedded.empty()) {
    throw InvalidArgument(
        "train rknn: a tableau with an embedded row is compared with a classical one that has one; '" + classical.name +
        "' has none");
  }
  const bool fit_pair = options.embedded && options.recipe == "auto" && !options.exact_order;
  RknnPair pair;
  if (options.recipe == "paper") {
    pair.method = follow_recipe(family, classical, options);
  } else if (!fit_pair) {
    pair.method = search_coefficients(family, classical, options, horizons);
  }
  if (options.embedded) {
    pair = search_pair(family, classical, options, horizons, fit_pair ? nullptr : &pair.method);
  }
  const RknnCoefficients& found = pair.method;
  result.taylor_mismatch = found.taylor_mismatch;
  result.start_ratios = found.start_ratios;
  stop_asked(0.85, "measuring");

  // The model.
  Model& model = result.model;
  const std::size_t s = options.stages;
  const std::string name = family.name + "_" + std::to_string(s) + "_stages_order_" + std::to_string(options.order);
  std::vector<double> a(s * s), b(s);
  TableauModel method;
  const RknnTasks none;
  const RknnFitter fitter(family, none, {found.shape});
  fitter.term(found.x, 0, a.data(), b.data());
  method.tableau = tableau_of(a, b, name);
  for (std::size_t m = 1; m < found.shape.monomials.size(); ++m) {
    TableauTerm term{found.shape.monomials[m], std::vector<double>(s * s), std::vector<double>(s)};
    term.powers.resize(1 + family.parameters.size(), 0);
    fitter.term(found.x, m, term.a.data(), term.b.data());
    method.terms.push_back(std::move(term));
  }
  method.family_order = options.order;
  method.family = family.name;
  method.classical = classical.name;
  method.trained_dt = method.dt = family.dt;
  for (const auto& parameter : family.parameters) {
    method.parameters.push_back({parameter.name, parameter.range, parameter.range});
  }
  if (options.embedded) add_embedded_row(method, pair.estimate);
  model.variables = family.variables;
  model.provenance.problem = family.name;
  model.provenance.seed = options.seed;
  model.provenance.training_trajectories = found.tasks;
  model.provenance.recipe = found.recipe;
  model.provenance.library_version = LODESTEP_VERSION_STRING;
  model.method = std::move(method);
  // Any, until it is measured.
  if (options.embedded) std::get<TableauModel>(model.method).controlled_dt = family.dt;
  measure_validity(family, options.seed, model);
  if (options.embedded) measure_controlled_validity(family, options.seed, model);
  model.validate();

  TableauEvaluateOptions held_out;
  held_out.seed = options.seed;
  held_out.horizon = horizons.back() > 0.0 ? horizons.back() : family.horizon;
  held_out.fallback = false;
  const TableauEvaluation evaluation = evaluate_tableau(model, family, held_out);
  result.one_step_ratio = evaluation.one_step_ratio;
  result.global_ratio = evaluation.global_ratio;
  result.horizon = evaluation.horizon;
  if (options.embedded) {
    ControlledEvaluateOptions controlled;
    controlled.horizon = held_out.horizon;
    controlled.seed = options.seed;
    result.controlled = evaluate_controlled(model, family, controlled);
  }
  result.dropped_fraction = std::max(evaluation.dropped_fraction, found.dropped_fraction);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

} // namespace lodestep
