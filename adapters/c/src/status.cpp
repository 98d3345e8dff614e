#include <lodestep/version.hpp>

#include <cstdio>
#include <lodestep.h>

namespace {
// Plain characters: no destructor has to run when a thread ends or the library is unloaded.
thread_local char last_error[1024] = "";
} // namespace

extern "C" {

const char* lodestep_status_message(int status) {
  switch (status) {
#define LODESTEP_CASE(name, value, text)                                                                               \
  case value:                                                                                                          \
    return text;
    LODESTEP_STATUS_TABLE(LODESTEP_CASE)
#undef LODESTEP_CASE
  default:
    return "no status of lodestep";
  }
}

const char* lodestep_status_name(int status) {
  switch (status) {
#define LODESTEP_CASE(name, value, text)                                                                               \
  case value:                                                                                                          \
    return #name;
    LODESTEP_STATUS_TABLE(LODESTEP_CASE)
#undef LODESTEP_CASE
  default:
    return "?";
  }
}

const char* lodestep_last_error(void) {
  return last_error;
}

int lodestep_set_last_error(int status, const char* message) {
  std::snprintf(last_error, sizeof last_error, "%s", message ? message : "");
  return status;
}

int lodestep_abi(void) {
  return LODESTEP_ABI;
}

const char* lodestep_version(void) {
  return LODESTEP_VERSION_STRING;
}

} // extern "C"
