// What is still to come after a lexeme.
#pragma once

#include <cstdint>

#include "text/grammar/interner.hpp"

namespace vernal::grammar {

/// The number of a Frame. Frames that are equal have one number.
using FrameId = std::uint32_t;
inline constexpr FrameId kNoFrame = 0xFFFFFFFFU;

/// A place in the rules. The rules say what the numbers mean; `parent` is the place to go on at when
/// this one is done.
struct Frame {
  FrameId parent = kNoFrame;
  std::uint16_t kind = 0;
  std::uint16_t depth = 0;
  std::uint32_t spec = 0;
  std::uint32_t count = 0;
  std::uint32_t set = 0;
  std::uint32_t bits = 0;
  std::uint32_t value = 0;

  bool operator==(const Frame&) const = default;
  friend std::uint64_t hash_of(const Frame& f) noexcept {
    std::uint64_t hash = mix_hash(f.parent, (std::uint64_t{f.kind} << 32U) | f.spec);
    hash = mix_hash(hash, (std::uint64_t{f.count} << 32U) | f.set);
    return mix_hash(hash, (std::uint64_t{f.bits} << 32U) | f.value);
  }
};

}  // namespace vernal::grammar
