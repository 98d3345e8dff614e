#include "export/fortran_corrector.hpp"
#include "export/fortran_hierarchy.hpp"
#include "export/fortran_tableau.hpp"
#include "export/source_text.hpp"

#include <lodestep/error.hpp>
#include <lodestep/source_export.hpp>

#include <sstream>
#include <string>
#include <variant>

namespace lodestep {

namespace {

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// Whether the module of that name uses the name for something else too, which Fortran does not allow.
bool uses(const std::string& module, const std::string& name) {
  std::istringstream lines(module);
  for (std::string line; std::getline(lines, line);) {
    const std::string code = lower_case(line.substr(0, line.find('!')));
    if (code.rfind("module ", 0) == 0 || code.rfind("end module", 0) == 0) continue;
    std::string word;
    for (const char c : code + " ") {
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
        word += c;
      } else if (word == name) {
        return true;
      } else {
        word.clear();
      }
    }
  }
  return false;
}

std::string write(const Model& model, const std::string& name) {
  if (std::holds_alternative<TableauModel>(model.method)) return source::fortran_tableau(model, name);
  if (std::holds_alternative<HierarchyModel>(model.method)) return source::fortran_hierarchy(model, name);
  return source::fortran_corrector(model, name);
}

} // namespace

std::string export_fortran(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  std::string module = write(model, name);
  if (uses(module, lower_case(name))) {
    throw InvalidArgument("'" + name +
                          "' names something within the generated module, and so cannot name it too: "
                          "choose another name");
  }
  return module;
}

} // namespace lodestep
