#include "train/rknn_embedded.hpp"
#include "train/rknn_fit.hpp"
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

constexpr std::uint64_t start_stream = 101; // of random starts, apart from every split's

// Sizes of the three rounds of the fit. Many starts are screened on few questions, the best are fitted to more, and the
// best of those to all: together about a second for three stages.
struct Round {
  std::size_t tasks, step_sizes, iterations, reweightings, kept;
};
constexpr Round screening{10, 3, 25, 3, 4};
constexpr Round refining{12, 4, 12, 3, 2};
constexpr Round finishing{24, 5, 15, 6, 1};

// What the matching of Taylor coefficients must reach to count as met: rounding of a few stages' sums.
constexpr double matched = 1e-10;

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
  in_range("the degree in dt", options.dt_degree, 0, 4);
  in_range("the degree in the parameters", options.parameter_degree, 0, 4);
  if (!(family.dt.lower > 0.0 && family.dt.lower <= family.dt.upper && std::isfinite(family.dt.upper))) {
    throw InvalidArgument("train rknn: step sizes must be positive and in order, found " +
                          std::to_string(family.dt.lower) + " to " + std::to_string(family.dt.upper));
  }
  if (options.embedded && (options.dt_degree > 0 || options.parameter_degree > 0)) {
    throw InvalidArgument("train rknn: an embedded row needs constant coefficients, as step-size control changes dt "
                          "from step to step");
  }
  if (options.softmax && (options.dt_degree > 0 || options.parameter_degree > 0)) {
    throw InvalidArgument("train rknn: coefficients that depend on dt or parameters need free weights, not softmax");
  }
  if ((options.embedded || options.exact_order) && options.order > attainable_order(options.stages)) {
    throw InvalidArgument("train rknn: with an embedded row or an exact order, " + std::to_string(options.stages) +
                          " stages reach order " + std::to_string(attainable_order(options.stages)) +
                          " at most, asked for " + std::to_string(options.order));
  }
  if (options.exact_order && (options.dt_degree > 0 || options.parameter_degree > 0)) {
    throw InvalidArgument("train rknn: an exact order needs constant coefficients");
  }
  for (double horizon : options.horizons) {
    if (!(std::isfinite(horizon) && horizon >= 0.0)) {
      throw InvalidArgument("train rknn: a horizon must be a number >= 0, found " + std::to_string(horizon));
    }
  }
}

RknnTasks questions(const Family& family, const ButcherTableau& classical, const RknnOptions& options,
                    const std::vector<double>& horizons, const Round& round) {
  RknnTaskOptions task_options;
  task_options.tasks = round.tasks;
  task_options.horizons = horizons;
  task_options.dt = geometric_grid(family.dt, round.step_sizes);
  task_options.seed = options.seed;
  return make_rknn_tasks(family, classical, task_options);
}

RknnFitOptions fit_options(const RknnOptions& options, const Round& round) {
  RknnFitOptions fit;
  fit.shape.stages = options.stages;
  fit.shape.softmax = options.softmax;
  fit.order = options.order;
  fit.order_weight = options.exact_order ? 1e4 : 0.0;
  fit.iterations = round.iterations;
  fit.reweightings = round.reweightings;
  return fit;
}

void sort_and_keep(std::vector<RknnFit>& fits, std::size_t kept) {
  // Stable, so that equal fits keep the order of their starts and the result does not depend on the library.
  std::stable_sort(fits.begin(), fits.end(),
                   [](const RknnFit& x, const RknnFit& y) { return x.log_ratio < y.log_ratio; });
  if (fits.size() > kept) fits.resize(kept);
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
                                    : options.embedded         ? classical_tableau("bogacki_shampine")
                                                               : rknn_classical(options.stages, options.order);
  const std::vector<double> horizons =
      options.horizons.empty() ? std::vector<double>{family.horizon} : options.horizons;
  const bool family_order = options.order > attainable_order(options.stages);
  if (family_order && !family.rhs_series) {
    throw InvalidArgument(
        "train rknn: order " + std::to_string(options.order) + " with " + std::to_string(options.stages) +
        " stages is an order of the family alone, found by its "
        "Taylor coefficients: the family needs a generic right-hand side (with_rhs), not a black box");
  }
  const auto stop_asked = [&](double fraction, const char* what) {
    return options.progress && !options.progress(fraction, what);
  };

  RknnResult result;
  result.taylor_mismatch = std::numeric_limits<double>::quiet_NaN();

  // Screening.
  const RknnTasks few = questions(family, classical, options, horizons, screening);
  const RknnFitOptions fit = fit_options(options, screening);
  const RknnFitter screen(family, few, fit);
  std::vector<RknnFit> fits;
  // Tableaux that match the family's Taylor coefficients up to `order`, from every start.
  const auto match_taylor = [&](unsigned order, std::size_t starts) {
    RknnFitOptions taylor = fit;
    taylor.order = order;
    taylor.iterations = 400;
    const RknnFitter fitter(family, few, taylor);
    double best = largest_mismatch;
    for (std::size_t i = 0; i < starts; ++i) {
      Random random(options.seed, start_stream, i);
      std::vector<double> x = fitter.random_start(random);
      const double mismatch = fitter.fit_taylor(x);
      best = std::min(best, mismatch);
      // Large coefficients meet the conditions as well, and lose every digit in use.
      const bool tame = std::all_of(x.begin(), x.end(), [](double v) { return std::abs(v) < 20.0; });
      if (mismatch < matched && tame) fits.push_back({x, screen.log_ratio(x)});
    }
    return best;
  };
  if (family_order) {
    result.taylor_mismatch = match_taylor(options.order, options.starts);
  } else {
    // A family with an order of its own shows it here, and least squares then starts at a far better place.
    for (unsigned order = std::min(static_cast<unsigned>(2 * options.stages), 8u);
         family.rhs_series && !options.exact_order && order > options.order && fits.empty(); --order) {
      match_taylor(order, 8);
    }
    for (std::size_t i = 0; i < options.starts; ++i) {
      Random random(options.seed, start_stream, i);
      fits.push_back(screen.fit(screen.random_start(random), false));
      if (stop_asked(0.6 * static_cast<double>(i + 1) / static_cast<double>(options.starts), "screening starts")) break;
    }
  }
  if (fits.empty()) {
    throw InvalidData("family '" + family.name + "': no start of " + std::to_string(options.starts) +
                      " reached order " + std::to_string(options.order) + " with " + std::to_string(options.stages) +
                      " stages (best relative mismatch of Taylor coefficients " +
                      std::to_string(result.taylor_mismatch) + "): ask for a lower order or more stages or starts");
  }
  sort_and_keep(fits, fits.size());
  for (const auto& f : fits) result.start_ratios.push_back(std::exp(f.log_ratio));
  sort_and_keep(fits, screening.kept);

  // Refining and finishing.
  RknnFitOptions final_fit = fit_options(options, finishing);
  const RknnTasks all = questions(family, classical, options, horizons, finishing);
  if (!family_order) {
    const RknnTasks some = questions(family, classical, options, horizons, refining);
    const RknnFitter refine(family, some, fit_options(options, refining));
    for (auto& f : fits) f = refine.fit(f.x, true);
    sort_and_keep(fits, refining.kept);
    stop_asked(0.75, "refining");
    const RknnFitter finish(family, all, final_fit);
    for (auto& f : fits) f = finish.fit(f.x, true);
    sort_and_keep(fits, finishing.kept);
  }
  std::vector<double> x = fits.front().x;
  if (options.dt_degree > 0 || options.parameter_degree > 0) {
    auto monomials = rknn_monomials(options.dt_degree > 0, options.parameter_degree > 0 ? family.parameters.size() : 0,
                                    std::max(options.dt_degree, options.parameter_degree));
    std::erase_if(monomials, [&](const auto& powers) {
      unsigned of_parameters = 0;
      for (std::size_t i = 1; i < powers.size(); ++i) of_parameters += powers[i];
      return powers[0] > options.dt_degree || of_parameters > options.parameter_degree;
    });
    final_fit.shape.monomials = std::move(monomials);
    x.resize(final_fit.shape.size(), 0.0);
    x = RknnFitter(family, all, final_fit).fit(x, true).x;
  }
  stop_asked(0.85, "measuring");

  if (options.exact_order) x = RknnFitter(family, all, final_fit).exact_order(std::move(x));

  // The model.
  Model& model = result.model;
  const std::size_t s = options.stages;
  const std::string name = family.name + "_" + std::to_string(s) + "_stages_order_" + std::to_string(options.order);
  std::vector<double> a(s * s), b(s);
  TableauModel method;
  const RknnFitter last(family, all, final_fit);
  last.term(x, 0, a.data(), b.data());
  method.tableau = tableau_of(a, b, name);
  for (std::size_t m = 1; m < final_fit.shape.monomials.size(); ++m) {
    TableauTerm term{final_fit.shape.monomials[m], std::vector<double>(s * s), std::vector<double>(s)};
    term.powers.resize(1 + family.parameters.size(), 0);
    last.term(x, m, term.a.data(), term.b.data());
    method.terms.push_back(std::move(term));
  }
  method.family_order = options.order;
  method.family = family.name;
  method.classical = classical.name;
  method.trained_dt = method.dt = family.dt;
  for (const auto& parameter : family.parameters) {
    method.parameters.push_back({parameter.name, parameter.range, parameter.range});
  }
  if (options.embedded) method.tableau = with_learned_embedded_row(family, method.tableau, options.seed);
  model.variables = family.variables;
  model.provenance.problem = family.name;
  model.provenance.seed = options.seed;
  model.provenance.training_trajectories = finishing.tasks;
  model.provenance.recipe = family_order ? "rknn taylor" : "rknn least squares";
  model.provenance.library_version = LODESTEP_VERSION_STRING;
  model.method = std::move(method);
  measure_validity(family, options.seed, model);
  model.validate();

  TableauEvaluateOptions held_out;
  held_out.seed = options.seed;
  held_out.horizon = horizons.back() > 0.0 ? horizons.back() : family.horizon;
  held_out.fallback = false;
  const TableauEvaluation evaluation = evaluate_tableau(model, family, held_out);
  result.one_step_ratio = evaluation.one_step_ratio;
  result.global_ratio = evaluation.global_ratio;
  result.horizon = evaluation.horizon;
  result.dropped_fraction = std::max(evaluation.dropped_fraction, all.dropped_fraction());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

} // namespace lodestep
