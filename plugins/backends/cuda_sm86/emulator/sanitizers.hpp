// What the sanitizers must be told: which memory nobody may touch, and which stack runs now.
// Without a sanitizer these functions do nothing.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define VERNAL_EMULATOR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VERNAL_EMULATOR_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define VERNAL_EMULATOR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VERNAL_EMULATOR_TSAN 1
#endif
#endif

#if defined(VERNAL_EMULATOR_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(VERNAL_EMULATOR_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace vernal::cuda_sm86::emulator {

#if defined(VERNAL_EMULATOR_ASAN)

inline constexpr bool kAddressSanitizer = true;

/// Makes each access to the bytes an error, or allows it again.
inline void forbid(const void* at, std::size_t bytes) { __asan_poison_memory_region(at, bytes); }
inline void allow(const void* at, std::size_t bytes) { __asan_unpoison_memory_region(at, bytes); }

#else

inline constexpr bool kAddressSanitizer = false;

inline void forbid(const void*, std::size_t) {}
inline void allow(const void*, std::size_t) {}

#endif

/// A stack as the sanitizers know it.
class SanitizedStack {
 public:
  /// The stack that runs now. Its place becomes known when another one takes over.
  SanitizedStack();
  /// A stack that nothing has run on. It is never destroyed.
  SanitizedStack(const void* begin, std::size_t bytes);

  /// Called on `from` before, and on the other stack after, the processor goes over to it.
  static void leave(SanitizedStack& from, SanitizedStack& to);
  static void arrive(SanitizedStack& at, SanitizedStack& from);

 private:
  [[maybe_unused]] const void* begin_ = nullptr;
  [[maybe_unused]] std::size_t bytes_ = 0;
  [[maybe_unused]] void* fake_frames_ = nullptr;  // AddressSanitizer's, while another one runs
  [[maybe_unused]] void* thread_ = nullptr;       // ThreadSanitizer's name of the stack
};

#if defined(VERNAL_EMULATOR_TSAN)
inline SanitizedStack::SanitizedStack() : thread_(__tsan_get_current_fiber()) {}
inline SanitizedStack::SanitizedStack(const void* begin, std::size_t bytes)
    : begin_(begin), bytes_(bytes), thread_(__tsan_create_fiber(0)) {}
#else
inline SanitizedStack::SanitizedStack() = default;
inline SanitizedStack::SanitizedStack(const void* begin, std::size_t bytes)
    : begin_(begin), bytes_(bytes) {}
#endif

inline void SanitizedStack::leave([[maybe_unused]] SanitizedStack& from,
                                  [[maybe_unused]] SanitizedStack& to) {
#if defined(VERNAL_EMULATOR_ASAN)
  __sanitizer_start_switch_fiber(&from.fake_frames_, to.begin_, to.bytes_);
#endif
#if defined(VERNAL_EMULATOR_TSAN)
  __tsan_switch_to_fiber(to.thread_, 0);
#endif
}

inline void SanitizedStack::arrive([[maybe_unused]] SanitizedStack& at,
                                   [[maybe_unused]] SanitizedStack& from) {
#if defined(VERNAL_EMULATOR_ASAN)
  __sanitizer_finish_switch_fiber(at.fake_frames_, &from.begin_, &from.bytes_);
#endif
}

}  // namespace vernal::cuda_sm86::emulator
