// Typed, checked reading of the members of a JSON object that a client sent.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::openai_http {

/// Inclusive bounds of a number.
struct Range {
  double low;
  double high;
};

/// A view of one object. The path that leads to it ("messages[2].", or "" for the body itself)
/// stands before the names of its members in messages. A member that is null counts as absent.
/// Getters throw RequestRefused (400 invalid_value with param) for another type or a value out of
/// range. Members nobody asks for are ignored.
class JsonFields {
 public:
  explicit JsonFields(const boost::json::object& object, std::string path = {})
      : object_(object), path_(std::move(path)) {}

  /// The member, or null if it is absent or JSON null.
  const boost::json::value* find(std::string_view key) const;

  /// The object itself.
  const boost::json::object& all() const noexcept { return object_; }

  /// The names of all members, in the order they were sent.
  std::vector<std::string_view> names() const;

  std::optional<bool> boolean(std::string_view key) const;
  std::optional<double> number(std::string_view key, Range range) const;
  /// A whole number; 5.0 counts as 5.
  std::optional<std::int64_t> integer(std::string_view key, Range range) const;
  std::optional<std::string_view> string(std::string_view key) const;
  const boost::json::array* array(std::string_view key) const;
  const boost::json::object* object(std::string_view key) const;

  /// Like the getters above, but throw if the member is absent.
  std::string_view required_string(std::string_view key) const;
  const boost::json::array& required_array(std::string_view key) const;

  /// "messages[2].content".
  std::string path_of(std::string_view key) const;

  /// Refuses the member: "Invalid value for 'path': expected ..., found ...".
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

 private:
  const boost::json::object& object_;
  std::string path_;
};

/// The text of a JSON string, borrowed.
std::string_view text_of(const boost::json::string& string) noexcept;

/// "messages[2]."
std::string element_path(std::string_view array, std::size_t index);

}  // namespace vernal::openai_http
