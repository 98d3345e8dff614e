#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

// Whatever the text, it is refused with a field, or it is a sound tableau that survives another round trip bit for bit.

using namespace lodestep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ButcherTableau tableau;
  try {
    tableau = tableau_from_json(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const InvalidModel& error) {
    if (error.field().empty()) std::abort();
    return 0;
  }
  const ButcherTableau again = tableau_from_json(to_json(tableau));
  if (again.name != tableau.name || again.order != tableau.order || again.a != tableau.a || again.b != tableau.b ||
      again.c != tableau.c || again.embedded_order != tableau.embedded_order ||
      again.b_embedded != tableau.b_embedded || again.fsal != tableau.fsal) {
    std::abort();
  }
  return 0;
}
