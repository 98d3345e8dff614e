#include "export/c_corrector.hpp"
#include "export/c_hierarchy.hpp"
#include "export/c_tableau.hpp"
#include "export/source_text.hpp"

#include <lodestep/source_export.hpp>

#include <string>
#include <variant>

namespace lodestep {

CSource export_c(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  if (std::holds_alternative<TableauModel>(model.method)) return source::c_tableau(model, name);
  if (std::holds_alternative<HierarchyModel>(model.method)) return source::c_hierarchy(model, name);
  return source::c_corrector(model, name);
}

} // namespace lodestep
