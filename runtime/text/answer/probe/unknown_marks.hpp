// Marks of calls that no known family has, taken from what a template printed.
#pragma once

#include <optional>
#include <string_view>

#include "text/answer/answer_syntax.hpp"

namespace vernal::probe {

/// A syntax with the tags or the marks around a JSON object that the template wrote. Nothing if it
/// does not read the printed call.
std::optional<AnswerSyntax> unknown_syntax(std::string_view printed);

}  // namespace vernal::probe
