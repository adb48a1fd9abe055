#include "text/answer/text_input.hpp"

#include <algorithm>
#include <bitset>

namespace vernal {

void TextInput::append(std::string_view piece) {
  const std::size_t from = kept_.empty() ? position_ : std::min(kept_.front(), position_);
  // Moves the rest only when it is the smaller part, so that a byte is moved a bounded number of
  // times.
  if (const std::size_t num_old = from - base_; num_old > text_.size() / 2) {
    text_.erase(0, num_old);
    base_ = from;
  }
  text_ += piece;
  is_waiting_ = false;
}

void TextInput::end(AnswerEnd end) noexcept {
  end_ = end;
  has_ended_ = true;
  is_waiting_ = false;
}

void TextInput::close() noexcept {
  is_closed_ = true;
  is_waiting_ = false;
}

std::string_view TextInput::take_run(const std::array<bool, 256>& special) noexcept {
  if (is_closed_) return {};
  const std::size_t begin = position_ - base_;
  const std::size_t end = std::min(text_.size(), limit_ == kNoLimit ? limit_ : limit_ - base_);
  std::size_t at = begin;
  while (at < end && !special[static_cast<unsigned char>(text_[at])]) ++at;
  position_ = base_ + at;
  return std::string_view(text_).substr(begin, at - begin);
}

std::string_view TextInput::since(std::size_t begin) const noexcept {
  return std::string_view(text_).substr(begin - base_, position_ - begin);
}

bool TextInput::has_stopped() const noexcept {
  return is_closed_ || (has_ended_ && end_ == AnswerEnd::kStop && !has_byte());
}

TextInput::Limit::Limit(TextInput& input, std::size_t most) noexcept
    : input_(input), outer_(input.limit_) {
  input.limit_ = std::min(input.limit_, input.position_ + most);
}

bool is_space(int byte) noexcept {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

Task<int> skip_space(TextInput& input) {
  int byte = co_await input.peek();
  while (is_space(byte)) {
    input.skip();
    byte = co_await input.peek();
  }
  co_return byte;
}

Task<int> match_mark(TextInput& input, std::span<const std::string> marks) {
  const TextInput::Keep keep(input);
  const std::size_t begin = input.position();
  std::bitset<kMostMarks> alive;
  for (std::size_t i = 0; i < marks.size(); ++i) alive[i] = !marks[i].empty();
  int best = -1;
  std::size_t best_length = 0;
  for (std::size_t length = 0; alive.any(); ++length) {
    const int byte = co_await input.peek();
    if (byte == TextInput::kNone) break;
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (!alive[i]) continue;
      alive[i] = static_cast<unsigned char>(marks[i][length]) == byte;
      if (!alive[i] || marks[i].size() > length + 1) continue;
      alive[i] = false;
      best = static_cast<int>(i);
      best_length = length + 1;
    }
    if (alive.any() || best_length == length + 1) input.skip();
  }
  input.rewind(begin + best_length);
  co_return best;
}

}  // namespace vernal
