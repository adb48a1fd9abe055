// Random numbers that are a function of a key and a counter, so that a draw depends on nothing
// drawn before.
#pragma once

#include <array>
#include <cstdint>

namespace vernal {

/// Philox4x32 with 10 rounds: a bijection of the 128-bit counter, chosen by a 64-bit key.
/// Source   Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"
constexpr std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                                     std::array<std::uint32_t, 2> key) noexcept {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53U;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57U;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;  // golden ratio
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;  // square root of 3, less 1
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); };
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1),
               high(product0) ^ counter[3] ^ key[1], low(product0)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

/// What one random number is for. Two different draws never share a number, and the same draw
/// always gets the same one, whatever else is in the batch and whenever it is asked for.
struct DrawCounter {
  std::uint32_t choice = 0;    ///< of the request
  std::uint32_t position = 0;  ///< in the sequence, of the token being drawn
  std::uint32_t draw = 0;      ///< counts the numbers needed at one position
};

/// A number in [0, 1) with 53 random bits: key = seed (low word first), counter = (choice,
/// position, draw, 0).
constexpr double uniform_draw(std::uint64_t seed, DrawCounter counter) noexcept {
  const auto words =
      philox4x32_10({counter.choice, counter.position, counter.draw, 0},
                    {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)});
  const std::uint64_t high = words[0] >> 5U;  // 27 bits
  const std::uint64_t low = words[1] >> 6U;   // 26 bits
  return static_cast<double>((high << 26U) | low) * 0x1.0p-53;
}

}  // namespace vernal
