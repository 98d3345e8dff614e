#pragma once

#include <lodestep/export.hpp>

#include <stdexcept>
#include <string>

/// The exceptions lodestep throws. Every message says what was wrong, where, what was expected and what was found.
/// A host's own exceptions (from a right-hand side, say) are never caught, wrapped or translated.
namespace lodestep {

/// Base of every exception of this library.
class LODESTEP_EXPORT Error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

/// A model or model file that is not what it says: the field is part of the message.
class LODESTEP_EXPORT InvalidModel : public Error {
public:
  InvalidModel(std::string field, const std::string& message);
  ~InvalidModel() override;
  /// The field at fault, as a path such as `domain.state[2]`, or `file` when no field could be read.
  const std::string& field() const noexcept { return field_; }

private:
  std::string field_;
};

/// An argument outside its documented range: a step size of zero, an unknown problem, a state of another dimension.
class LODESTEP_EXPORT InvalidArgument : public Error {
public:
  using Error::Error;
  ~InvalidArgument() override;
};

/// Data that cannot be used: not finite, too few samples, of unequal shape.
class LODESTEP_EXPORT InvalidData : public Error {
public:
  using Error::Error;
  ~InvalidData() override;
};

/// A file that could not be read or written; the message carries the path and the system's reason.
class LODESTEP_EXPORT IoError : public Error {
public:
  using Error::Error;
  ~IoError() override;
};

} // namespace lodestep
