#include "text/request/content_guard.hpp"

#include <optional>

#include "text/request/request_error.hpp"
#include "text/tokenizer/utf8.hpp"

namespace vernal {
namespace {

// Marks are U+10F000 to U+10FFFD: the end of the last private-use plane, four bytes that begin
// alike.
constexpr std::string_view kMarkLead = "\xF4\x8F";
constexpr std::size_t kMarkBytes = 4;
constexpr unsigned kFirstContinuation = 0x80;
constexpr unsigned kLastContinuation = 0xBF;

std::size_t length_of_character(std::string_view text) { return read_utf8(text).length; }

}  // namespace

void ContentGuard::inspect(std::string_view text) {
  for (std::size_t at = text.find(kMarkLead); at != std::string_view::npos;
       at = text.find(kMarkLead, at + 1)) {
    used_marks_.emplace(text.substr(at, kMarkBytes));
  }
  is_needed_ = is_needed_ || controls_.find(text, 0).has_value() || controls_.ends_inside(text) ||
               controls_.begins_inside(text);
}

void ContentGuard::choose_mark() {
  for (unsigned third = kFirstContinuation; third <= kLastContinuation; ++third) {
    // The last two code points of a plane are no characters.
    const unsigned last = third == kLastContinuation ? kLastContinuation - 2 : kLastContinuation;
    for (unsigned fourth = kFirstContinuation; fourth <= last; ++fourth) {
      mark_ = std::string(kMarkLead) + static_cast<char>(third) + static_cast<char>(fourth);
      if (!used_marks_.contains(mark_)) {
        return;
      }
    }
  }
  throw invalid_value("messages", "The messages hold every character of a private-use block.");
}

std::string ContentGuard::protect(std::string_view text) const {
  std::string result;
  if (controls_.begins_inside(text)) {
    result += mark_;
  }
  std::size_t copied = 0;
  // Every match counts, also one inside another: breaking the longer one would leave the shorter.
  for (std::size_t position = 0; position < text.size(); ++position) {
    if (controls_.match_at(text, position)) {
      const std::size_t end = position + length_of_character(text.substr(position));
      result += text.substr(copied, end - copied);
      result += mark_;
      copied = end;
    }
  }
  result += text.substr(copied);
  if (controls_.ends_inside(text)) {
    result += mark_;
  }
  return result;
}

std::string ContentGuard::strip(std::string_view rendered) const {
  std::string result;
  std::size_t copied = 0;
  for (std::size_t at = rendered.find(mark_); at != std::string_view::npos;
       at = rendered.find(mark_, copied)) {
    result += rendered.substr(copied, at - copied);
    copied = at + mark_.size();
  }
  result += rendered.substr(copied);
  return result;
}

std::vector<TokenId> ContentGuard::encode(const Tokenizer& tokenizer,
                                          std::string_view rendered) const {
  std::vector<TokenId> tokens;
  std::size_t begin = 0;
  while (begin < rendered.size()) {
    const std::optional<ControlTexts::Match> control = controls_.find(rendered, begin);
    const std::size_t end = control ? control->begin : rendered.size();
    if (end > begin) {
      const std::vector<TokenId> plain =
          tokenizer.encode(strip(rendered.substr(begin, end - begin)));
      tokens.insert(tokens.end(), plain.begin(), plain.end());
    }
    if (control) {
      tokens.push_back(control->id);
    }
    begin = control ? end + control->length : end;
  }
  return tokens;
}

}  // namespace vernal
