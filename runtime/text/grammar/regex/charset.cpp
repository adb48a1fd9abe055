#include "text/grammar/regex/charset.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/grammar/interner.hpp"

namespace vernal::grammar {

Charset::Charset(std::vector<CodeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
  for (const CodeRange& range : ranges) {
    if (!ranges_.empty() && range.first <= ranges_.back().last + 1) {
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    } else {
      ranges_.push_back(range);
    }
  }
}

bool Charset::contains(std::uint32_t code_point) const noexcept {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), code_point,
                       [](std::uint32_t value, const CodeRange& r) { return value < r.first; });
  return after != ranges_.begin() && code_point <= std::prev(after)->last;
}

Charset Charset::complement() const {
  Charset result;
  std::uint32_t next = 0;
  for (const CodeRange& range : ranges_) {
    if (range.first > next) {
      result.ranges_.push_back({next, range.first - 1});
    }
    next = range.last + 1;
  }
  if (next <= kMaxCodePoint) {
    result.ranges_.push_back({next, kMaxCodePoint});
  }
  return result;
}

Charset Charset::united(const Charset& other) const {
  std::vector<CodeRange> ranges = ranges_;
  ranges.insert(ranges.end(), other.ranges_.begin(), other.ranges_.end());
  return Charset(std::move(ranges));
}

Charset Charset::intersected(const Charset& other) const {
  return complement().united(other.complement()).complement();
}

std::uint64_t hash_of(const Charset& set) noexcept {
  std::uint64_t hash = set.ranges().size();
  for (const CodeRange& range : set.ranges()) {
    hash = mix_hash(hash, (std::uint64_t{range.first} << 32U) | range.last);
  }
  return hash;
}

Charset escape_class(char letter) {
  switch (letter) {
    case 'd':
      return Charset({{'0', '9'}});
    case 'w':
      return Charset({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
    case 's':
      return Charset({{9, 13},
                      {' ', ' '},
                      {0xA0, 0xA0},
                      {0x1680, 0x1680},
                      {0x2000, 0x200A},
                      {0x2028, 0x2029},
                      {0x202F, 0x202F},
                      {0x205F, 0x205F},
                      {0x3000, 0x3000},
                      {0xFEFF, 0xFEFF}});
    case '.':
      return Charset({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}).complement();
    default:
      return escape_class(static_cast<char>(letter - 'A' + 'a')).complement();
  }
}

namespace {

struct CategoryName {
  std::string_view name;
  std::string_view categories;  // the first letters or the whole of two-letter categories
};

constexpr auto kCategoryNames = std::to_array<CategoryName>({
    {"Letter", "L"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Symbol", "S"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
});

struct ScriptBlocks {
  std::string_view name;
  std::vector<CodeRange> ranges;
};

const std::vector<ScriptBlocks>& script_blocks() {
  static const std::vector<ScriptBlocks> kBlocks = {
      {"Latin",
       {{'A', 'Z'},
        {'a', 'z'},
        {0xAA, 0xAA},
        {0xBA, 0xBA},
        {0xC0, 0xD6},
        {0xD8, 0xF6},
        {0xF8, 0x2B8},
        {0x1E00, 0x1EFF},
        {0x2C60, 0x2C7F},
        {0xA722, 0xA787}}},
      {"Greek",
       {{0x370, 0x373},
        {0x375, 0x377},
        {0x37A, 0x37F},
        {0x384, 0x384},
        {0x386, 0x3E1},
        {0x3F0, 0x3FF},
        {0x1F00, 0x1FFE}}},
      {"Cyrillic", {{0x400, 0x52F}, {0x1C80, 0x1C88}, {0x2DE0, 0x2DFF}, {0xA640, 0xA69F}}},
      {"Han",
       {{0x2E80, 0x2FD5},
        {0x3005, 0x3005},
        {0x3007, 0x3007},
        {0x3021, 0x3029},
        {0x3038, 0x303B},
        {0x3400, 0x4DBF},
        {0x4E00, 0x9FFF},
        {0xF900, 0xFAD9},
        {0x20000, 0x323AF}}},
      {"Any", {{0, kMaxCodePoint}}},
      {"ASCII", {{0, 0x7F}}},
  };
  return kBlocks;
}

Charset characters_of(std::string_view categories) {
  std::vector<CodeRange> ranges;
  for (std::uint32_t code_point = 0; code_point <= kMaxCodePoint; ++code_point) {
    const std::string_view category =
        utf8proc_category_string(static_cast<utf8proc_int32_t>(code_point));
    if (category.substr(0, categories.size()) != categories) {
      continue;
    }
    if (!ranges.empty() && ranges.back().last + 1 == code_point) {
      ranges.back().last = code_point;
    } else {
      ranges.push_back({code_point, code_point});
    }
  }
  return Charset(std::move(ranges));
}

}  // namespace

bool unicode_class(std::string_view name, Charset& set) {
  for (const std::string_view prefix :
       {"gc=", "General_Category=", "sc=", "Script=", "scx=", "Script_Extensions="}) {
    if (name.substr(0, prefix.size()) == prefix) {
      name.remove_prefix(prefix.size());
    }
  }
  for (const ScriptBlocks& script : script_blocks()) {
    if (script.name == name) {
      set = Charset(script.ranges);
      return true;
    }
  }
  if (name == "Alphabetic") {
    set = characters_of("L").united(characters_of("Nl"));
    return true;
  }
  for (const CategoryName& known : kCategoryNames) {
    if (known.name == name) {
      name = known.categories;
    }
  }
  if (name.empty() || name.size() > 2 || std::string_view("LMNPSZC").find(name[0]) == name.npos) {
    return false;
  }
  set = characters_of(name);
  return !set.is_empty();
}

}  // namespace vernal::grammar
