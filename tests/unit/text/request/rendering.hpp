// Request documents through a chat template, as text.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "support/byte_tokenizer.hpp"
#include "text/request/prompt_builder.hpp"

namespace vernal::test {

inline std::shared_ptr<const ChatTemplate> parsed(std::string_view source) {
  return std::make_shared<const ChatTemplate>(ChatTemplate::parse(source));
}

inline PromptBuilder builder_of(ModelTemplates templates) {
  return {make_byte_tokenizer(), std::move(templates), [] { return LocalTime{}; }};
}

/// The prompt of a request document.
inline std::string prompt_of(std::string_view source, std::string_view document) {
  return builder_of({parsed(source)}).text(parse_request(document, {}, false));
}

inline Warnings warnings_of(std::string_view source, std::string_view document) {
  return builder_of({parsed(source)}).prompt(parse_request(document, {}, false)).warnings;
}

/// A conversation in which the assistant made a call with these arguments, as JSON, and got "done".
///   content   of the assistant's message, as JSON
inline std::string call_document(std::string_view arguments, std::string_view content = "null") {
  return fmt::format(
      R"({{"messages": [{{"role": "user", "content": "go"}},
          {{"role": "assistant", "content": {}, "tool_calls": [
            {{"id": "call_0123456789", "function": {{"name": "f", "arguments": {}}}}}]}},
          {{"role": "tool", "tool_call_id": "call_0123456789", "content": "done"}}]}})",
      content, arguments);
}

}  // namespace vernal::test
