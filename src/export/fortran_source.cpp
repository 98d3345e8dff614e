#include "export/fortran_corrector.hpp"
#include "export/fortran_tableau.hpp"
#include "export/source_text.hpp"

#include <lodestep/source_export.hpp>

#include <variant>

namespace lodestep {

std::string export_fortran(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  source::check_kind(model);
  return std::holds_alternative<TableauModel>(model.method) ? source::fortran_tableau(model, name)
                                                            : source::fortran_corrector(model, name);
}

} // namespace lodestep
