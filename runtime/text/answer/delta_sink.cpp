#include "text/answer/delta_sink.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "text/tokenizer/utf8.hpp"

namespace vernal {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kBetweenParts = "\n\n";

/// Bytes at the end of a text that begin a character and do not end it.
std::size_t num_unfinished(std::string_view text) {
  const std::size_t most = std::min<std::size_t>(3, text.size());
  for (std::size_t length = 1; length <= most; ++length) {
    const std::string_view end = text.substr(text.size() - length);
    const bool begins = (static_cast<unsigned char>(end.front()) & 0xC0U) != 0x80U;
    if (begins) return read_utf8(end).status == Utf8Status::kTruncated ? length : 0;
  }
  return 0;
}

}  // namespace

void DeltaSink::append(AnswerPart part, std::string_view text) {
  if (text.empty()) return;
  std::vector<AnswerDelta>& out = is_speculating_ ? speculative_ : decided_;
  const bool goes_on = !out.empty() && out.back().part == part &&
                       (part != AnswerPart::kCallArguments || out.back().call + 1 == num_calls_);
  if (!goes_on) out.push_back({part, num_calls_ == 0 ? 0 : num_calls_ - 1});
  out.back().text += text;
}

void DeltaSink::content(std::string_view text) {
  if (text.empty()) return;
  const std::size_t last_feed = text.rfind('\n');
  const std::string_view last_line =
      last_feed == std::string_view::npos ? text : text.substr(last_feed + 1);
  const bool is_blank_line = last_line.find_first_not_of(kBlanks) == std::string_view::npos;
  is_at_line_start_ = is_blank_line && (is_at_line_start_ || last_feed != std::string_view::npos);
  const bool holds = !keeps_trailing_space_ || !has_content_;
  const std::size_t last = holds ? text.find_last_not_of(kBlanks) : text.size() - 1;
  if (last == std::string_view::npos) {
    space_ += text;
    // In whole blocks, so that it does not depend on how the text is cut.
    while (space_.size() > kMostSpace && space_use_ == Space::kText) {
      append(AnswerPart::kContent, std::string_view(space_).substr(0, kMostSpace));
      space_.erase(0, kMostSpace);
    }
    return;
  }
  std::string_view body = text.substr(0, last + 1);
  const bool drops = space_use_ == Space::kDropped || begins_part_ ||
                     (space_use_ == Space::kBehindCall && !has_content_);
  if (drops) {
    space_.clear();
    body.remove_prefix(body.find_first_not_of(kBlanks));
  }
  if (begins_part_ && has_content_) append(AnswerPart::kContent, kBetweenParts);
  begins_part_ = false;
  append(AnswerPart::kContent, std::exchange(space_, {}));
  append(AnswerPart::kContent, body);
  has_content_ = true;
  space_use_ = Space::kText;
  space_ = text.substr(last + 1);
}

void DeltaSink::reasoning(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kBlanks);
  if (last == std::string_view::npos) {
    if (has_reasoning_here_) reasoning_space_ += text;
    while (reasoning_space_.size() > kMostSpace) {
      append(AnswerPart::kReasoning, std::string_view(reasoning_space_).substr(0, kMostSpace));
      reasoning_space_.erase(0, kMostSpace);
    }
    return;
  }
  std::string_view body = text.substr(0, last + 1);
  if (!has_reasoning_here_) {
    body.remove_prefix(body.find_first_not_of(kBlanks));
    if (has_reasoning_) append(AnswerPart::kReasoning, kBetweenParts);
  }
  append(AnswerPart::kReasoning, std::exchange(reasoning_space_, {}));
  append(AnswerPart::kReasoning, body);
  has_reasoning_ = has_reasoning_here_ = true;
  reasoning_space_ = text.substr(last + 1);
}

void DeltaSink::end_reasoning() noexcept {
  reasoning_space_.clear();
  has_reasoning_here_ = false;
  mark();
}

void DeltaSink::begin_content_part() noexcept {
  space_.clear();
  begins_part_ = true;
  is_at_line_start_ = true;
}

void DeltaSink::mark() noexcept {
  space_.clear();
  space_use_ = Space::kDropped;
  is_at_line_start_ = true;
}

void DeltaSink::begin_call(std::string_view name, std::string_view id, bool is_deferred) {
  space_.clear();
  space_use_ = Space::kBehindCall;
  is_at_line_start_ = true;
  const std::size_t index = num_calls_++;
  AnswerDelta begin{AnswerPart::kCallBegin, index, std::string(name), std::string(id)};
  is_deferred_ = is_deferred;
  deferred_arguments_.clear();
  if (is_deferred) {
    deferred_begin_ = std::move(begin);
  } else {
    (is_speculating_ ? speculative_ : decided_).push_back(std::move(begin));
  }
}

void DeltaSink::call_id(std::string_view id) {
  if (is_deferred_) deferred_begin_.id = id;
}

void DeltaSink::arguments(std::string_view text) {
  if (is_deferred_) {
    deferred_arguments_ += text;
  } else {
    append(AnswerPart::kCallArguments, text);
  }
}

void DeltaSink::end_call() {
  if (!std::exchange(is_deferred_, false)) return;
  (is_speculating_ ? speculative_ : decided_).push_back(std::move(deferred_begin_));
  append(AnswerPart::kCallArguments, std::exchange(deferred_arguments_, {}));
}

void DeltaSink::end_speculation(bool is_kept) {
  is_speculating_ = false;
  is_deferred_ = false;
  if (is_kept) {
    std::move(speculative_.begin(), speculative_.end(), std::back_inserter(decided_));
  } else {
    num_calls_ = num_calls_before_;
  }
  speculative_.clear();
}

void DeltaSink::end() {
  end_call();
  if (space_use_ == Space::kText && !begins_part_) append(AnswerPart::kContent, space_);
  space_.clear();
}

std::vector<AnswerDelta> DeltaSink::take(bool is_all) {
  std::vector<AnswerDelta> out = std::move(decided_);
  decided_.clear();
  if (out.empty() || is_all || out.back().part == AnswerPart::kCallBegin) return out;
  AnswerDelta& last = out.back();
  const std::size_t num_held = num_unfinished(last.text);
  if (num_held == 0) return out;
  AnswerDelta rest{last.part, last.call, last.text.substr(last.text.size() - num_held)};
  last.text.resize(last.text.size() - num_held);
  if (last.text.empty()) out.pop_back();
  decided_.push_back(std::move(rest));
  return out;
}

}  // namespace vernal
