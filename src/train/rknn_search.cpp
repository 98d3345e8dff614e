#include "train/rknn_search.hpp"

#include "train/rknn_fit.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace lodestep::detail {

namespace {

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

} // namespace

unsigned dt_degree_of(const RknnOptions& options) {
  return options.dt_degree.value_or(
      options.embedded && !options.exact_order && !options.softmax && options.recipe == "auto" ? 2 : 0);
}

std::vector<std::vector<unsigned>> coefficient_monomials(const Family& family, const RknnOptions& options) {
  const unsigned in_dt = dt_degree_of(options);
  if (in_dt == 0 && options.parameter_degree == 0) return {{}};
  auto monomials = rknn_monomials(in_dt > 0, options.parameter_degree > 0 ? family.parameters.size() : 0,
                                  std::max(in_dt, options.parameter_degree));
  std::erase_if(monomials, [&](const auto& powers) {
    unsigned of_parameters = 0;
    for (std::size_t i = 1; i < powers.size(); ++i) of_parameters += powers[i];
    return powers[0] > in_dt || of_parameters > options.parameter_degree;
  });
  return monomials;
}

RknnCoefficients search_coefficients(const Family& family, const ButcherTableau& classical, const RknnOptions& options,
                                     const std::vector<double>& horizons) {
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
  RknnCoefficients result;
  result.recipe = family_order ? "rknn taylor" : "rknn least squares";
  result.tasks = finishing.tasks;

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
  if (dt_degree_of(options) > 0 || options.parameter_degree > 0) {
    final_fit.shape.monomials = coefficient_monomials(family, options);
    x.resize(final_fit.shape.size(), 0.0);
    x = RknnFitter(family, all, final_fit).fit(x, true).x;
  }
  if (options.exact_order) x = RknnFitter(family, all, final_fit).exact_order(std::move(x));
  result.shape = final_fit.shape;
  result.x = std::move(x);
  result.dropped_fraction = all.dropped_fraction();
  return result;
}

} // namespace lodestep::detail
