#include "train/rknn_recipe.hpp"

#include "train/adam_moments.hpp"

#include <lodestep/order_conditions.hpp>
#include <lodestep/train_rknn.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

constexpr std::uint64_t start_stream = 102; // apart from every split's and from that of random_start
constexpr std::size_t step_sizes = 5;

RknnFitOptions softmax_shape(std::size_t stages, unsigned order) {
  RknnFitOptions options;
  options.shape.stages = stages;
  options.shape.softmax = true;
  options.order = order;
  return options;
}

/// One-step questions, the step sizes spread evenly, as the paper draws them.
RknnTasks one_step_questions(const Family& family, const ButcherTableau& classical, std::size_t samples,
                             std::uint64_t seed) {
  RknnTaskOptions ask;
  ask.tasks = std::max<std::size_t>(1, samples / step_sizes);
  ask.horizons = {0.0};
  for (std::size_t i = 0; i < step_sizes; ++i) {
    const double part = (static_cast<double>(i) + 0.5) / static_cast<double>(step_sizes);
    ask.dt.push_back(family.dt.lower + part * (family.dt.upper - family.dt.lower));
  }
  ask.seed = seed;
  return make_rknn_tasks(family, classical, ask);
}

} // namespace

RknnRecipe RknnRecipe::published(const std::string& family, std::size_t stages, unsigned order) {
  RknnRecipe recipe;
  if (order > attainable_order(stages)) {
    recipe.loss_weight = 0.0;
    recipe.taylor_weight = 1e15;
    recipe.learning_rate = 1.0;
    recipe.epochs = stages == 2 ? 1000 : 15000;
    recipe.decay_every = stages == 2 ? 400 : 3000;
  } else if (family == "linear") {
    recipe.taylor_weight = 1e16;
    recipe.stop_ratio = 1.0;
  } else if (family == "square") {
    recipe.taylor_weight = 1e15;
    recipe.stop_ratio = 1.0;
  } else if (family == "brusselator") {
    recipe.epochs = 30000;
    recipe.decay_every = 5000;
  }
  // The ratios that ended training on the systems, 0.6 and 16, are of errors scaled variable by variable, not of
  // eq. 14.
  return recipe;
}

RknnRecipeFit fit_rknn_recipe(const Family& family, const ButcherTableau& classical, std::size_t stages, unsigned order,
                              const RknnRecipe& recipe, std::uint64_t seed,
                              const std::function<bool(double)>& proceed) {
  const RknnTasks tasks = one_step_questions(family, classical, recipe.samples, seed);
  const RknnFitter fitter(family, tasks, softmax_shape(stages, order));
  const RknnLoss scaled = fitter.scaled_loss();
  RknnLoss taylor;
  if (recipe.taylor_weight != 0.0) taylor = fitter.taylor_loss(recipe.taylor_tasks);

  Random random(seed, start_stream, 0);
  std::vector<double> x(softmax_shape(stages, order).shape.numbers());
  for (double& number : x) number = random.uniform(-0.05, 0.05);
  AdamMoments<double> moments(x.size(), 0.9, 0.999, 1e-7);
  std::vector<double> gradient(x.size()), part(x.size());
  const double taylor_weight = 0.25 * recipe.taylor_weight;
  RknnRecipeFit fit;
  fit.x = x;
  double least = std::numeric_limits<double>::infinity();
  const std::size_t shown = std::max<std::size_t>(1, recipe.epochs / 100);
  double rate = recipe.learning_rate;
  for (std::size_t epoch = 0; epoch < recipe.epochs; ++epoch) {
    const double ratio = scaled(x, part);
    for (std::size_t i = 0; i < x.size(); ++i) gradient[i] = recipe.loss_weight * part[i];
    double mismatch = 0.0;
    if (taylor) {
      mismatch = taylor(x, part);
      for (std::size_t i = 0; i < x.size(); ++i) gradient[i] += taylor_weight * part[i];
    }
    const double loss = recipe.loss_weight * ratio + taylor_weight * mismatch;
    if (loss < least) {
      least = loss;
      fit.x = x;
    }
    fit.epochs = epoch + 1;
    fit.reached = ratio < recipe.stop_ratio;
    const bool last = fit.reached || epoch + 1 == recipe.epochs;
    if (epoch % shown == 0 || last) fit.curve.push_back({epoch, ratio, mismatch});
    const double fraction = static_cast<double>(epoch + 1) / static_cast<double>(recipe.epochs);
    if (last || !std::isfinite(loss) || (epoch % shown == 0 && proceed && !proceed(fraction))) break;
    if (epoch > 0 && epoch % recipe.decay_every == 0) rate *= 0.1;
    moments.step(gradient.data(), rate, x.data());
  }
  return fit;
}

ButcherTableau rknn_recipe_tableau(const std::vector<double>& x, std::size_t stages) {
  // Constant coefficients depend on no task.
  static const Family none;
  const RknnTasks tasks;
  ButcherTableau tableau;
  tableau.name = "rknn_recipe";
  tableau.a.resize(stages * stages);
  tableau.b.resize(stages);
  RknnFitter(none, tasks, softmax_shape(stages, 1)).term(x, 0, tableau.a.data(), tableau.b.data());
  for (std::size_t i = 0; i < stages; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < i; ++j) sum += tableau.a[i * stages + j];
    tableau.c.push_back(sum);
  }
  double rest = 1.0; // softmax sums to 1 but for rounding
  for (std::size_t i = 0; i + 1 < stages; ++i) rest -= tableau.b[i];
  tableau.b[stages - 1] = rest;
  tableau.order = std::max(1u, attained_order(tableau));
  return tableau;
}

} // namespace lodestep::detail
