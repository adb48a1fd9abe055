// How a test says what it found: by what it throws.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace vernal::check {

/// The plugin breaks a promise: what was expected and what was found.
class Finding {
 public:
  explicit Finding(std::string text) : text_(std::move(text)) {}
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Begins the reason of tests that are skipped because the machine has no device for the backend.
inline constexpr std::string_view kNoDevice = "no device: ";

/// The test has nothing to look at: why.
class Skipped {
 public:
  explicit Skipped(std::string reason) : reason_(std::move(reason)) {}
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string reason_;
};

/// Throws Finding with the formatted text unless `holds`.
template <class... Args>
void expect(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) throw Finding(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace vernal::check
