// What kernels call before each access to memory, if they are compiled with -fsanitize=thread and
// without the library of that sanitizer: the compiler puts the calls in, and here they count. Nothing
// is linked that looks for races.
#include <cstddef>
#include <cstdint>

#include "emulator/memory/memory_access.hpp"
#include "emulator/traffic/traffic.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

void touch(const void* at, std::size_t bytes, bool is_write) {
  if (reachable.contains(at)) {  // else it is the stack, shared memory or a constant
    traffic_watch().touch(at, bytes, is_write);
  }
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): the names are the compilers'
extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define VERNAL_ACCESS(bytes)                                               \
  void __tsan_read##bytes(void* at) { touch(at, bytes, false); }           \
  void __tsan_write##bytes(void* at) { touch(at, bytes, true); }           \
  void __tsan_unaligned_read##bytes(void* at) { touch(at, bytes, false); } \
  void __tsan_unaligned_write##bytes(void* at) { touch(at, bytes, true); }
VERNAL_ACCESS(1)
VERNAL_ACCESS(2)
VERNAL_ACCESS(4)
VERNAL_ACCESS(8)
VERNAL_ACCESS(16)
#undef VERNAL_ACCESS

void __tsan_read_range(void* at, std::size_t bytes) { touch(at, bytes, false); }
void __tsan_write_range(void* at, std::size_t bytes) { touch(at, bytes, true); }

// Copies of objects, of which the compiler makes calls of their own.
void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
  touch(from, bytes, false);
  touch(to, bytes, true);
  return __builtin_memcpy(to, from, bytes);
}
void* __tsan_memset(void* at, int value, std::size_t bytes) {
  touch(at, bytes, true);
  return __builtin_memset(at, value, bytes);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

}  // namespace vernal::cuda_sm86::emulator
