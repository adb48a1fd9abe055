// Strict, typed reading of a JSON object of a request. Every error names the field by its path.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// Limits of one document, so that its cost is bounded whatever a client sends.
struct JsonLimits {
  std::size_t max_bytes = std::size_t{32} << 20U;
  std::size_t max_depth = 128;
};

/// Parses UTF-8 JSON. Of a key that comes twice, the last counts. Numbers keep their text
/// (text/exact_json.hpp). Memory is bounded by a multiple of the text.
/// Errors   RequestError invalid_json: not JSON, not UTF-8, too deep, a number that is not finite;
///          request_too_large (413): longer than the limit, or it would take too much memory.
boost::json::value parse_json(std::string_view text, const JsonLimits& limits);

/// "a string", "the number 7", ...: what a value is, without the client's text.
std::string describe(const boost::json::value& value);

/// A number as a double, also one that keeps its text. Nothing for what is no number.
std::optional<double> number_of(const boost::json::value& value);

/// `value` of the field `path` as text of up to max_bytes, or RequestError.
std::string read_string(const boost::json::value& value, const std::string& path,
                        std::size_t max_bytes);

/// One object, whose keys are asked for one by one. A key that is absent or null gives nothing; a
/// value of another type or out of range is refused with RequestError invalid_value.
class ObjectReader {
 public:
  /// `value` outlives the reader. `path` is "" for the document itself.
  /// Errors   RequestError if it is no object.
  ObjectReader(const boost::json::value& value, std::string path);

  const boost::json::value* find(std::string_view key);
  /// As find(), but the key is needed.
  const boost::json::value& require(std::string_view key);
  std::optional<std::string> find_string(std::string_view key, std::size_t max_bytes);
  std::optional<bool> find_bool(std::string_view key);
  std::optional<double> find_number(std::string_view key, double min, double max);
  /// Also takes 16.0.
  std::optional<std::int64_t> find_integer(std::string_view key, std::int64_t min,
                                           std::int64_t max);
  const boost::json::array* find_array(std::string_view key);
  const boost::json::object* find_object(std::string_view key);

  /// "sampling.top_p"
  std::string path_of(std::string_view key) const;
  /// Refuses keys that nobody asked for. To be called at the end.
  void refuse_unknown_keys() const;

 private:
  const boost::json::object& object_;
  std::string path_;
  std::vector<std::string_view> known_;
};

}  // namespace vernal
