#pragma once

#include <lodestep/sundials/stepper.hpp>

#include <arkode/arkode_butcher.h>
#include <boost/test/unit_test.hpp>
#include <nvector/nvector_serial.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

/// SUNDIALS' objects with owners, and its functions under one name on every version.
namespace lodestep::test {

struct TableFree {
  void operator()(ARKodeButcherTable t) const { ARKodeButcherTable_Free(t); }
};
using Table = std::unique_ptr<ARKodeButcherTableMem, TableFree>;

class Context {
public:
  Context() {
    BOOST_REQUIRE_EQUAL(LodestepSUNContext_Create(&context_), 0);
#if LODESTEP_SUNDIALS_VERSION >= 700
    // What fails on purpose here says so in return values: no need to print it as well.
    SUNContext_ClearErrHandlers(context_);
#endif
  }
  ~Context() {
    SUNContext_Free(&context_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  operator SUNContext() const noexcept {
    return context_;
  }

private:
  SUNContext context_ = nullptr;
};

class Vector {
public:
  explicit Vector(N_Vector v) : v_(v) { BOOST_REQUIRE(v_); }
  Vector(SUNContext context, const std::vector<double>& values)
      : Vector(N_VNew_Serial(static_cast<sunindextype>(values.size()), context)) {
    for (std::size_t i = 0; i < values.size(); ++i) (*this)[i] = values[i];
  }
  ~Vector() { N_VDestroy(v_); }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;

  operator N_Vector() const noexcept { return v_; }
  double& operator[](std::size_t i) const noexcept { return N_VGetArrayPointer(v_)[i]; }
  std::vector<double> values() const {
    const double* x = N_VGetArrayPointer(v_);
    return {x, x + N_VGetLength(v_)};
  }

private:
  N_Vector v_;
};

/// ARKODE memory of the stepper that Free frees.
class Memory {
public:
  using Free = void (*)(void**);
  Memory(void* memory, Free free) : memory_(memory), free_(free) { BOOST_REQUIRE(memory_); }
  ~Memory() { free_(&memory_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  operator void*() const noexcept { return memory_; }

private:
  void* memory_;
  Free free_;
};

/// No messages of ARKODE: they are expected where this is called. From 7.0 on the context prints none.
#if LODESTEP_SUNDIALS_VERSION < 700
#define LODESTEP_SILENCE(stepper, memory) stepper##SetErrFile(memory, nullptr)
#else
#define LODESTEP_SILENCE(stepper, memory) static_cast<void>(memory)
#endif
inline void silence(void* memory) {
  LODESTEP_SILENCE(MRIStep, memory);
}

} // namespace lodestep::test
