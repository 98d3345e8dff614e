#pragma once

#include <lodestep/model.hpp>

#include <boost/test/unit_test.hpp>

#include <lodestep.h>
#include <memory>

/// The C library's handles, for tests.
namespace lodestep::test {

struct ModelDeleter {
  void operator()(lodestep_model* model) const { lodestep_model_free(model); }
};
struct StepperDeleter {
  void operator()(lodestep_stepper* stepper) const { lodestep_stepper_free(stepper); }
};
using ModelHandle = std::unique_ptr<lodestep_model, ModelDeleter>;
using StepperHandle = std::unique_ptr<lodestep_stepper, StepperDeleter>;

inline ModelHandle load(const Model& model) {
  const auto bytes = serialize_model(model);
  lodestep_model* handle = nullptr;
  BOOST_REQUIRE_MESSAGE(lodestep_model_load_memory(bytes.data(), bytes.size(), "test", &handle) == LODESTEP_SUCCESS,
                        lodestep_last_error());
  return ModelHandle(handle);
}

inline StepperHandle make(const ModelHandle& model, lodestep_rhs rhs, void* user = nullptr) {
  lodestep_stepper* handle = nullptr;
  BOOST_REQUIRE_EQUAL(lodestep_stepper_create(model.get(), rhs, user, &handle), LODESTEP_SUCCESS);
  return StepperHandle(handle);
}

inline lodestep_counters counters(const StepperHandle& stepper) {
  lodestep_counters c;
  BOOST_REQUIRE_EQUAL(lodestep_get_counters(stepper.get(), &c), LODESTEP_SUCCESS);
  return c;
}

} // namespace lodestep::test
