// What all APIs ask of the definition of a tool.
#pragma once

#include <string_view>
#include <unordered_set>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// The tools of one request, checked one after another where the client wrote them. Borrows their names.
class ToolCheck {
 public:
  /// `function` has name, description and, under the key `schema`, the shape of its arguments.
  /// Throws RequestRefused: no name, the name of a tool before it, a member of another type
  void add(const JsonFields& function, std::string_view schema);

 private:
  std::unordered_set<std::string_view> names_;
};

}  // namespace vernal::openai_http
