#include "model/strict_json.hpp"

#include <lodestep/error.hpp>

#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

[[noreturn]] void wrong_type(const std::string& path, const char* expected, const Json& found) {
  throw InvalidModel(path, std::string("expected ") + expected + ", found " +
                               (found.is_number() ? "the number " + found.dump() : found.type_name()));
}

std::string element(const std::string& path, std::size_t i) {
  return path + "[" + std::to_string(i) + "]";
}

double to_number(const Json& value, const std::string& path) {
  if (value.is_number_float()) return value.get<double>();
  // A whole number written without a point is a number as well, as long as a double holds it exactly.
  constexpr auto exact = std::uint64_t{1} << std::numeric_limits<double>::digits;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= exact) return value.get<double>();
  if (value.is_number_integer() && !value.is_number_unsigned() &&
      value.get<std::int64_t>() >= -static_cast<std::int64_t>(exact)) {
    return value.get<double>();
  }
  wrong_type(path, "a number", value);
}

std::uint64_t to_unsigned(const Json& value, const std::string& path) {
  if (!value.is_number_unsigned()) wrong_type(path, "an integer from 0 to 2^64 - 1", value);
  return value.get<std::uint64_t>();
}

std::size_t to_size(const Json& value, const std::string& path) {
  const std::uint64_t number = to_unsigned(value, path);
  if (number > std::numeric_limits<std::size_t>::max()) wrong_type(path, "a size", value);
  return static_cast<std::size_t>(number);
}

/// Watches the parser's events for what the parser itself lets pass.
class Watch {
public:
  explicit Watch(const std::string& field) : field_(field) {}

  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    switch (event) {
    case Json::parse_event_t::object_start:
    case Json::parse_event_t::array_start:
      open_.emplace_back();
      if (open_.size() > json_depth_limit) {
        throw InvalidModel(field_, "nested deeper than " + std::to_string(json_depth_limit) + " levels");
      }
      break;
    case Json::parse_event_t::object_end:
    case Json::parse_event_t::array_end:
      open_.pop_back();
      break;
    case Json::parse_event_t::key: {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open_.back().insert(key).second) throw InvalidModel(field_, "the key " + quoted(key) + " appears twice");
      break;
    }
    case Json::parse_event_t::value:
      break;
    }
    return true;
  }

private:
  const std::string& field_;
  std::vector<std::set<std::string>> open_; // keys seen, of every object and array now open
};

} // namespace

Json parse_json_object(std::string_view text, const std::string& field) {
  if (text.empty() || text.front() != '{') throw InvalidModel(field, "expected a JSON object");
  try {
    Watch watch(field);
    return Json::parse(text.begin(), text.end(), std::ref(watch));
  } catch (const Json::parse_error& error) {
    throw InvalidModel(field, "not valid JSON at byte " + std::to_string(error.byte));
  } catch (const Json::out_of_range&) {
    throw InvalidModel(field, "holds a number beyond the range of a double");
  }
}

std::string dump_json(const Json& value) {
  return value.dump();
}

std::string quoted(const std::string& text) {
  constexpr std::size_t longest = 60;
  const bool cut = text.size() > longest;
  return Json(text.substr(0, longest)).dump(-1, ' ', true, Json::error_handler_t::replace) + (cut ? "..." : "");
}

void check_utf8(const std::string& text, const std::string& field) {
  try {
    (void)Json(text).dump();
  } catch (const Json::type_error&) {
    throw InvalidModel(field, quoted(text) + " is not UTF-8");
  }
}

ObjectReader::ObjectReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object_.is_object()) wrong_type(path_, "an object", object_);
}

std::string ObjectReader::path(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

const Json& ObjectReader::take(const std::string& key) {
  const auto member = object_.find(key);
  if (member == object_.end()) throw InvalidModel(path(key), "missing");
  taken_.insert(key);
  return *member;
}

double ObjectReader::number(const std::string& key) {
  return to_number(take(key), path(key));
}

std::uint64_t ObjectReader::unsigned_integer(const std::string& key) {
  return to_unsigned(take(key), path(key));
}

std::size_t ObjectReader::size(const std::string& key) {
  return to_size(take(key), path(key));
}

unsigned ObjectReader::small_integer(const std::string& key, unsigned largest) {
  const std::uint64_t value = unsigned_integer(key);
  if (value > largest) {
    throw InvalidModel(path(key), "expected at most " + std::to_string(largest) + ", found " + std::to_string(value));
  }
  return static_cast<unsigned>(value);
}

bool ObjectReader::boolean(const std::string& key) {
  const Json& value = take(key);
  if (!value.is_boolean()) wrong_type(path(key), "true or false", value);
  return value.get<bool>();
}

std::string ObjectReader::text(const std::string& key) {
  const Json& value = take(key);
  if (!value.is_string()) wrong_type(path(key), "a string", value);
  return value.get<std::string>();
}

std::vector<double> ObjectReader::numbers(const std::string& key) {
  const auto& elements = array(key);
  std::vector<double> values(elements.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = to_number(elements[i], element(path(key), i));
  return values;
}

std::vector<double> ObjectReader::numbers(const std::string& key, std::size_t length) {
  auto values = numbers(key);
  if (values.size() != length) {
    throw InvalidModel(path(key),
                       "expected " + std::to_string(length) + " numbers, found " + std::to_string(values.size()));
  }
  return values;
}

std::vector<std::size_t> ObjectReader::sizes(const std::string& key) {
  const auto& elements = array(key);
  std::vector<std::size_t> values(elements.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = to_size(elements[i], element(path(key), i));
  return values;
}

const Json::array_t& ObjectReader::array(const std::string& key) {
  const Json& value = take(key);
  if (!value.is_array()) wrong_type(path(key), "an array", value);
  return value.get_ref<const Json::array_t&>();
}

ObjectReader ObjectReader::object(const std::string& key) {
  return ObjectReader(take(key), path(key));
}

bool ObjectReader::has(const std::string& key) const {
  return object_.contains(key);
}

bool ObjectReader::null(const std::string& key) {
  return take(key).is_null();
}

void ObjectReader::finish() const {
  for (const auto& [key, value] : object_.items()) {
    if (!taken_.contains(key)) throw InvalidModel(path(key), "unknown field: nothing in a model file is skipped");
  }
}

} // namespace lodestep::detail
