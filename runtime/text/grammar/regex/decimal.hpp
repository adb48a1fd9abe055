// Exact decimal numbers, read from the text of JSON numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::grammar {

/// (-1)^is_negative · 0.digits · 10^point. Zero has no digits, and is not negative.
struct Decimal {
  bool is_negative = false;
  std::string digits;      ///< without zeros at either end
  std::int64_t point = 0;  ///< digits before the decimal point; may be negative

  bool is_zero() const noexcept { return digits.empty(); }
  bool is_integer() const noexcept {
    return point >= static_cast<std::int64_t>(digits.size()) || is_zero();
  }
  bool operator==(const Decimal&) const = default;
};

/// Reads a JSON number. Empty if the text is none or its exponent is beyond ±100,000.
std::optional<Decimal> parse_decimal(std::string_view text);

/// Negative, 0 or positive as a < b, a == b, a > b.
int compare(const Decimal& a, const Decimal& b) noexcept;

/// The number without an exponent: "0.05", "-1200". The point must be within ±400.
std::string plain_text(const Decimal& number);

/// The value of an integer that is not negative, at most `limit`. Empty if it is none.
std::optional<std::uint64_t> count_of(const Decimal& number, std::uint64_t limit);

}  // namespace vernal::grammar
