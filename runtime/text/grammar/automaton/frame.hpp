// What is still to come after a lexeme.
#pragma once

#include <cstdint>

#include "text/grammar/interner.hpp"

namespace vernal::grammar {

/// The number of a Frame. Frames that are equal have one number.
using FrameId = std::uint32_t;
inline constexpr FrameId kNoFrame = 0xFFFFFFFFU;

/// A place in the rules. The rules say what the numbers mean. `parents` is a set of frames of the
/// automaton: the places to go on at when this one is done. Ways that differ in their parents alone
/// are one frame, so that ambiguity does not multiply with depth.
struct Frame {
  std::uint32_t parents = 0;
  std::uint16_t kind = 0;
  std::uint16_t depth = 0;
  std::uint32_t spec = 0;
  std::uint32_t count = 0;
  std::uint32_t set = 0;
  std::uint32_t bits = 0;
  std::uint32_t value = 0;

  bool operator==(const Frame&) const = default;
  friend std::uint64_t hash_of(const Frame& f) noexcept {
    std::uint64_t hash = mix_hash(f.parents, (std::uint64_t{f.kind} << 32U) | f.spec);
    hash = mix_hash(hash, (std::uint64_t{f.count} << 32U) | f.set);
    return mix_hash(hash, (std::uint64_t{f.bits} << 32U) | f.value);
  }
};

}  // namespace vernal::grammar
