#include "text/request/control_texts.hpp"

#include <algorithm>
#include <functional>

namespace vernal {
namespace {

std::size_t first_byte(std::string_view text) { return static_cast<unsigned char>(text.front()); }

}  // namespace

ControlTexts::ControlTexts(const Tokenizer& tokenizer) {
  for (std::size_t i = 0; i < tokenizer.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (tokenizer.is_special(id) && !tokenizer.token_bytes(id).empty()) {
      add(tokenizer.token_bytes(id), id);
    }
  }
  for (std::vector<std::size_t>& lengths : lengths_) {
    std::sort(lengths.begin(), lengths.end(), std::greater<>());
  }
}

void ControlTexts::add(std::string_view text, TokenId id) {
  if (!ids_.emplace(text, id).second) {
    return;  // the lowest id has the text
  }
  std::vector<std::size_t>& lengths = lengths_[first_byte(text)];
  if (std::find(lengths.begin(), lengths.end(), text.size()) == lengths.end()) {
    lengths.push_back(text.size());
  }
  max_length_ = std::max(max_length_, text.size());
  for (std::size_t length = 1; length < text.size(); ++length) {
    beginnings_.emplace(text.substr(0, length));
    ends_.emplace(text.substr(text.size() - length));
  }
}

std::optional<ControlTexts::Match> ControlTexts::match_at(std::string_view text,
                                                          std::size_t position) const {
  for (const std::size_t length : lengths_[first_byte(text.substr(position))]) {
    if (length > text.size() - position) {
      continue;
    }
    const auto found = ids_.find(text.substr(position, length));
    if (found != ids_.end()) {
      return Match{position, length, found->second};
    }
  }
  return std::nullopt;
}

std::optional<ControlTexts::Match> ControlTexts::find(std::string_view text,
                                                      std::size_t from) const {
  for (std::size_t position = from; position < text.size(); ++position) {
    if (const auto match = match_at(text, position)) {
      return match;
    }
  }
  return std::nullopt;
}

bool ControlTexts::ends_inside(std::string_view text) const {
  const std::size_t longest = std::min(text.size(), max_length_);
  for (std::size_t length = 1; length <= longest; ++length) {
    if (beginnings_.contains(text.substr(text.size() - length))) {
      return true;
    }
  }
  return false;
}

bool ControlTexts::begins_inside(std::string_view text) const {
  const std::size_t longest = std::min(text.size(), max_length_);
  for (std::size_t length = 1; length <= longest; ++length) {
    if (ends_.contains(text.substr(0, length))) {
      return true;
    }
  }
  return false;
}

}  // namespace vernal
