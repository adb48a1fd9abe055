// Template source to tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::jinja {

enum class TokenKind : std::uint8_t {
  kText,  // output as it is
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

/// Largest template that is read.
inline constexpr std::size_t kMaxSourceBytes = std::size_t{4} << 20;

/// The tokens of a template, kEnd last. Comments are gone, white space around tags is treated as
/// Jinja does with trim_blocks and lstrip_blocks, one newline at the end is dropped. Throws Fault
/// for text that is no UTF-8, unknown characters and tags that do not end; `line` is then where.
std::vector<Token> tokenize(std::string_view source, std::uint32_t& line);

/// How a token reads in a message: "end of the template", "'endfor'".
std::string describe(const Token& token);

}  // namespace vernal::jinja
