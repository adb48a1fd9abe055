// The options of generation, which /set changes.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::stdin_repl {

/// The values that were set. Others are left out of requests, so that the model's defaults hold.
class GenerationOptions {
 public:
  /// The names in the order in which they are shown.
  static std::vector<std::string_view> names();
  /// What an option accepts: "a number", "a whole number", "a word".
  /// Errors   NOT_FOUND: no such option
  static std::string_view expectation(std::string_view name);

  /// Sets an option from text; "default" makes it unset. The core refuses values out of range when
  /// they are used.
  /// Errors   NOT_FOUND: no such option; the message has the nearest name
  ///          INVALID_ARGUMENT: the value is of another kind
  void set(std::string_view name, std::string_view value);
  /// The value of an option, or "default".
  /// Errors   NOT_FOUND: no such option
  std::string value_of(std::string_view name) const;

  /// Adds the values that were set to a vernal.request/1 document.
  void add_to(boost::json::object& document) const;

 private:
  boost::json::object values_;  // name -> number or string
};

}  // namespace vernal::stdin_repl
