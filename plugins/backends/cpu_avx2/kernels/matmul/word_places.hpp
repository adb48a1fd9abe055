// Where the words of a block lie when it is packed, for formats whose file keeps apart what a kernel
// needs together.
//
// A kernel then reads a group of rows from front to back, which the prefetchers of a processor
// expect. q6_K in the order of the file, three streams of a block, came from memory at a third of
// the speed (docs/cpu-kernels.md, "From memory").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vernal::cpu_avx2 {

// Each function: word of a block in the file -> word of the packed block.

/// Scales, then bits of all parts, then codes.
constexpr int q3_k_place(int word) { return word < 24 ? word + 3 : word - 24; }

/// Scales; then for each eight bytes of a row the two words of low bits and the one of high bits.
constexpr int q6_k_place(int word) {
  if (word >= 48) return word - 48;
  if (word >= 32) return 4 + 24 * ((word - 32) / 8) + 3 * (word % 8) + 2;
  return 4 + 24 * (word / 16) + 3 * (word % 8) + word % 16 / 8;
}

/// Scales, bits of all parts, codes; so for the next two.
constexpr int iq3_k_place(int word) {
  if (word < 3) return word;
  return word < 19 ? word + 8 : word - 16;
}
constexpr int iq5_k_place(int word) {
  if (word < 4) return word;
  return word < 36 ? word + 8 : word - 32;
}
constexpr int iq5_ks_place(int word) {
  if (word < 2) return word;
  return word < 34 ? word + 8 : word - 32;
}

/// Scales, then for each half of the block its bits and its codes.
constexpr int iq6_k_place(int word) {
  if (word < 5) return word;
  if (word < 37) return 13 + 24 * ((word - 5) / 16) + (word - 5) % 16;
  return 5 + 24 * ((word - 37) / 8) + (word - 37) % 8;
}

/// place(0), place(1), ... as a table.
template <std::size_t kWords>
constexpr std::array<std::uint8_t, kWords> word_places(int (*place)(int)) {
  std::array<std::uint8_t, kWords> places{};
  for (std::size_t w = 0; w < kWords; ++w) {
    places[w] = static_cast<std::uint8_t>(place(static_cast<int>(w)));
  }
  return places;
}

/// Whether each place is taken once.
template <std::size_t kWords>
constexpr bool is_permutation(const std::array<std::uint8_t, kWords>& places) {
  std::array<bool, kWords> taken{};
  for (const std::uint8_t place : places) {
    if (place >= kWords || taken[place]) return false;
    taken[place] = true;
  }
  return true;
}

}  // namespace vernal::cpu_avx2
