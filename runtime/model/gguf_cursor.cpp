#include "model/gguf_cursor.hpp"

#include <fmt/format.h>

#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {

void GgufCursor::set_subject(std::string_view kind, std::uint64_t index) noexcept {
  subject_kind_ = kind;
  subject_index_ = index;
  subject_name_ = {};
}

std::string_view GgufCursor::read_string(std::string_view field) {
  const std::uint64_t length = read_u64(field);
  const std::byte* const text = read_elements(length, 1, field);
  return {reinterpret_cast<const char*>(text), length};
}

const std::byte* GgufCursor::read_elements(std::uint64_t count, std::uint64_t element_bytes,
                                           std::string_view field) {
  std::uint64_t needed = 0;
  const bool wraps = __builtin_mul_overflow(count, element_bytes, &needed);
  if (wraps || needed > bytes_left()) {
    const bool is_single = count == 1 || element_bytes == 1;
    const std::string size = is_single ? fmt::format("{} bytes", needed)
                                       : fmt::format("{} x {} bytes", count, element_bytes);
    refuse(VERNAL_INVALID_ARGUMENT, offset_,
           fmt::format("the file ends too early: {} takes {}, {} are left", field, size,
                       bytes_left()));
  }
  const std::byte* const first = bytes_.data() + offset_;
  offset_ += needed;
  return first;
}

void GgufCursor::refuse(std::int32_t code, std::uint64_t offset, std::string_view finding) const {
  std::string subject(subject_kind_);
  if (!subject_name_.empty()) {
    subject += fmt::format(" \"{}\"", printable(subject_name_));
  } else if (subject_kind_ != "header") {
    subject += fmt::format(" {}", subject_index_);
  }
  throw Error(code, fmt::format("{}: byte {}: {}: {}", printable(file_name_, 1024), offset, subject,
                                finding));
}

}  // namespace vernal
