// Reads the fields of a GGUF header one after another, and refuses to read beyond its bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace vernal {

static_assert(std::endian::native == std::endian::little,
              "GGUF fields are read by copying them; this machine would have to swap their bytes");

/// Reads a number of the file, at any alignment.
template <typename Number>
Number load_number(const std::byte* data) noexcept {
  Number number;
  std::memcpy(&number, data, sizeof number);
  return number;
}

/// A position in untrusted bytes. Every read names its field, so that a message can say what is cut
/// off.
/// Errors   VERNAL_INVALID_ARGUMENT: fewer bytes are left than the field needs; the message names
///          the file, the byte offset, the subject and the field
class GgufCursor {
 public:
  /// `file_name` outlives the cursor.
  GgufCursor(std::span<const std::byte> bytes, const std::string& file_name) noexcept
      : bytes_(bytes), file_name_(file_name) {}

  std::uint64_t offset() const noexcept { return offset_; }
  std::uint64_t bytes_left() const noexcept { return bytes_.size() - offset_; }

  /// Says in messages what the next fields belong to: "metadata entry" 17. As soon as its name is
  /// set, messages show the name instead.
  void set_subject(std::string_view kind, std::uint64_t index) noexcept;
  void set_subject_name(std::string_view name) noexcept { subject_name_ = name; }

  std::uint32_t read_u32(std::string_view field) { return read<std::uint32_t>(field); }
  std::uint64_t read_u64(std::string_view field) { return read<std::uint64_t>(field); }

  /// Reads a string: its length as u64, then its bytes. The view points into the file.
  std::string_view read_string(std::string_view field);

  /// Skips `count` elements of `element_bytes` bytes each, and returns the first byte.
  const std::byte* read_elements(std::uint64_t count, std::uint64_t element_bytes,
                                 std::string_view field);

  /// Throws with "file: byte offset: subject: finding".
  [[noreturn]] void refuse(std::int32_t code, std::uint64_t offset, std::string_view finding) const;

 private:
  template <typename Number>
  Number read(std::string_view field) {
    return load_number<Number>(read_elements(1, sizeof(Number), field));
  }

  std::span<const std::byte> bytes_;
  const std::string& file_name_;
  std::uint64_t offset_ = 0;
  std::string_view subject_kind_ = "header";
  std::uint64_t subject_index_ = 0;
  std::string_view subject_name_;
};

}  // namespace vernal
