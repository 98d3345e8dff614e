#include <lodestep/corrector_model.hpp>
#include <lodestep/error.hpp>

#include <initializer_list>

namespace lodestep {

namespace {

/// The value whose name it is, or InvalidArgument listing the names.
template <class Enum> Enum named(const std::string& name, const char* what, std::initializer_list<Enum> values) {
  std::string known;
  for (const Enum value : values) {
    if (name == to_string(value)) return value;
    known += (known.empty() ? "" : ", ") + std::string(to_string(value));
  }
  throw InvalidArgument(std::string("unknown ") + what + " '" + name + "': expected one of " + known);
}

} // namespace

const char* to_string(CorrectorInput input) noexcept {
  switch (input) {
  case CorrectorInput::increment:
    return "increment";
  case CorrectorInput::state:
    return "state";
  case CorrectorInput::stages:
    return "stages";
  }
  return "?";
}

CorrectorInput corrector_input_from(const std::string& name) {
  return named(name, "corrector input", {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages});
}

const char* to_string(CorrectorForm form) noexcept {
  return form == CorrectorForm::additive ? "additive" : "multiplicative";
}

CorrectorForm corrector_form_from(const std::string& name) {
  return named(name, "corrector form", {CorrectorForm::additive, CorrectorForm::multiplicative});
}

const char* to_string(TimeInput time) noexcept {
  switch (time) {
  case TimeInput::none:
    return "none";
  case TimeInput::phase:
    return "phase";
  case TimeInput::elapsed:
    return "elapsed";
  }
  return "?";
}

TimeInput time_input_from(const std::string& name) {
  return named(name, "time input", {TimeInput::none, TimeInput::phase, TimeInput::elapsed});
}

} // namespace lodestep
