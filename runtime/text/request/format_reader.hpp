// The member `format` of a request document: what text an answer may be.
#pragma once

#include <optional>

#include "text/grammar/grammar.hpp"
#include "text/request/json_reader.hpp"

namespace vernal {

/// Reads `format`. Nothing if it is absent or {"type": "text"}.
/// Errors   RequestError: an unknown type, or what the type needs is missing
std::optional<grammar::GrammarSource> read_format(ObjectReader& reader);

}  // namespace vernal
