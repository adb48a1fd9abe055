// The tools of a request, as the readers of calls ask for them.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/request/chat_message.hpp"

namespace vernal {

/// What a parameter may be, by its schema.
struct ParameterType {
  bool is_declared = false;  ///< the tool declares it
  bool is_string = false;
  bool is_null = false;
  bool is_integer = false;
  bool is_number = false;
  bool is_boolean = false;
  bool is_array = false;
  bool is_object = false;
  const boost::json::array* values = nullptr;  ///< of an enum

  bool has_type() const noexcept {
    return is_string || is_null || is_integer || is_number || is_boolean || is_array || is_object;
  }
  /// Whether any text stands for itself.
  bool is_text() const noexcept;
};

/// Borrows the definitions, which outlive it. Immutable.
class OfferedTools {
 public:
  explicit OfferedTools(const std::vector<ToolDefinition>& tools);

  bool empty() const noexcept { return parameters_.empty(); }
  bool has(std::string_view name) const { return parameters_.contains(name); }
  /// The type of a parameter; of an unknown tool or parameter one that is not declared.
  ParameterType type_of(std::string_view tool, std::string_view parameter) const;
  /// The parameters whose values are texts, whatever they look like.
  std::vector<std::string> text_parameters(std::string_view tool) const;
  /// The one parameter of a tool that has exactly one; empty for others.
  std::string_view only_parameter(std::string_view tool) const;

 private:
  const boost::json::object* properties(std::string_view tool) const;

  // Null: no schema.
  std::map<std::string, const boost::json::object*, std::less<>> parameters_;
};

/// The value that a tag's text stands for, as compact JSON: of the first type that fits, else text.
std::string value_to_json(std::string_view text, const ParameterType& type);

}  // namespace vernal
