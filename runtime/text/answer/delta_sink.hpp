// Puts an answer's parts together, without the white space that belongs to its syntax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_delta.hpp"

namespace vernal {

/// Where readers write what they found. White space at the end of what was written is held until it
/// is clear whether text or a mark follows. One thread.
class DeltaSink {
 public:
  /// `keeps_trailing_space`: content may be followed by no mark, so nothing of it need be held.
  explicit DeltaSink(bool keeps_trailing_space = false) noexcept
      : keeps_trailing_space_(keeps_trailing_space) {}

  void content(std::string_view text);
  void reasoning(std::string_view text);
  /// The thinking ends here. Another one will be joined by an empty line.
  void end_reasoning() noexcept;
  /// What follows is a part of its own: joined to the content before by an empty line.
  void begin_content_part() noexcept;
  /// A mark that is no content stands here: white space beside it is syntax.
  void mark() noexcept;

  /// Begins a call. While it is deferred nothing of it is handed out, and the id may still come.
  void begin_call(std::string_view name, std::string_view id, bool is_deferred);
  void call_id(std::string_view id);
  void arguments(std::string_view text);
  void end_call();

  /// Until it ends, what is written may be taken back.
  void begin_speculation() noexcept {
    is_speculating_ = true;
    num_calls_before_ = num_calls_;
  }
  void end_speculation(bool is_kept);

  /// The answer ended: the white space at its end is handed out or dropped.
  void end();
  /// What is decided, whole characters only. `is_all`: also the beginning of one.
  std::vector<AnswerDelta> take(bool is_all);

  bool has_content() const noexcept { return has_content_; }
  bool has_reasoning_here() const noexcept { return has_reasoning_here_; }
  /// Whether only blanks came since the last line feed or mark.
  bool is_at_line_start() const noexcept { return is_at_line_start_; }
  std::size_t num_calls() const noexcept { return num_calls_; }

 private:
  enum class Space : std::uint8_t {
    kText,        // belongs to the text
    kBehindCall,  // belongs to the text if some came before
    kDropped,
  };
  static constexpr std::size_t kMostSpace = std::size_t{64} << 10U;

  void append(AnswerPart part, std::string_view text);

  const bool keeps_trailing_space_;
  std::vector<AnswerDelta> decided_;
  std::vector<AnswerDelta> speculative_;
  bool is_speculating_ = false;
  std::size_t num_calls_ = 0;
  std::size_t num_calls_before_ = 0;  // the speculation

  std::string space_;  // behind the content
  Space space_use_ = Space::kText;
  bool has_content_ = false;
  bool is_at_line_start_ = true;
  bool begins_part_ = false;

  std::string reasoning_space_;
  bool has_reasoning_ = false;
  bool has_reasoning_here_ = false;  // since the thinking began

  bool is_deferred_ = false;
  AnswerDelta deferred_begin_;
  std::string deferred_arguments_;
};

}  // namespace vernal
