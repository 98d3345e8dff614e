#include "stepper.hpp"

#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/order_conditions.hpp>
#include <lodestep/sundials/stepper.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lodestep::arkode {

namespace {

/// `order` is what ARKODE's error control is told.
ARKodeButcherTable create_table(const ButcherTableau& tableau, unsigned order) {
  tableau.validate();
  // NOTE: ARKODE wants mutable arrays though it copies them.
  std::vector<sunrealtype> a = tableau.a;
  std::vector<sunrealtype> b = tableau.b;
  std::vector<sunrealtype> c = tableau.c;
  std::vector<sunrealtype> d = tableau.b_embedded;
  ARKodeButcherTable table = ARKodeButcherTable_Create(static_cast<int>(tableau.stages()), static_cast<int>(order),
                                                       d.empty() ? 0 : static_cast<int>(tableau.embedded_order),
                                                       c.data(), a.data(), b.data(), d.empty() ? nullptr : d.data());
  if (!table) throw std::bad_alloc();
  return table;
}

ARKodeButcherTable learned_table(const LearnedTableau& learned, double h) {
  const TableauModel& method = learned.method();
  const ButcherTableau tableau = method.terms.empty() ? method.tableau : learned.at(h);
  // On its family a learned tableau converges faster than the order conditions, which ask for all problems, allow it.
  return create_table(tableau, std::max(tableau.order, method.family_order));
}

ButcherTableau tableau_of(const ARKodeButcherTableMem& table) {
  const auto stages = static_cast<std::size_t>(table.stages);
  ButcherTableau tableau;
  tableau.order = 1; // its own is not asked for here
  for (std::size_t i = 0; i < stages; ++i) tableau.a.insert(tableau.a.end(), table.A[i], table.A[i] + stages);
  tableau.b.assign(table.b, table.b + stages);
  tableau.c.assign(table.c, table.c + stages);
  return tableau;
}

/// The order that a tableau has as a multirate infinitesimal step method: 3 if its own is, and
///
///     sum_i (c_i - c_(i-1)) (g_i + g_(i-1)) + (1 - c_s) (1/2 + g_s) = 1/3,    g = A c,
///
/// holds too (Knoth and Wolke 1998; Sandu 2019, section 2.2); otherwise 2 at most.
unsigned mis_order(const ButcherTableau& tableau) {
  const std::size_t stages = tableau.stages();
  std::vector<double> g(stages, 0.0);
  for (std::size_t i = 0; i < stages; ++i) {
    for (std::size_t j = 0; j < i; ++j) g[i] += tableau.a[i * stages + j] * tableau.c[j];
  }
  double sum = (1.0 - tableau.c.back()) * (0.5 + g.back());
  for (std::size_t i = 1; i < stages; ++i) sum += (tableau.c[i] - tableau.c[i - 1]) * (g[i] + g[i - 1]);
  return std::min(attained_order(tableau), std::abs(sum - 1.0 / 3.0) < 1e-12 ? 3u : 2u);
}

} // namespace

ARKodeButcherTable make_butcher_table(const ButcherTableau& tableau) {
  return create_table(tableau, tableau.order);
}

} // namespace lodestep::arkode

ARKodeButcherTable LodestepButcherTable_Load(const char* model, sunrealtype h, sunrealtype* hmin, sunrealtype* hmax) {
  return LodestepButcherTable_LoadFor(model, h, 0, nullptr, hmin, hmax);
}

ARKodeButcherTable LodestepButcherTable_LoadFor(const char* model, sunrealtype h, int num_params,
                                                const sunrealtype* params, sunrealtype* hmin, sunrealtype* hmax) {
  ARKodeButcherTable table = nullptr;
  lodestep::arkode::guarded(stderr, "LodestepButcherTable_Load", [&] {
    if (!model) throw lodestep::InvalidArgument("no model file given (null pointer)");
    if (num_params < 0 || (num_params > 0 && !params)) {
      throw lodestep::InvalidArgument(std::to_string(num_params) + " parameters given, and no array of them");
    }
    const std::vector<double> values(params, params + num_params);
    const lodestep::LearnedTableau learned(lodestep::load_model(model), values);
    const lodestep::TableauModel& method = learned.method();
    // NOTE: a table cannot fall back: what it may not be used for is refused here.
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto& known = method.parameters[i];
      if (!(values[i] >= known.valid.lower && values[i] <= known.valid.upper)) {
        throw lodestep::InvalidArgument("the tableau may be used for '" + known.name + "' in " +
                                        std::to_string(known.valid.lower) + " .. " + std::to_string(known.valid.upper) +
                                        ", not at " + std::to_string(values[i]));
      }
    }
    const bool pair = !method.tableau.b_embedded.empty();
    if (learned.depends_on_dt() && pair) {
      throw lodestep::InvalidArgument(
          "the coefficients depend on the step size, which ARKODE's error control changes "
          "from one to the next: train the pair with --exact-order, or --h-degree 0, for constant ones");
    }
    if (learned.depends_on_dt() && learned.admits(h) != lodestep::Verdict::learned) {
      throw lodestep::InvalidArgument("the coefficients depend on the step size, which must lie in " +
                                      std::to_string(method.dt.lower) + " .. " + std::to_string(method.dt.upper) +
                                      ", not " + std::to_string(h));
    }
    table = lodestep::arkode::learned_table(learned, h);
    const lodestep::Interval& steps = pair ? method.controlled_dt : method.dt;
    if (hmin) *hmin = steps.lower;
    if (hmax) *hmax = steps.upper;
    return ARK_SUCCESS;
  });
  return table;
}

ARKodeButcherTable LodestepButcherTable_LoadByName(const char* name) {
  ARKodeButcherTable table = nullptr;
  lodestep::arkode::guarded(stderr, "LodestepButcherTable_LoadByName", [&] {
    table = lodestep::arkode::make_butcher_table(lodestep::classical_tableau(name ? name : ""));
    return ARK_SUCCESS;
  });
  return table;
}

MRIStepCoupling LodestepMRIStepCoupling_FromTable(ARKodeButcherTable table) {
  MRIStepCoupling coupling = nullptr;
  lodestep::arkode::guarded(stderr, "LodestepMRIStepCoupling_FromTable", [&] {
    if (!table) throw lodestep::InvalidArgument("no table given (null pointer)");
    const lodestep::ButcherTableau tableau = lodestep::arkode::tableau_of(*table);
    tableau.validate();
    if (!std::is_sorted(tableau.c.begin(), tableau.c.end()) || tableau.c.back() > 1.0) {
      std::string abscissae;
      for (const double c : tableau.c) abscissae += ' ' + std::to_string(c);
      throw lodestep::InvalidArgument("MRIStep goes from one abscissa to the next, which must not descend or pass 1; "
                                      "they are" +
                                      abscissae);
    }
    coupling = MRIStepCoupling_MIStoMRI(table, static_cast<int>(lodestep::arkode::mis_order(tableau)), 0);
    if (!coupling) throw std::bad_alloc();
    return ARK_SUCCESS;
  });
  return coupling;
}
