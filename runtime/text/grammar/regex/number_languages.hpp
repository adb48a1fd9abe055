// Texts of numbers on one side of a bound, and of multiples.
#pragma once

#include <cstdint>
#include <vector>

#include "text/grammar/interner.hpp"
#include "text/grammar/regex/decimal.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

/// Which results of comparing a number with a bound are wanted; they are added.
inline constexpr std::uint8_t kLess = 1;
inline constexpr std::uint8_t kEqual = 2;
inline constexpr std::uint8_t kGreater = 4;

/// Numbers compared with a bound, digit by digit and never as doubles. A number is written plainly
/// ("-12.50"), or with an exponent after one digit that is not 0 ("1.5e-07", as json.dumps does).
/// Other spellings with an exponent are not offered.
class NumberBounds : public LeafLanguage {
 public:
  /// The state in which nothing is read yet.
  std::uint32_t start(const Decimal& bound, std::uint8_t wanted);

  bool accepts(std::uint32_t state) const override;
  void borders(std::uint32_t state, std::vector<std::uint32_t>& out) const override;
  bool next(std::uint32_t state, std::uint32_t code_point, std::uint32_t& out) override;

 private:
  enum class Phase : std::uint8_t {
    kStart,
    kSign,
    kZero,
    kWhole,
    kPoint,
    kFraction,
    kE,
    kExponentSign,
    kExponent
  };
  struct State {
    Phase phase = Phase::kStart;
    std::uint8_t wanted = 0;
    bool is_negative = false;
    bool is_zero = true;  // every digit so far
    bool is_exponent_negative = false;
    std::int8_t plain = 0;     // comparison of the magnitudes without an exponent
    std::int8_t mantissa = 0;  // of the digits alone
    std::uint32_t bound = 0;
    std::uint32_t whole_digits = 0;  // up to one more than the bound has
    std::uint32_t read = 0;          // digits read while the comparisons need them
    std::uint32_t exponent = 0;
    bool operator==(const State&) const = default;
    friend std::uint64_t hash_of(const State& s) noexcept {
      const auto bits = [](auto value, unsigned place) {
        return static_cast<std::uint64_t>(value) << place;
      };
      const std::uint64_t flags =
          bits(s.phase, 24) | bits(s.wanted, 16) | bits(s.mantissa + 1, 12) | bits(s.plain + 1, 8) |
          bits(s.is_negative, 2) | bits(s.is_zero, 1) | bits(s.is_exponent_negative, 0);
      const std::uint64_t hash = mix_hash(mix_hash(flags, s.bound), s.exponent);
      return mix_hash(hash, bits(s.whole_digits, 32) | s.read);
    }
  };

  bool add_digit(State& state, unsigned digit) const;
  bool next_in_whole(State& state, std::uint32_t code_point) const;
  int result(const State& state) const;
  int plain_magnitude(const State& state) const;
  int exponent_magnitude(const State& state) const;

  std::vector<Decimal> bounds_;
  Interner<State> states_;
};

/// Plainly written numbers that are multiples of c·10^-k, or those that are none.
class NumberMultiples : public LeafLanguage {
 public:
  static constexpr std::uint64_t kMaxDivisor = std::uint64_t{1} << 20U;

  /// False if c is above kMaxDivisor, or the divisor is not positive. The state in which nothing is
  /// read yet goes to `out`.
  bool start(const Decimal& divisor, bool is_wanted, std::uint32_t& out);

  bool accepts(std::uint32_t state) const override;
  void borders(std::uint32_t state, std::vector<std::uint32_t>& out) const override;
  bool next(std::uint32_t state, std::uint32_t code_point, std::uint32_t& out) override;

 private:
  enum class Phase : std::uint8_t { kStart, kSign, kZero, kWhole, kPoint, kFraction };
  struct State {
    Phase phase = Phase::kStart;
    bool is_wanted = true;
    bool has_rest = false;  // a digit beyond the k-th that is not 0
    std::uint32_t divisor = 0;
    std::uint32_t remainder = 0;
    std::uint32_t fraction_digits = 0;  // up to k
    bool operator==(const State&) const = default;
    friend std::uint64_t hash_of(const State& s) noexcept {
      const std::uint64_t flags = (static_cast<std::uint64_t>(s.phase) << 2U) |
                                  (std::uint64_t{s.is_wanted} << 1U) | std::uint64_t{s.has_rest};
      return mix_hash(mix_hash(flags, s.divisor),
                      (std::uint64_t{s.remainder} << 32U) | s.fraction_digits);
    }
  };
  struct Divisor {
    std::uint64_t c = 1;
    std::uint32_t k = 0;
  };

  std::vector<Divisor> divisors_;
  Interner<State> states_;
};

}  // namespace vernal::grammar
