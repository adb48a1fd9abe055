#include "text/tokenizer/pre_tokenizer.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "text/tokenizer/utf8.hpp"

namespace vernal {
namespace {

using Family = PreTokenizer::Family;

constexpr PreTokenizer kQwen2{.family = Family::kModern, .max_digits = 1};
constexpr PreTokenizer kQwen35{
    .family = Family::kModern, .marks_join_words = true, .max_digits = 1};
constexpr PreTokenizer kLlama3{
    .family = Family::kModern, .max_digits = 3, .ignores_merges = true, .adds_bos = true};
// The words of kLlama3. But a word that is a token is merged like any other word.
constexpr PreTokenizer kLlama3Merged{.family = Family::kModern, .max_digits = 3};
constexpr PreTokenizer kGpt2{.family = Family::kGpt2};

struct NamedRules {
  std::string_view name;
  PreTokenizer rules;
};

constexpr std::array<NamedRules, 31> kNamedRules{{
    {"qwen2", kQwen2},         {"deepseek-r1-qwen", kQwen2},
    {"megrez", kQwen2},        {"kormo", kQwen2},
    {"f2llmv2", kQwen2},       {"stablelm2", kQwen2},
    {"hunyuan", kQwen2},       {"qwen35", kQwen35},
    {"llama-bpe", kLlama3},    {"llama3", kLlama3},
    {"llama-v3", kLlama3},     {"falcon3", kLlama3},
    {"falcon-h1", kLlama3},    {"pixtral", kLlama3},
    {"midm-2.0", kLlama3},     {"lfm2", kLlama3},
    {"jina-v5-nano", kLlama3}, {"smaug-bpe", kLlama3Merged},
    {"dbrx", kLlama3Merged},   {"gpt-2", kGpt2},
    {"phi-2", kGpt2},          {"mpt", kGpt2},
    {"olmo", kGpt2},           {"jais", kGpt2},
    {"trillion", kGpt2},       {"granite-docling", kGpt2},
    {"gigachat", kGpt2},       {"a.x-4.0", kGpt2},
    {"mellum", kGpt2},         {"exaone4", kGpt2},
    {"modern-bert", kGpt2},
}};

constexpr bool is_ascii_letter(unsigned char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The white space of Unicode that is not in the categories Zs, Zl and Zp.
constexpr bool is_control_space(char32_t c) noexcept {
  return (c >= 0x09 && c <= 0x0D) || c == 0x85;
}

}  // namespace

PreTokenizer find_pre_tokenizer(std::string_view name) noexcept {
  const auto* found = std::find_if(kNamedRules.begin(), kNamedRules.end(),
                                   [&](const NamedRules& named) { return named.name == name; });
  if (found != kNamedRules.end()) return found->rules;
  PreTokenizer rules = kGpt2;
  rules.is_known = false;
  return rules;
}

std::string_view WordScanner::next() noexcept {
  const std::size_t begin = position_;
  position_ = rules_.family == Family::kGpt2 ? end_of_gpt2_word() : end_of_modern_word();
  return text_.substr(begin, position_ - begin);
}

WordScanner::Character WordScanner::at(std::size_t position) const noexcept {
  if (position >= text_.size()) return {Kind::kEnd, position};
  const auto first = static_cast<unsigned char>(text_[position]);
  if (first < 0x80) {
    Kind kind = Kind::kSymbol;
    if (is_ascii_letter(first)) {
      kind = Kind::kLetter;
    } else if (first >= '0' && first <= '9') {
      kind = Kind::kNumber;
    } else if (first == '\n' || first == '\r') {
      kind = Kind::kNewline;
    } else if (first == ' ' || is_control_space(first)) {
      kind = Kind::kSpace;
    }
    return {kind, position + 1};
  }

  const Utf8Character character = read_utf8(text_.substr(position));
  const std::size_t end = position + character.length;
  if (character.status != Utf8Status::kValid) return {Kind::kSymbol, end};
  if (is_control_space(character.code_point)) return {Kind::kSpace, end};
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character.code_point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return {Kind::kLetter, end};
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return {rules_.marks_join_words ? Kind::kLetter : Kind::kSymbol, end};
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return {Kind::kNumber, end};
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return {Kind::kSpace, end};
    default:
      return {Kind::kSymbol, end};
  }
}

std::size_t WordScanner::end_of_run(std::size_t position, Kind kind) const noexcept {
  Character character = at(position);
  while (character.kind == kind) {
    position = character.end;
    character = at(position);
  }
  return position;
}

std::size_t WordScanner::contraction_length() const noexcept {
  if (text_[position_] != '\'' || position_ + 1 >= text_.size()) return 0;
  const bool ignores_case = rules_.family == Family::kModern;
  const auto letter = [&](std::size_t offset) {
    const char c = position_ + offset < text_.size() ? text_[position_ + offset] : '\0';
    return ignores_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  switch (letter(1)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2;
    case 'r':
    case 'v':
      return letter(2) == 'e' ? 3 : 0;
    case 'l':
      return letter(2) == 'l' ? 3 : 0;
    default:
      return 0;
  }
}

std::size_t WordScanner::end_of_number(std::size_t position) const noexcept {
  for (std::uint32_t digits = 0; digits < rules_.max_digits; ++digits) {
    const Character character = at(position);
    if (character.kind != Kind::kNumber) break;
    position = character.end;
  }
  return position;
}

// The end of a word of white space. If the run has a line break, the word ends after the last one
// (but for gpt-2). Else the word is the whole run; if a word follows, it is one character less,
// because that word takes the space before it.
std::size_t WordScanner::end_of_spaces() const noexcept {
  std::size_t end = position_;
  std::size_t last_begin = position_;
  std::size_t after_newline = position_;
  Character character = at(end);
  while (character.kind == Kind::kSpace || character.kind == Kind::kNewline) {
    last_begin = end;
    end = character.end;
    if (character.kind == Kind::kNewline) after_newline = end;
    character = at(end);
  }
  if (rules_.family == Family::kModern && after_newline > position_) return after_newline;
  return character.kind == Kind::kEnd || last_begin == position_ ? end : last_begin;
}

std::size_t WordScanner::end_of_gpt2_word() const noexcept {
  const std::size_t contraction = contraction_length();
  if (contraction > 0) return position_ + contraction;
  const std::size_t begin = text_[position_] == ' ' ? position_ + 1 : position_;
  const Kind kind = at(begin).kind;
  if (kind == Kind::kLetter || kind == Kind::kNumber || kind == Kind::kSymbol) {
    return end_of_run(begin, kind);
  }
  return end_of_spaces();
}

std::size_t WordScanner::end_of_modern_word() const noexcept {
  const std::size_t contraction = contraction_length();
  if (contraction > 0) return position_ + contraction;
  const Character first = at(position_);
  if (first.kind == Kind::kLetter) return end_of_run(first.end, Kind::kLetter);
  if (first.kind == Kind::kNumber) return end_of_number(position_);
  if (first.kind != Kind::kNewline && at(first.end).kind == Kind::kLetter) {
    return end_of_run(first.end, Kind::kLetter);
  }
  const std::size_t symbols = text_[position_] == ' ' ? first.end : position_;
  if (at(symbols).kind == Kind::kSymbol) {
    return end_of_run(end_of_run(symbols, Kind::kSymbol), Kind::kNewline);
  }
  return end_of_spaces();
}

}  // namespace vernal
