// The text of an answer as its readers see it: one byte after the other, with a way back.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/task.hpp"

namespace vernal {

/// Why an answer ended.
enum class AnswerEnd : std::uint8_t {
  kStop,    ///< the model ended its turn
  kLength,  ///< a limit cut it
};

/// Text that comes in pieces. A reader waits where the text ends for now, so what it reads does not
/// depend on how the text is cut. Bytes stay as long as a Keep reaches back to them.
class TextInput {
 public:
  /// What peek() gives where no byte follows: the answer ended, or a limit is reached.
  static constexpr int kNone = -1;

  /// Waits for a byte. Gives it as 0..255, or kNone; the position stays.
  struct Peek {
    TextInput& input;
    bool await_ready() const noexcept { return input.is_decided(); }
    void await_suspend(std::coroutine_handle<>) const noexcept { input.is_waiting_ = true; }
    int await_resume() const noexcept { return input.byte_here(); }
  };

  void append(std::string_view piece);
  void end(AnswerEnd end) noexcept;
  /// Nothing more is read: every reader sees the end of a stopped answer here.
  void close() noexcept;

  Peek peek() noexcept { return {*this}; }
  /// Past the byte that peek() gave.
  void skip() noexcept { ++position_; }
  /// The bytes here that are known and not `special`, and past them. May be empty.
  std::string_view take_run(const std::array<bool, 256>& special) noexcept;

  std::size_t position() const noexcept { return position_; }
  /// Back to a position that a Keep protects.
  void rewind(std::size_t position) noexcept { position_ = position; }
  /// The text from there to here; valid until the next append().
  std::string_view since(std::size_t begin) const noexcept;
  /// Whether peek() would give kNone because the model ended its turn, not because of a limit.
  bool has_stopped() const noexcept;

  bool is_waiting() const noexcept { return is_waiting_; }
  bool is_closed() const noexcept { return is_closed_; }

  /// Positions from here on are protected until the object goes.
  class Keep {
   public:
    explicit Keep(TextInput& input) : input_(input) { input_.kept_.push_back(input.position_); }
    Keep(const Keep&) = delete;
    Keep& operator=(const Keep&) = delete;
    ~Keep() { input_.kept_.pop_back(); }

   private:
    TextInput& input_;
  };

  /// Until release(), peek() gives kNone after `most` bytes: nothing is held back for longer.
  class Limit {
   public:
    Limit(TextInput& input, std::size_t most) noexcept;
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit() { release(); }
    void release() noexcept { input_.limit_ = outer_; }

   private:
    TextInput& input_;
    std::size_t outer_;
  };

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  bool has_byte() const noexcept { return position_ < base_ + text_.size(); }
  bool is_decided() const noexcept {
    return is_closed_ || has_byte() || has_ended_ || position_ >= limit_;
  }
  int byte_here() const noexcept {
    const bool is_readable = !is_closed_ && has_byte() && position_ < limit_;
    return is_readable ? static_cast<unsigned char>(text_[position_ - base_]) : kNone;
  }

  std::string text_;
  std::size_t base_ = 0;  // position of text_[0]
  std::size_t position_ = 0;
  std::size_t limit_ = kNoLimit;
  std::vector<std::size_t> kept_;  // ascending
  AnswerEnd end_ = AnswerEnd::kStop;
  bool has_ended_ = false;
  bool is_closed_ = false;
  bool is_waiting_ = false;
};

bool is_space(int byte) noexcept;

/// Past white space. Gives the byte behind it as peek() does.
Task<int> skip_space(TextInput& input);
/// Past the longest of `marks` that stands here; its index, or -1 and the position stays. Empty
/// marks never match. At most kMostMarks.
Task<int> match_mark(TextInput& input, std::span<const std::string> marks);
inline constexpr std::size_t kMostMarks = 128;

}  // namespace vernal
