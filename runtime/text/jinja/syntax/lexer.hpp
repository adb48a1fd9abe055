// Turns the source of a template into tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::jinja {

enum class TokenKind : std::uint8_t {
  kText,  // is output as it is
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,  // text: without quotes, escapes resolved
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind;
  std::string text;
  std::uint32_t line;
};

/// The largest template that is read, in bytes.
inline constexpr std::size_t kMaxSourceBytes = std::size_t{4} << 20;

/// The tokens of a template. The last one is kEnd. Comments are dropped, and so is one newline at
/// the end. White space around tags is treated as Jinja does with trim_blocks and lstrip_blocks.
/// Throws Fault for text that is not UTF-8, unknown characters and tags that do not end; `line`
/// then says where.
std::vector<Token> tokenize(std::string_view source, std::uint32_t& line);

/// A token for messages: "end of the template" or "'endfor'".
std::string describe(const Token& token);

}  // namespace vernal::jinja
