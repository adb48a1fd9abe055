#include "text/jinja/values/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

namespace vernal::jinja {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t position) {
  return static_cast<std::uint8_t>(text[position]);
}

/// The bytes of the sequence that begins with `lead`; 1 for ASCII and for bytes that begin none.
std::size_t announced_length(std::uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 1;
}

bool is_encodable(char32_t value, std::size_t num_bytes) {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return value >= kSmallest[num_bytes] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

utf8proc_category_t category_of(char32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

char32_t lower_of(char32_t code_point) {
  if (code_point < 0x80) {
    return code_point >= 'A' && code_point <= 'Z' ? code_point + ('a' - 'A') : code_point;
  }
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point)));
}

char32_t upper_of(char32_t code_point) {
  if (code_point < 0x80) {
    return code_point >= 'a' && code_point <= 'z' ? code_point - ('a' - 'A') : code_point;
  }
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code_point)));
}

/// `text` with each code point replaced by change(code point, previous code point). The previous
/// code point of the first is 0.
template <class Change>
std::string map_code_points(std::string_view text, const Change& change) {
  std::string result;
  result.reserve(text.size());
  char32_t before = 0;
  for (std::size_t position = 0; position < text.size();) {
    const CodePoint point = code_point_at(text, position);
    if (point.num_bytes == 1 && point.value >= 0x80) {
      result.push_back(text[position]);  // a stray byte stays as it is
    } else {
      append_utf8(result, change(point.value, before));
    }
    before = point.value;
    position += point.num_bytes;
  }
  return result;
}

template <bool (*kIsWanted)(char32_t) noexcept, bool (*kIsOther)(char32_t) noexcept>
bool has_only_case(std::string_view text) {
  bool has_wanted = false;
  for (std::size_t position = 0; position < text.size();) {
    const CodePoint point = code_point_at(text, position);
    if (kIsOther(point.value)) {
      return false;
    }
    has_wanted = has_wanted || kIsWanted(point.value);
    position += point.num_bytes;
  }
  return has_wanted;
}

/// Where the code point begins that ends at `end`, which is above 0.
std::size_t previous_start(std::string_view text, std::size_t end) {
  for (std::size_t back = std::min<std::size_t>(4, end); back > 1; --back) {
    if (code_point_at(text, end - back).num_bytes == back) {
      return end - back;
    }
  }
  return end - 1;
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t position) noexcept {
  const std::uint8_t lead = byte_at(text, position);
  const std::size_t num_bytes = announced_length(lead);
  if (num_bytes == 1 || text.size() - position < num_bytes) {
    return {lead, 1};
  }
  char32_t value = lead & (0xFFu >> (num_bytes + 1));
  for (std::size_t i = 1; i < num_bytes; ++i) {
    const std::uint8_t next = byte_at(text, position + i);
    if ((next & 0xC0) != 0x80) {
      return {lead, 1};
    }
    value = (value << 6) | (next & 0x3Fu);
  }
  return is_encodable(value, num_bytes) ? CodePoint{value, num_bytes} : CodePoint{lead, 1};
}

std::uint64_t count_code_points(std::string_view text) noexcept {
  std::uint64_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) {
    position += byte_at(text, position) < 0x80 ? 1 : code_point_at(text, position).num_bytes;
  }
  return count;
}

std::size_t offset_of(std::string_view text, std::uint64_t index) noexcept {
  std::size_t position = 0;
  for (; index > 0 && position < text.size(); --index) {
    position += byte_at(text, position) < 0x80 ? 1 : code_point_at(text, position).num_bytes;
  }
  return position;
}

bool is_valid_utf8(std::string_view text) noexcept {
  for (std::size_t position = 0; position < text.size();) {
    const CodePoint point = code_point_at(text, position);
    if (point.num_bytes == 1 && point.value >= 0x80) {
      return false;
    }
    position += point.num_bytes;
  }
  return true;
}

void append_utf8(std::string& text, char32_t code_point) {
  if (code_point < 0x80) {
    text.push_back(static_cast<char>(code_point));
    return;
  }
  const bool is_valid = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
  utf8proc_uint8_t bytes[4];
  const auto num_bytes = utf8proc_encode_char(
      static_cast<utf8proc_int32_t>(is_valid ? code_point : char32_t{0xFFFD}), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(num_bytes));
}

bool is_space(char32_t code_point) noexcept {
  if (code_point < 0x80) {
    return code_point == ' ' || (code_point >= 9 && code_point <= 13) ||
           (code_point >= 28 && code_point <= 31);
  }
  return code_point == 0x85 || code_point == 0x2028 || code_point == 0x2029 ||
         category_of(code_point) == UTF8PROC_CATEGORY_ZS;
}

bool is_printable(char32_t code_point) noexcept {
  if (code_point < 0x80) {
    return code_point >= 0x20 && code_point != 0x7F;
  }
  switch (category_of(code_point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

bool is_letter(char32_t code_point) noexcept {
  const utf8proc_category_t category = category_of(code_point);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal_digit(char32_t code_point) noexcept {
  return category_of(code_point) == UTF8PROC_CATEGORY_ND;
}

bool is_name_character(char32_t code_point) noexcept {
  if (code_point < 0x80) {
    return code_point == '_' || (code_point >= '0' && code_point <= '9') ||
           ((code_point | 0x20) >= 'a' && (code_point | 0x20) <= 'z');
  }
  const utf8proc_category_t category = category_of(code_point);
  return is_letter(code_point) || category == UTF8PROC_CATEGORY_ND ||
         category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_MN ||
         category == UTF8PROC_CATEGORY_MC;
}

bool is_upper(char32_t code_point) noexcept {
  return category_of(code_point) == UTF8PROC_CATEGORY_LU;
}

bool is_lower(char32_t code_point) noexcept {
  return category_of(code_point) == UTF8PROC_CATEGORY_LL;
}

bool is_upper_text(std::string_view text) noexcept {
  return has_only_case<is_upper, is_lower>(text);
}

bool is_lower_text(std::string_view text) noexcept {
  return has_only_case<is_lower, is_upper>(text);
}

std::string to_lower(std::string_view text) {
  return map_code_points(text, [](char32_t point, char32_t) { return lower_of(point); });
}

std::string to_upper(std::string_view text) {
  return map_code_points(text, [](char32_t point, char32_t) { return upper_of(point); });
}

std::string to_title(std::string_view text) {
  return map_code_points(text, [](char32_t point, char32_t before) {
    return is_upper(before) || is_lower(before) ? lower_of(point) : upper_of(point);
  });
}

std::string to_capitalized(std::string_view text) {
  bool is_first = true;
  return map_code_points(text, [&is_first](char32_t point, char32_t) {
    return std::exchange(is_first, false) ? upper_of(point) : lower_of(point);
  });
}

std::string_view strip(std::string_view text, Side side,
                       std::optional<std::string_view> characters) noexcept {
  const auto is_stripped = [&](std::size_t position) {
    const CodePoint point = code_point_at(text, position);
    if (!characters.has_value()) {
      return is_space(point.value) && (point.value < 0x80 || point.num_bytes > 1);
    }
    const std::string_view bytes = text.substr(position, point.num_bytes);
    for (std::size_t at = 0; at < characters->size();) {
      const std::size_t num_bytes = code_point_at(*characters, at).num_bytes;
      if (characters->substr(at, num_bytes) == bytes) {
        return true;
      }
      at += num_bytes;
    }
    return false;
  };
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (side != Side::kRight && begin < end && is_stripped(begin)) {
    begin += code_point_at(text, begin).num_bytes;
  }
  while (side != Side::kLeft && end > begin) {
    const std::size_t start = previous_start(text, end);
    if (start < begin || !is_stripped(start)) {
      break;
    }
    end = start;
  }
  return text.substr(begin, end - begin);
}

}  // namespace vernal::jinja
