#include "text/grammar/regex/decimal.hpp"

#include <algorithm>

namespace vernal::grammar {
namespace {

constexpr std::int64_t kMaxExponent = 100'000;

bool is_digit(char letter) noexcept { return letter >= '0' && letter <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_digit(text[at])) {
    ++at;
  }
  return at;
}

std::optional<std::int64_t> parse_exponent(std::string_view text) {
  bool is_negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    is_negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::int64_t value = 0;
  for (const char letter : text) {
    value = std::min(value * 10 + (letter - '0'), kMaxExponent + 1);
  }
  if (text.empty() || skip_digits(text, 0) != text.size() || value > kMaxExponent) {
    return std::nullopt;
  }
  return is_negative ? -value : value;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal number;
  std::size_t at = 0;
  if (!text.empty() && text[0] == '-') {
    number.is_negative = true;
    at = 1;
  }
  const std::size_t whole_end = skip_digits(text, at);
  if (whole_end == at) {
    return std::nullopt;
  }
  number.digits = text.substr(at, whole_end - at);
  number.point = static_cast<std::int64_t>(number.digits.size());
  at = whole_end;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = skip_digits(text, at + 1);
    number.digits += text.substr(at + 1, end - at - 1);
    at = end;
  }
  if (at < text.size()) {
    const auto exponent =
        text[at] == 'e' || text[at] == 'E' ? parse_exponent(text.substr(at + 1)) : std::nullopt;
    if (!exponent) {
      return std::nullopt;
    }
    number.point += *exponent;
  }
  const std::size_t zeros = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  number.digits.erase(0, zeros);
  number.point -= static_cast<std::int64_t>(zeros);
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  return number.digits.empty() ? Decimal{} : number;
}

int compare(const Decimal& a, const Decimal& b) noexcept {
  const auto sign = [](const Decimal& n) { return n.is_zero() ? 0 : n.is_negative ? -1 : 1; };
  if (sign(a) != sign(b) || sign(a) == 0) {
    return sign(a) - sign(b);
  }
  const int size = a.point != b.point ? (a.point < b.point ? -1 : 1) : a.digits.compare(b.digits);
  return size * sign(a);
}

std::string plain_text(const Decimal& number) {
  if (number.is_zero()) {
    return "0";
  }
  std::string text = number.is_negative ? "-" : "";
  const auto size = static_cast<std::int64_t>(number.digits.size());
  if (number.point <= 0) {
    text += "0." + std::string(static_cast<std::size_t>(-number.point), '0') + number.digits;
  } else if (number.point >= size) {
    text += number.digits + std::string(static_cast<std::size_t>(number.point - size), '0');
  } else {
    const auto point = static_cast<std::size_t>(number.point);
    text += number.digits.substr(0, point) + "." + number.digits.substr(point);
  }
  return text;
}

std::optional<std::uint64_t> count_of(const Decimal& number, std::uint64_t limit) {
  if (number.is_zero()) {
    return 0;
  }
  if (number.is_negative || !number.is_integer()) {
    return std::nullopt;
  }
  if (number.point > 19) {
    return limit;
  }
  std::uint64_t value = 0;
  for (const char letter : plain_text(number)) {
    value = value * 10 + static_cast<std::uint64_t>(letter - '0');
  }
  return std::min(value, limit);
}

}  // namespace vernal::grammar
