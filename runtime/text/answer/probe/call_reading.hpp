// Whether a syntax reads the call of a probe.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/answer/answer_syntax.hpp"

namespace vernal::probe {

/// What a syntax makes of a text with the call in it.
struct Reading {
  bool is_right = false;        ///< one call, with the name and the argument
  std::size_t num_content = 0;  ///< bytes that it takes for content
};

Reading read_with(const AnswerSyntax& syntax, std::string_view text);

}  // namespace vernal::probe
