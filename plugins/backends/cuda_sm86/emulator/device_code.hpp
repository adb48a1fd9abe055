// What CUDA C++ has built in, for kernels that g++ compiles. This file and the includes of it are
// the whole language that the emulator knows; kernels include kernels/device.hpp, which adds the
// functions that are not built in.
//
// Each thread of a block runs as a fiber (block.hpp). Functions that wait take the place of their
// call as a last argument that nobody writes, so that reports name lines of the kernel.
//
// Limits  no dynamic shared memory; no thread may wait for another block in a loop, since blocks
//         run one after another
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "emulator/include/cuda_runtime_api.h"
#include "emulator/launch.hpp"
#include "emulator/memory/memory_access.hpp"
#include "emulator/numbers.hpp"
#include "emulator/position.hpp"
#include "emulator/warp.hpp"

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): the names are NVIDIA's

#define __global__
#define __device__
#define __host__
#define __constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))

/// Declares `name`, a Type in the shared memory of the block.
#define VERNAL_SHARED(Type, name)       \
  static constexpr char name##_key = 0; \
  Type& name = ::vernal::cuda_sm86::emulator::shared_object<Type>(&name##_key, #name)

inline const uint3& threadIdx = vernal::cuda_sm86::emulator::position.thread;
inline const uint3& blockIdx = vernal::cuda_sm86::emulator::position.block;
inline const dim3& blockDim = vernal::cuda_sm86::emulator::position.block_size;
inline const dim3& gridDim = vernal::cuda_sm86::emulator::position.grid_size;

// ---- barriers, votes

using VernalPlace = vernal::cuda_sm86::emulator::Place;

inline void __syncthreads(VernalPlace place = VernalPlace::current()) {
  vernal::cuda_sm86::emulator::synchronize_block(place);
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFU, VernalPlace place = VernalPlace::current()) {
  vernal::cuda_sm86::emulator::synchronize_warp(mask, place);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              VernalPlace place = VernalPlace::current()) {
  return vernal::cuda_sm86::emulator::ballot(mask, predicate != 0, place);
}
inline int __any_sync(unsigned mask, int predicate, VernalPlace place = VernalPlace::current()) {
  return vernal::cuda_sm86::emulator::ballot(mask, predicate != 0, place) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate, VernalPlace place = VernalPlace::current()) {
  return vernal::cuda_sm86::emulator::ballot(mask, predicate != 0, place) == mask ? 1 : 0;
}

// ---- shuffles of int, unsigned and float

#define VERNAL_SHUFFLE(Type, name, kind, Argument)                                                 \
  inline Type name(unsigned mask, Type value, Argument argument, int width = 32,                   \
                   VernalPlace place = VernalPlace::current()) {                                   \
    return std::bit_cast<Type>(vernal::cuda_sm86::emulator::shuffle(                               \
        vernal::cuda_sm86::emulator::ShuffleKind::kind, mask, std::bit_cast<std::uint32_t>(value), \
        static_cast<int>(argument), width, place));                                                \
  }
#define VERNAL_SHUFFLES(Type)                             \
  VERNAL_SHUFFLE(Type, __shfl_sync, kIndex, int)          \
  VERNAL_SHUFFLE(Type, __shfl_up_sync, kUp, unsigned)     \
  VERNAL_SHUFFLE(Type, __shfl_down_sync, kDown, unsigned) \
  VERNAL_SHUFFLE(Type, __shfl_xor_sync, kXor, int)
VERNAL_SHUFFLES(int)
VERNAL_SHUFFLES(unsigned)
VERNAL_SHUFFLES(float)
#undef VERNAL_SHUFFLES
#undef VERNAL_SHUFFLE

// ---- bits and integers

inline int __dp4a(int a, int b, int sum) {
  return vernal::cuda_sm86::emulator::dot_of_bytes(static_cast<std::uint32_t>(a),
                                                   static_cast<std::uint32_t>(b), sum);
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned sum) {
  return vernal::cuda_sm86::emulator::dot_of_unsigned_bytes(a, b, sum);
}
inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
  return vernal::cuda_sm86::emulator::permute_bytes(low, high, selector & 0x7777U);
}
inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __clz(int bits) { return std::countl_zero(static_cast<unsigned>(bits)); }
/// One more than the index of the lowest set bit; 0 if none is set.
inline int __ffs(int bits) {
  return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned>(bits)) + 1;
}

inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long min(long a, long b) { return a < b ? a : b; }
inline long max(long a, long b) { return a > b ? a : b; }
inline unsigned long min(unsigned long a, unsigned long b) { return a < b ? a : b; }
inline unsigned long max(unsigned long a, unsigned long b) { return a > b ? a : b; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }

// ---- floats; expf, exp2f, logf, tanhf, sincosf, fmaxf, ... are those of <cmath>

inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline int __float2int_rn(float value) { return vernal::cuda_sm86::emulator::nearest_int(value); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float value) { return 1.0F / value; }
inline float __fsqrt_rn(float value) { return std::sqrt(value); }
inline float rsqrtf(float value) { return 1.0F / std::sqrt(value); }

// ---- memory. Threads run one at a time, so an atomic operation is a plain one.

template <class Type>
Type __ldg(const Type* at) {
  return *at;
}
inline int atomicAdd(int* at, int value) {
  const int before = *at;
  *at = vernal::cuda_sm86::emulator::wrapping_sum(before, value);
  return before;
}
inline unsigned atomicAdd(unsigned* at, unsigned value) {
  const unsigned before = *at;
  *at = before + value;
  return before;
}
inline float atomicAdd(float* at, float value) {
  const float before = *at;
  *at = before + value;
  return before;
}
inline int atomicMax(int* at, int value) {
  const int before = *at;
  *at = max(before, value);
  return before;
}
inline unsigned atomicMax(unsigned* at, unsigned value) {
  const unsigned before = *at;
  *at = max(before, value);
  return before;
}
inline void __threadfence() {}
inline void __threadfence_block() {}

[[noreturn]] inline void __trap(VernalPlace place = VernalPlace::current()) {
  vernal::cuda_sm86::emulator::trap("the kernel called __trap()", place);
}

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
