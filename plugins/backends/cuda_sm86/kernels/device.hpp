// The language of the kernels: CUDA C++, and a function for each instruction that has no name in it.
//
// The same kernels compile with nvcc, with NVRTC, and with g++ for the emulator (emulator/), which
// runs each thread of a block as a fiber on the host. Host code of the plugin that g++ compiles
// against NVIDIA's headers (VERNAL_CUDA_HOST) includes the declarations and no kernel. So kernels use
// nothing but
//   - what CUDA C++ has built in: threadIdx, __syncthreads(), __shfl_xor_sync(), uint4, expf(), ...
//     (emulator/device_code.hpp lists what the emulator knows);
//   - the functions of this file. Inline assembly stands here and nowhere else;
//   - shared memory through VERNAL_SHARED, and launches through launch().
// Kernels include this file and headers of this folder alone.
#pragma once

#if defined(__CUDACC_RTC__)  // it has no standard library
using int8_t = signed char;
using int16_t = short;
using int32_t = int;
using int64_t = long;
using uint8_t = unsigned char;
using uint16_t = unsigned short;
using uint32_t = unsigned;
using uint64_t = unsigned long;
#define INFINITY __int_as_float(0x7F800000)
#define NAN __int_as_float(0x7FFFFFFF)
#else
#include <cstddef>
#include <cstdint>
#endif

#if defined(__CUDACC__)
#include <cuda_fp16.h>
#if !defined(__CUDACC_RTC__)
#include <cuda_runtime.h>
#endif
/// Declares `name`, a Type in the shared memory of the block. At most one of each name in a kernel.
#define VERNAL_SHARED(Type, name) __shared__ Type name
/// In front of a loop: its passes are written out one after another.
#define VERNAL_UNROLL _Pragma("unroll")
/// In front of a loop: its passes are not, which would take registers.
#define VERNAL_NO_UNROLL _Pragma("unroll 1")
#elif defined(VERNAL_CUDA_HOST)
#include <cuda_runtime_api.h>
#else
#define VERNAL_UNROLL
#define VERNAL_NO_UNROLL
#include "emulator/device_code.hpp"
#endif

namespace vernal::cuda_sm86 {

inline constexpr int kWarpSize = 32;
inline constexpr unsigned kFullWarp = 0xFFFFFFFFU;

#if defined(__CUDACC__)

// ---- numbers

/// The float of an IEEE binary16 pattern, exact.
__device__ __forceinline__ float float_of_half(uint16_t bits) {
  return __half2float(__ushort_as_half(bits));
}
/// The nearest binary16, ties to even.
__device__ __forceinline__ uint16_t half_of_float(float value) {
  return __half_as_ushort(__float2half_rn(value));
}

// ---- pairs of binary16 in a register, the first one in the lower half. Results are rounded once.

__device__ __forceinline__ uint32_t pack_halves(float low, float high) {
  uint32_t out;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
__device__ __forceinline__ uint32_t add_halves(uint32_t a, uint32_t b) {
  uint32_t out;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(out) : "r"(a), "r"(b));
  return out;
}
__device__ __forceinline__ uint32_t multiply_halves(uint32_t a, uint32_t b) {
  uint32_t out;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(out) : "r"(a), "r"(b));
  return out;
}
/// a b + c
__device__ __forceinline__ uint32_t multiply_add_halves(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t out;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(out) : "r"(a), "r"(b), "r"(c));
  return out;
}

// ---- bytes

/// Four bytes of the eight in low and high: nibble k of the selector's lower half names byte k of the
/// result. Three bits of it are an index; with the fourth one the byte's sign fills the result.
__device__ __forceinline__ uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selector) {
  uint32_t out;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(out) : "r"(low), "r"(high), "r"(selector));
  return out;
}

/// A constant that stays in a register. One that the compiler knows it writes down again for each use,
/// which is an instruction each time. It does not know that no lane has 31 lanes before it and one
/// more, nor that all lanes get the same.
__device__ __forceinline__ uint32_t kept(uint32_t constant) {
  uint32_t lanes_before;
  asm volatile("mov.u32 %0, %%lanemask_lt;" : "=r"(lanes_before));
  return constant + (lanes_before >> 31);
}

// ---- memory

/// Reads 16 bytes that nobody reads again soon: they do not stay in L1. `at` is 16-byte aligned and
/// is not written while the kernel runs.
__device__ __forceinline__ uint4 load_once(const uint4* at) {
  uint4 out;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w)
               : "l"(at));
  return out;
}

/// The same with 8 bytes.
__device__ __forceinline__ uint2 load_once(const uint2* at) {
  uint2 out;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v2.u32 {%0, %1}, [%2];"
               : "=r"(out.x), "=r"(out.y)
               : "l"(at));
  return out;
}

/// Starts to copy 16 bytes to shared memory. Both ends are 16-byte aligned. The bytes may be read
/// after wait_copies() and a barrier.
__device__ __forceinline__ void copy_async(void* shared, const void* global) {
  const auto at = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(at), "l"(global) : "memory");
}
/// Ends a group of copies that this thread has started.
__device__ __forceinline__ void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until at most kPending of the newest groups of this thread are unfinished.
template <int kPending>
__device__ __forceinline__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// ---- products of a warp. Lane l is g = l / 4, t = l % 4. Fragments follow the PTX manual:
//   A of 16 rows, 8-bit   a[0] row g, a[1] row g + 8: columns 4t .. 4t+3;  a[2], a[3]: the same, 16 columns on
//   B of 8 columns, 8-bit b[0] column g: rows 4t .. 4t+3;  b[1]: 16 rows on
//   C, D                  d[0], d[1] row g, columns 2t, 2t+1;  d[2], d[3] row g + 8

/// d += A B with 8-bit integers and 32-bit sums: 16 x 32 times 32 x 8.
__device__ __forceinline__ void multiply_s8(int32_t (&d)[4], const uint32_t (&a)[4],
                                            const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// The same over 16 instead of 32: a[0], a[1] and b as above.
__device__ __forceinline__ void multiply_s8_half(int32_t (&d)[4], uint32_t a0, uint32_t a1,
                                                 uint32_t b) {
  asm("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
      "{%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a0), "r"(a1), "r"(b));
}
/// d += A B with binary16 factors and f32 sums: 16 x 16 times 16 x 8. A register holds two numbers,
/// the one of the lower column in the lower half: a[0], a[1] rows g, g + 8: columns 2t, 2t+1;
/// a[2], a[3]: 8 columns on; b[0] column g: rows 2t, 2t+1; b[1]: 8 rows on.
__device__ __forceinline__ void multiply_f16(float (&d)[4], const uint32_t (&a)[4],
                                             const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#if defined(__CUDACC_RTC__)
/// NVRTC has no host code and compiles that of the kernels' files as device code. There it is no more
/// than the list of the kernels that are wanted.
template <class... Parameters, class... Arguments>
cudaError_t launch(cudaStream_t, dim3, dim3, void (*kernel)(Parameters...), const Arguments&...) {
  return kernel != nullptr ? cudaSuccess : cudaErrorUnknown;
}
#else
/// Puts a kernel into a stream. Returns what the runtime says of the launch, nothing of the run.
template <class... Parameters, class... Arguments>
cudaError_t launch(cudaStream_t stream, dim3 grid, dim3 block, void (*kernel)(Parameters...),
                   const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}
#endif

#elif !defined(VERNAL_CUDA_HOST)  // the emulator: emulator/device_code.hpp has the same functions

using emulator::add_halves;
using emulator::commit_copies;
using emulator::copy_async;
using emulator::float_of_half;
using emulator::half_of_float;
using emulator::kept;
using emulator::launch;
using emulator::load_once;
using emulator::multiply_add_halves;
using emulator::multiply_f16;
using emulator::multiply_halves;
using emulator::multiply_s8;
using emulator::multiply_s8_half;
using emulator::pack_halves;
using emulator::permute_bytes;
using emulator::wait_copies;

#endif

#if !defined(VERNAL_CUDA_HOST)
/// The number of the warp in its block. The shuffle tells the compiler that it is the same in all
/// lanes, so that loops over it need no care for lanes that end earlier.
__device__ __forceinline__ int warp_of_block() {
  return __shfl_sync(kFullWarp, static_cast<int>(threadIdx.x) / kWarpSize, 0);
}
#endif

}  // namespace vernal::cuda_sm86
