// Turns tokens into a program.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "text/jinja/syntax/ast.hpp"

namespace vernal::jinja {

/// The deepest nesting of expressions, and of statements, that is parsed.
inline constexpr std::uint32_t kMaxNesting = 200;

/// Parses a template. Throws Fault; `line` then says where.
std::unique_ptr<const Program> parse_program(std::string_view source, std::uint32_t& line);

}  // namespace vernal::jinja
