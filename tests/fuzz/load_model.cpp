#include "model_bytes.hpp"
#include "sample_models.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Whatever the bytes, loading gives InvalidModel with a field, or a model that is sound and survives another round
// trip. Every input is tried as it is and with its checksum put right: otherwise no search would get past that.

using namespace lodestep;
using namespace lodestep::test;

namespace {

void try_loading(const unsigned char* data, std::size_t size) {
  std::shared_ptr<const Model> model;
  try {
    model = load_model(data, size, "fuzz");
  } catch (const InvalidModel& error) {
    if (error.field().empty()) std::abort();
    return;
  }
  const Bytes again = serialize_model(*model);
  if (!same(*load_model(again.data(), again.size(), "again"), *model)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_loading(data, size);
  Bytes sealed(data, data + size);
  reseal(sealed);
  try_loading(sealed.data(), sealed.size());
  return 0;
}
