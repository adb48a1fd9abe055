#include "plugin/cpu_level.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace vernal::plugin {

#if defined(__x86_64__)
namespace {

// The three features of level 3 for which __builtin_cpu_supports of clang 16 has no name.
bool has_f16c_movbe_lzcnt() noexcept {
  constexpr unsigned kMovbe = 1u << 22;
  constexpr unsigned kF16c = 1u << 29;
  constexpr unsigned kLzcnt = 1u << 5;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kMovbe) == 0 || (c & kF16c) == 0) return false;
  return __get_cpuid(0x80000001u, &a, &b, &c, &d) != 0 && (c & kLzcnt) != 0;
}

bool has_level_2() noexcept {
  return __builtin_cpu_supports("sse3") && __builtin_cpu_supports("ssse3") &&
         __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
         __builtin_cpu_supports("popcnt");
}

bool has_level_3() noexcept {
  return has_level_2() && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("fma") && has_f16c_movbe_lzcnt();
}

bool has_level_4() noexcept {
  return has_level_3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

}  // namespace

bool machine_has(std::string_view level) noexcept {
  __builtin_cpu_init();
  if (level.empty() || level == "x86-64") return true;
  if (level == "x86-64-v2") return has_level_2();
  if (level == "x86-64-v3") return has_level_3();
  return level == "x86-64-v4" && has_level_4();
}
#else
bool machine_has(std::string_view level) noexcept { return level.empty(); }
#endif

}  // namespace vernal::plugin
