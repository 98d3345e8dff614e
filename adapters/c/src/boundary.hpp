#pragma once

#include <lodestep/error.hpp>

#include <cstdio>
#include <exception>
#include <lodestep.h>
#include <new>
#include <string>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

/// Where C++ ends: exceptions become a status and this thread's message.
namespace lodestep::c {

/// Remembers `message` for lodestep_last_error() and returns `status`. Never allocates; a long message is cut.
inline int fail(lodestep_status status, const char* message) noexcept {
  return lodestep_set_last_error(status, message);
}
inline int fail(lodestep_status status, const std::string& message) noexcept {
  return fail(status, message.c_str());
}

/// "lodestep_step: y is a null pointer"
inline int fail_null(const char* function, const char* argument) noexcept {
  char text[160];
  std::snprintf(text, sizeof text, "%s: %s is a null pointer", function, argument);
  return fail(LODESTEP_INVALID_ARGUMENT, text);
}

/// The status of the exception being handled, whose message is remembered.
inline int fail_current_exception() {
  try {
    throw;
  } catch (const InvalidModel& error) {
    return fail(LODESTEP_INVALID_MODEL, error.what());
  } catch (const InvalidArgument& error) {
    return fail(LODESTEP_INVALID_ARGUMENT, error.what());
  } catch (const InvalidData& error) {
    return fail(LODESTEP_INVALID_DATA, error.what());
  } catch (const IoError& error) {
    return fail(LODESTEP_IO_ERROR, error.what());
  } catch (const std::bad_alloc&) {
    return fail(LODESTEP_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(LODESTEP_INTERNAL_ERROR, error.what());
  }
}

/// Runs `body`, which returns a status; exceptions become one.
template <class Body> int guarded(Body&& body) {
  try {
    return body();
  }
#if defined(__GLIBCXX__)
  // A thread that is being cancelled unwinds by an exception of its own, which must not be stopped.
  catch (abi::__forced_unwind&) {
    throw;
  }
#endif
  catch (...) {
    try {
      return fail_current_exception();
    } catch (...) {
      return fail(LODESTEP_INTERNAL_ERROR, "an exception of unknown type");
    }
  }
}

} // namespace lodestep::c
