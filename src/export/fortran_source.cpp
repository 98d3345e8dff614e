#include "export/fortran_corrector.hpp"
#include "export/fortran_tableau.hpp"
#include "export/source_text.hpp"

#include <lodestep/error.hpp>
#include <lodestep/source_export.hpp>

#include <string>
#include <variant>

namespace lodestep {

std::string export_fortran(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  if (std::holds_alternative<TableauModel>(model.method)) return source::fortran_tableau(model, name);
  if (std::holds_alternative<CorrectorModel>(model.method)) return source::fortran_corrector(model, name);
  throw InvalidArgument(std::string("a ") + model.kind() +
                        " cannot be written as source code: expected a corrector or a tableau");
}

} // namespace lodestep
