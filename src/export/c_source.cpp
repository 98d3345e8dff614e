#include "export/c_corrector.hpp"
#include "export/c_tableau.hpp"
#include "export/source_text.hpp"

#include <lodestep/source_export.hpp>

#include <variant>

namespace lodestep {

CSource export_c(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  source::check_kind(model);
  return std::holds_alternative<TableauModel>(model.method) ? source::c_tableau(model, name)
                                                            : source::c_corrector(model, name);
}

} // namespace lodestep
