// Sets of code points.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vernal::grammar {

inline constexpr std::uint32_t kMaxCodePoint = 0x10FFFF;

/// Code points `first` to `last`.
struct CodeRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool operator==(const CodeRange&) const = default;
};

/// A set of code points: ascending ranges that neither overlap nor touch.
class Charset {
 public:
  Charset() = default;
  explicit Charset(std::vector<CodeRange> ranges);
  static Charset all() { return Charset({{0, kMaxCodePoint}}); }
  static Charset of(std::uint32_t code_point) { return Charset({{code_point, code_point}}); }

  bool contains(std::uint32_t code_point) const noexcept;
  bool is_empty() const noexcept { return ranges_.empty(); }
  bool is_all() const noexcept {
    return ranges_.size() == 1 && ranges_[0] == CodeRange{0, kMaxCodePoint};
  }
  const std::vector<CodeRange>& ranges() const noexcept { return ranges_; }

  Charset complement() const;
  Charset united(const Charset& other) const;
  Charset intersected(const Charset& other) const;

  bool operator==(const Charset&) const = default;

 private:
  std::vector<CodeRange> ranges_;
};

std::uint64_t hash_of(const Charset& set) noexcept;

/// The characters of an escape of ECMAScript: 'd', 'w', 's', with a capital for the complement; '.'
/// is every character that ends no line.
Charset escape_class(char letter);

/// The characters of \p{NAME}: a general category ("Lu", "L", "Letter", "Uppercase_Letter",
/// "gc=Lu"), "Any", "ASCII", "Alphabetic" or the scripts "Latin", "Greek", "Cyrillic", "Han"
/// approximated by blocks. False if the name is not known.
bool unicode_class(std::string_view name, Charset& set);

}  // namespace vernal::grammar
