#pragma once

#include <lodestep/export.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// JSON read without forgiveness. A reader that skips what it does not know, or takes the last of two equal keys,
/// turns a damaged or newer file into a different model; this one says what is wrong, and where.
namespace lodestep::detail {

using Json = nlohmann::json;

/// Nesting beyond which a text is refused. Ours nests five deep.
inline constexpr std::size_t json_depth_limit = 16;

/// Parses one JSON object. `field` names the text in messages. Throws InvalidModel if it is no JSON object, has a key
/// twice in one object, or nests deeper than `json_depth_limit`.
Json parse_json_object(std::string_view text, const std::string& field);

/// JSON text of `value`, every double with as many digits (17 at most) as give the same bits back.
std::string dump_json(const Json& value);

/// `text` as a JSON string, for messages: quoted, shortened, control characters escaped.
LODESTEP_EXPORT std::string quoted(const std::string& text);

/// Throws InvalidModel naming `field` unless `text` is UTF-8, which is all that JSON can hold.
void check_utf8(const std::string& text, const std::string& field);

/// Takes the members of one object by name and type. Every member must be taken: `finish` names one that was not.
/// All throw InvalidModel with the member's path: "domain.state[2]".
class ObjectReader {
public:
  /// `path` is empty for the outermost object. `object` must outlive the reader.
  ObjectReader(const Json& object, std::string path);

  std::string path(const std::string& key) const;
  double number(const std::string& key);
  std::uint64_t unsigned_integer(const std::string& key);
  std::size_t size(const std::string& key);
  /// An integer of at most `largest`.
  unsigned small_integer(const std::string& key, unsigned largest);
  bool boolean(const std::string& key);
  std::string text(const std::string& key);
  std::vector<double> numbers(const std::string& key);
  /// As `numbers`, of the given length.
  std::vector<double> numbers(const std::string& key, std::size_t length);
  std::vector<std::size_t> sizes(const std::string& key);
  /// The elements of an array, still to be read.
  const Json::array_t& array(const std::string& key);
  ObjectReader object(const std::string& key);
  /// Whether there is such a member, for those that a file may lack.
  bool has(const std::string& key) const;
  /// Whether a member that may be null is; if not, it is still to be read.
  bool null(const std::string& key);
  /// Throws if the object has a member that nobody took.
  void finish() const;

private:
  const Json& take(const std::string& key);

  const Json& object_;
  std::string path_;
  std::set<std::string, std::less<>> taken_;
};

} // namespace lodestep::detail
