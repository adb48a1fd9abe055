// What the threads of a block do together: barriers, shuffles, votes and products of a warp.
//
// Each of these functions waits until all threads that it concerns have called it. A thread that
// never comes, because it has ended, waits for something else, or calls it from another place in
// the source, ends the kernel with a report. CUDA forgives some of that: it does not wait for
// threads that have ended. The emulator does not forgive, so that kernels need not rely on it.
//
// Thread  only threads of a kernel (see block.hpp)
#pragma once

#include <cstdint>
#include <source_location>

namespace vernal::cuda_sm86::emulator {

/// The place in a kernel's source that a report names.
using Place = std::source_location;

/// Which lane a shuffle reads.
enum class ShuffleKind : std::uint8_t { kIndex, kUp, kDown, kXor };

void synchronize_block(Place place);
void synchronize_warp(unsigned mask, Place place);

/// What `value` is in another lane. `argument` is its index, distance or mask, as in CUDA; `width`
/// is a power of two. A lane beyond the part of `width` lanes reads itself.
/// Faults  the lane that is read is not in `mask`
std::uint32_t shuffle(ShuffleKind kind, unsigned mask, std::uint32_t value, int argument, int width,
                      Place place);

/// Bit l is whether lane l of `mask` holds for.
unsigned ballot(unsigned mask, bool holds, Place place);

// ---- products of a warp; kernels/device.hpp describes the fragments

void multiply_s8(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                 Place place = Place::current());
void multiply_s8_half(std::int32_t (&d)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t b,
                      Place place = Place::current());
void multiply_f16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                  Place place = Place::current());

/// Ends the kernel with a report that says `what`.
[[noreturn]] void trap(const char* what, Place place);

}  // namespace vernal::cuda_sm86::emulator
