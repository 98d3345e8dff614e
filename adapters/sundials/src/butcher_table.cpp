#include "stepper.hpp"

#include <lodestep/sundials/stepper.hpp>
#include <lodestep/tableau.hpp>

#include <vector>

namespace lodestep::arkode {

ARKodeButcherTable make_butcher_table(const ButcherTableau& tableau) {
  tableau.validate();
  // NOTE: ARKODE wants mutable arrays though it copies them.
  std::vector<sunrealtype> a = tableau.a;
  std::vector<sunrealtype> b = tableau.b;
  std::vector<sunrealtype> c = tableau.c;
  std::vector<sunrealtype> d = tableau.b_embedded;
  ARKodeButcherTable table =
      ARKodeButcherTable_Create(static_cast<int>(tableau.stages()), static_cast<int>(tableau.order),
                                d.empty() ? 0 : static_cast<int>(tableau.embedded_order), c.data(), a.data(), b.data(),
                                d.empty() ? nullptr : d.data());
  if (!table) throw std::bad_alloc();
  return table;
}

} // namespace lodestep::arkode

ARKodeButcherTable LodestepButcherTable_LoadByName(const char* name) {
  ARKodeButcherTable table = nullptr;
  lodestep::arkode::guarded(stderr, "LodestepButcherTable_LoadByName", [&] {
    table = lodestep::arkode::make_butcher_table(lodestep::classical_tableau(name ? name : ""));
    return ARK_SUCCESS;
  });
  return table;
}
