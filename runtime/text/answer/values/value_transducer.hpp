// Values of arguments as models write them, to JSON, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// How a value is written.
enum class ValueStyle : std::uint8_t {
  kJson,    ///< JSON. It passes through byte for byte but for what is repaired
  kPython,  ///< Python's literals, and JSON. Comes out as compact JSON
  kMarked,  ///< strings between marks, bare keys and words. Comes out as compact JSON
};

/// Turns one value into JSON. In JSON, raw control characters in strings are escaped, a backslash
/// before what is no escape is doubled, and True, False and None become true, false and null. A
/// number keeps its text. Constant work for each byte, and at most kMaxDepth nested values.
class ValueTransducer {
 public:
  enum class Status : std::uint8_t {
    kMore,        ///< the byte was taken
    kDone,        ///< the byte was taken and ends the value
    kUnexpected,  ///< the byte was not taken: it cannot stand here, or a bare word ended before it
  };
  static constexpr std::size_t kMaxDepth = 128;
  static constexpr std::size_t kMaxWord = 4096;

  /// `string_mark`: in kMarked, what begins and ends a string; it holds its first byte only once and
  /// outlives the object.
  explicit ValueTransducer(ValueStyle style, std::string_view string_mark = {}) noexcept
      : style_(style), string_mark_(string_mark) {}

  /// Takes a byte and appends what is decided to `out`.
  Status step(char byte, std::string& out);
  /// The text ends. Bytes that were held go to `out`.
  void end(std::string& out);

  /// Whether the value would be whole if what is open were closed. Before end().
  bool is_at_boundary() const;
  /// Whether the value is whole, or a bare word that is one.
  bool is_complete() const;
  /// What closes the objects and lists that are open.
  std::string closers() const;
  /// Whether a string is open, in which every byte is data.
  bool is_in_string() const noexcept;

 private:
  enum class State : std::uint8_t {
    kValue,         // a value must come
    kFirstElement,  // a value or the end of the list
    kFirstKey,      // a key or the end of the object
    kKey,           // a key must come
    kColon,
    kAfter,  // a comma or an end
    kString,
    kEscape,     // behind a backslash
    kHex,        // in \uXXXX or \xXX
    kSurrogate,  // behind a high surrogate: its low one may follow
    kWord,
    kBareKey,
    kOpeningMark,  // in the mark that begins a string
    kDone,
  };

  Status step_structure(char byte, std::string& out);
  Status step_string(char byte, std::string& out);
  Status step_escape(char byte, std::string& out);
  Status step_hex(char byte, std::string& out);
  Status begin_value(char byte, std::string& out);
  Status close(char byte, std::string& out);
  void open(char bracket, std::string& out);
  void begin_string(char quote);
  void end_string(std::string& out);
  void put_string_byte(char byte, std::string& out) const;
  bool finish_word(std::string& out);
  void end_value() noexcept { state_ = stack_.empty() ? State::kDone : State::kAfter; }
  bool is_compact() const noexcept { return style_ != ValueStyle::kJson; }

  ValueStyle style_;
  std::string_view string_mark_;
  State state_ = State::kValue;
  std::vector<char> stack_;  // '{', '[' or '('
  std::string held_;         // a word, an escape, a part of a mark
  char quote_ = '"';
  bool is_key_ = false;
  std::size_t num_hex_ = 0;  // digits that are missing
  bool had_trailing_comma_ = false;
};

/// A whole text as one value in JSON or Python's form, to compact JSON; nothing if it is none. White
/// space around it is skipped.
std::optional<std::string> literal_to_json(std::string_view text);

}  // namespace vernal
