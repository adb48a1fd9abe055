// A text that grows and asks the budget before it takes memory.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// Collects the text of one value. Memory is charged before it is taken, and appending counts as
/// work.
class TextBuilder {
 public:
  explicit TextBuilder(Heap& heap) : heap_(heap) {}
  TextBuilder(const TextBuilder&) = delete;
  TextBuilder& operator=(const TextBuilder&) = delete;
  ~TextBuilder() { heap_.budget().release(charged_); }

  Heap& heap() const noexcept { return heap_; }

  void append(std::string_view text) {
    reserve(text.size());
    text_.append(text);
  }
  void append(char character) {
    reserve(1);
    text_.push_back(character);
  }
  /// Appends `text` `count` times; nothing if `count` is below 1.
  void append_repeated(std::string_view text, std::int64_t count);

  std::string_view view() const noexcept { return text_; }

  /// The text as a value. Afterwards the builder is empty.
  Value finish(bool is_safe = false) {
    heap_.budget().release(std::exchange(charged_, 0));
    return Value(StringObject::make(heap_, std::exchange(text_, {}), is_safe));
  }
  /// The text as a string, which is not charged any more. Afterwards the builder is empty.
  std::string take() {
    heap_.budget().release(std::exchange(charged_, 0));
    return std::exchange(text_, {});
  }

 private:
  // Added to the bytes of each piece, so that many small pieces count as work.
  static constexpr std::uint64_t kCostOfAppending = 8;

  void reserve(std::uint64_t bytes) {
    heap_.budget().read_bytes(bytes + kCostOfAppending);
    if (bytes > text_.capacity() - text_.size()) {
      grow(bytes);
    }
  }
  /// Charges and takes room for `bytes` more, and at least doubles the room.
  void grow(std::uint64_t bytes);

  Heap& heap_;
  std::string text_;
  std::uint64_t charged_ = 0;
};

}  // namespace vernal::jinja
