// Text files that people write may begin with a byte order mark.
#pragma once

#include <string_view>

namespace vernal {

/// The text of a file without the byte order mark of UTF-8 that some editors put before it. For
/// every file that a person may have written.
constexpr std::string_view without_byte_order_mark(std::string_view text) noexcept {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

/// Whether the text begins with the byte order mark of UTF-16, in either order of bytes. Who expects
/// UTF-8 cannot read such a file.
constexpr bool is_utf16(std::string_view text) noexcept {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
}

}  // namespace vernal
