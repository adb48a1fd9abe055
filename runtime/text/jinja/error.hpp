// How parsing and rendering a chat template fail.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {

/// A template cannot be parsed or rendered. The message starts with the template's name and line:
/// `chat template line 12: unknown filter "foo"; did you mean "float"?`
class TemplateError : public Error {
 public:
  TemplateError(const std::string& message, std::uint32_t line,
                std::int32_t code = VERNAL_INVALID_ARGUMENT)
      : Error(code, message), line_(line) {}

  /// Line of the template, counted from 1.
  std::uint32_t line() const noexcept { return line_; }

 private:
  std::uint32_t line_;
};

/// The template called raise_exception(message). what() is that message, unchanged.
class TemplateRaised : public TemplateError {
 public:
  using TemplateError::TemplateError;
};

/// The rendering reached one of its RenderLimits, or the parser one of its limits.
class TemplateLimit : public TemplateError {
 public:
  TemplateLimit(const std::string& message, std::uint32_t line)
      : TemplateError(message, line, VERNAL_RESOURCE_EXHAUSTED) {}
};

namespace jinja {

/// A failure inside the template engine. It does not know its template and line yet:
/// jinja::Template adds them and throws one of the classes above. A Fault never leaves the engine.
class Fault : public std::exception {
 public:
  enum class Kind : std::uint8_t { kError, kRaised, kLimit };

  Fault(Kind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  Kind kind() const noexcept { return kind_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Kind kind_;
  std::string message_;
};

/// Throws for an error of the template or of its inputs.
template <class... Arguments>
[[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Fault(Fault::Kind::kError, fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// Throws because a limit is reached.
template <class... Arguments>
[[noreturn]] void fail_limit(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Fault(Fault::Kind::kLimit, fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace jinja
}  // namespace vernal
