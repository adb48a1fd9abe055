// Which known family of models a template or a vocabulary belongs to.
#pragma once

#include <string_view>

#include "text/answer/answer_syntax.hpp"
#include "text/answer/syntax_probe.hpp"

namespace vernal::probe {

/// The family without marks of its own.
inline constexpr std::string_view kBareFamily = "bare_json";

/// The family that reads the printed call best: with the least left over, then by its longest mark,
/// then by how many of its marks the template's source has. Null: none whose mark was printed.
const AnswerSyntax* best_reader(std::string_view printed, std::string_view source);
/// The first family that reads the call without its mark, and one of whose marks the source has; the
/// family without marks may do as well. Null: none.
const AnswerSyntax* unmarked_reader(std::string_view printed, std::string_view source);
/// The family whose longest mark is in the prompt, else in the template's source, else a token. Null:
/// none has one that is long enough to be no word.
const AnswerSyntax* mentioned_family(std::string_view prompt, std::string_view source,
                                     const IsToken& is_token);

}  // namespace vernal::probe
