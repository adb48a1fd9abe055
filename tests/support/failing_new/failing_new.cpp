#include "support/failing_new/failing_new.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace vernal::test {
namespace {

std::atomic<std::uint64_t> failing_number{0};  // 0: none
std::atomic<std::uint64_t> num_counted{0};

bool must_fail() noexcept {
  const std::uint64_t failing = failing_number;
  return failing != 0 && num_spared == 0 && num_counted.fetch_add(1) + 1 == failing;
}

}  // namespace

FailingNew::FailingNew(std::uint64_t number) noexcept : number_(number) {
  num_counted = 0;
  failing_number = number;
}

FailingNew::~FailingNew() { failing_number = 0; }

bool FailingNew::has_failed() const noexcept { return num_counted >= number_; }

}  // namespace vernal::test

// The linker sends the program's calls of aligned_alloc here (CMakeLists.txt).
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  return vernal::test::must_fail() ? nullptr : __real_aligned_alloc(alignment, size);
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return vernal::test::must_fail() ? nullptr : std::malloc(size > 0 ? size : 1);
}

void* operator new(std::size_t size) {
  void* const memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto bytes = static_cast<std::size_t>(alignment);
  void* const memory = __wrap_aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
