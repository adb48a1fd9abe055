#include "text/grammar/regex/number_languages.hpp"

#include <algorithm>
#include <cstdlib>

namespace vernal::grammar {
namespace {

constexpr std::uint32_t kMaxFraction = 400;

int sign_of(int value) noexcept { return value < 0 ? -1 : value > 0 ? 1 : 0; }

void append_number_borders(std::vector<std::uint32_t>& out) {
  for (const char letter : {'+', ',', '-', '.', '/', 'E', 'F', 'e', 'f'}) {
    out.push_back(static_cast<std::uint32_t>(letter));
  }
  for (std::uint32_t digit = '0'; digit <= '9' + 1; ++digit) {
    out.push_back(digit);
  }
}

}  // namespace

std::uint32_t NumberBounds::start(const Decimal& bound, std::uint8_t wanted) {
  std::size_t index = 0;
  while (index < bounds_.size() && !(bounds_[index] == bound)) {
    ++index;
  }
  if (index == bounds_.size()) {
    bounds_.push_back(bound);
  }
  State state;
  state.wanted = wanted;
  state.bound = static_cast<std::uint32_t>(index);
  return states_.intern(state).first;
}

void NumberBounds::borders(std::uint32_t, std::vector<std::uint32_t>& out) const {
  append_number_borders(out);
}

// Compares with the bound's digits aligned at the first digit that is not 0 for the mantissa, and at
// the point for the plain form. A plain number's digits are aligned with the bound's only if both
// have as many whole digits; the number of digits tells otherwise.
bool NumberBounds::add_digit(State& state, unsigned digit) const {
  const Decimal& bound = bounds_[state.bound];
  const auto bound_digit = [&](std::int64_t index) -> int {
    return index >= 0 && index < static_cast<std::int64_t>(bound.digits.size())
               ? bound.digits[static_cast<std::size_t>(index)] - '0'
               : 0;
  };
  const auto value = static_cast<int>(digit);
  const bool in_fraction = state.phase == Phase::kPoint || state.phase == Phase::kFraction;
  const auto whole = static_cast<std::uint32_t>(std::clamp<std::int64_t>(bound.point, 0, 100'000));
  if (in_fraction) {
    const std::int64_t index = bound.point + state.read;
    const bool counts = state.whole_digits == whole && state.plain == 0;
    if (counts) {
      state.plain = static_cast<std::int8_t>(sign_of(value - bound_digit(index)));
    }
    if (state.mantissa == 0) {
      state.mantissa = static_cast<std::int8_t>(sign_of(value - bound_digit(state.read + 1)));
    }
    const bool matters = (state.whole_digits == whole && state.plain == 0) || state.mantissa == 0;
    const std::int64_t digits_after = std::max<std::int64_t>(
        static_cast<std::int64_t>(bound.digits.size()) - std::min<std::int64_t>(bound.point, 1), 0);
    state.read =
        matters
            ? static_cast<std::uint32_t>(std::min<std::int64_t>(state.read + 1, digits_after + 1))
            : 0;
    state.phase = Phase::kFraction;
  } else {
    if (state.whole_digits < whole && state.plain == 0) {
      state.plain = static_cast<std::int8_t>(
          sign_of(value - bound_digit(static_cast<std::int64_t>(state.whole_digits))));
    }
    const bool is_first = state.phase == Phase::kStart || state.phase == Phase::kSign;
    if (is_first) {
      state.mantissa = static_cast<std::int8_t>(sign_of(value - bound_digit(0)));
    } else {
      state.mantissa = 1;  // no exponent can follow: only one value is worth keeping
    }
    if (!is_first || digit != 0) {
      state.whole_digits = std::min(state.whole_digits + 1, whole + 1);
    }
    if (state.whole_digits > whole) {
      state.plain = 1;
    }
    state.phase = is_first && digit == 0 ? Phase::kZero : Phase::kWhole;
  }
  state.is_zero = state.is_zero && digit == 0;
  return true;
}

// Behind at least one digit of the whole part.
bool NumberBounds::next_in_whole(State& state, std::uint32_t code_point) const {
  // One digit so far, as far as an exponent is concerned: the mantissa is marked otherwise.
  const bool may_have_exponent = state.phase == Phase::kWhole && state.exponent == 0;
  const bool is_digit = code_point >= '0' && code_point <= '9';
  if (is_digit && state.phase == Phase::kWhole) {
    add_digit(state, code_point - '0');
    state.exponent = 1;  // from now on
  } else if (code_point == '.') {
    state.phase = Phase::kPoint;
  } else if ((code_point == 'e' || code_point == 'E') && may_have_exponent) {
    state.phase = Phase::kE;
  } else {
    return false;
  }
  return true;
}

bool NumberBounds::next(std::uint32_t id, std::uint32_t code_point, std::uint32_t& out) {
  State state = states_[id];
  const bool is_digit = code_point >= '0' && code_point <= '9';
  switch (state.phase) {
    case Phase::kStart:
      if (code_point == '-') {
        state.phase = Phase::kSign;
        state.is_negative = true;
        break;
      }
      [[fallthrough]];
    case Phase::kSign:
      if (!is_digit) {
        return false;
      }
      add_digit(state, code_point - '0');
      break;
    case Phase::kZero:
    case Phase::kWhole:
      if (!next_in_whole(state, code_point)) {
        return false;
      }
      break;
    case Phase::kPoint:
    case Phase::kFraction:
      if (is_digit) {
        add_digit(state, code_point - '0');
      } else if (state.phase == Phase::kFraction && (code_point == 'e' || code_point == 'E') &&
                 state.exponent == 0 && state.whole_digits > 0) {
        state.phase = Phase::kE;
      } else {
        return false;
      }
      break;
    case Phase::kE:
      if (code_point == '+' || code_point == '-') {
        state.is_exponent_negative = code_point == '-';
        state.phase = Phase::kExponentSign;
        break;
      }
      [[fallthrough]];
    case Phase::kExponentSign:
    case Phase::kExponent:
      if (!is_digit) {
        return false;
      }
      // Exponents far beyond the bound's are one: the automaton stays small.
      state.exponent = static_cast<std::uint32_t>(std::min<std::int64_t>(
          state.exponent * 10 + (code_point - '0'), std::abs(bounds_[state.bound].point - 1) + 1));
      state.phase = Phase::kExponent;
      break;
  }
  out = states_.intern(state).first;
  return true;
}

int NumberBounds::plain_magnitude(const State& state) const {
  const Decimal& bound = bounds_[state.bound];
  const auto whole = std::max<std::int64_t>(bound.point, 0);
  if (state.whole_digits != whole) {
    return state.whole_digits < whole ? -1 : 1;
  }
  if (state.plain != 0) {
    return state.plain;
  }
  const bool has_more = static_cast<std::int64_t>(bound.digits.size()) > bound.point + state.read;
  return has_more ? -1 : 0;
}

int NumberBounds::exponent_magnitude(const State& state) const {
  const Decimal& bound = bounds_[state.bound];
  const auto exponent = static_cast<std::int64_t>(state.exponent);
  const std::int64_t mine = state.is_exponent_negative ? -exponent : exponent;
  const std::int64_t other = bound.point - 1;
  if (mine != other) {
    return mine < other ? -1 : 1;
  }
  if (state.mantissa != 0) {
    return state.mantissa;
  }
  return bound.digits.size() > std::size_t{1} + state.read ? -1 : 0;
}

int NumberBounds::result(const State& state) const {
  const Decimal& bound = bounds_[state.bound];
  const int bound_sign = bound.is_zero() ? 0 : bound.is_negative ? -1 : 1;
  const int sign = state.is_zero ? 0 : state.is_negative ? -1 : 1;
  if (sign != bound_sign || sign == 0) {
    return sign_of(sign - bound_sign);
  }
  const int magnitude =
      state.phase == Phase::kExponent ? exponent_magnitude(state) : plain_magnitude(state);
  return magnitude * sign;
}

bool NumberBounds::accepts(std::uint32_t id) const {
  const State& state = states_[id];
  switch (state.phase) {
    case Phase::kZero:
    case Phase::kWhole:
    case Phase::kFraction:
    case Phase::kExponent: {
      const int compared = result(state);
      const std::uint8_t bit = compared < 0 ? kLess : compared > 0 ? kGreater : kEqual;
      return (state.wanted & bit) != 0;
    }
    default:
      return false;
  }
}

bool NumberMultiples::start(const Decimal& divisor, bool is_wanted, std::uint32_t& out) {
  if (divisor.is_zero() || divisor.is_negative || divisor.digits.size() > 18) {
    return false;
  }
  Divisor made;
  made.c = 0;
  for (const char letter : divisor.digits) {
    made.c = made.c * 10 + static_cast<std::uint64_t>(letter - '0');
  }
  const std::int64_t shift = divisor.point - static_cast<std::int64_t>(divisor.digits.size());
  for (std::int64_t i = 0; i < shift && made.c <= kMaxDivisor; ++i) {
    made.c *= 10;
  }
  if (made.c > kMaxDivisor || -shift > static_cast<std::int64_t>(kMaxFraction)) {
    return false;
  }
  made.k = shift < 0 ? static_cast<std::uint32_t>(-shift) : 0;
  divisors_.push_back(made);
  State state;
  state.is_wanted = is_wanted;
  state.divisor = static_cast<std::uint32_t>(divisors_.size() - 1);
  out = states_.intern(state).first;
  return true;
}

void NumberMultiples::borders(std::uint32_t, std::vector<std::uint32_t>& out) const {
  append_number_borders(out);
}

bool NumberMultiples::next(std::uint32_t id, std::uint32_t code_point, std::uint32_t& out) {
  State state = states_[id];
  const Divisor& divisor = divisors_[state.divisor];
  const bool is_digit = code_point >= '0' && code_point <= '9';
  const bool in_fraction = state.phase == Phase::kPoint || state.phase == Phase::kFraction;
  if (is_digit && state.phase != Phase::kZero) {
    const std::uint32_t digit = code_point - '0';
    if (in_fraction && state.fraction_digits == divisor.k) {
      state.has_rest = state.has_rest || digit != 0;
    } else {
      state.remainder =
          static_cast<std::uint32_t>((std::uint64_t{state.remainder} * 10 + digit) % divisor.c);
      state.fraction_digits += in_fraction ? 1 : 0;
    }
    if (in_fraction) {
      state.phase = Phase::kFraction;
    } else {
      const bool is_first = state.phase != Phase::kWhole;
      state.phase = is_first && digit == 0 ? Phase::kZero : Phase::kWhole;
    }
  } else if (code_point == '-' && state.phase == Phase::kStart) {
    state.phase = Phase::kSign;
  } else if (code_point == '.' && (state.phase == Phase::kZero || state.phase == Phase::kWhole)) {
    state.phase = Phase::kPoint;
  } else {
    return false;
  }
  out = states_.intern(state).first;
  return true;
}

bool NumberMultiples::accepts(std::uint32_t id) const {
  const State& state = states_[id];
  if (state.phase != Phase::kZero && state.phase != Phase::kWhole &&
      state.phase != Phase::kFraction) {
    return false;
  }
  const Divisor& divisor = divisors_[state.divisor];
  std::uint64_t remainder = state.remainder;
  for (std::uint32_t i = state.fraction_digits; i < divisor.k && remainder != 0; ++i) {
    remainder = remainder * 10 % divisor.c;
  }
  return (remainder == 0 && !state.has_rest) == state.is_wanted;
}

}  // namespace vernal::grammar
