#include <lodestep/error.hpp>

#include <utility>

namespace lodestep {

// Destructors live here so that each exception type has one vtable and one type_info: a handler in the host then
// catches what a shared library throws.
Error::~Error() = default;
InvalidModel::~InvalidModel() = default;
InvalidArgument::~InvalidArgument() = default;
InvalidData::~InvalidData() = default;
IoError::~IoError() = default;

InvalidModel::InvalidModel(std::string field, const std::string& message)
    : Error("model: " + field + ": " + message), field_(std::move(field)) {}

} // namespace lodestep
