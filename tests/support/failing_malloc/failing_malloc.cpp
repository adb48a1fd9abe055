// Preloaded into a process, lets allocations fail: malloc and its kin return null.
//
//   VERNAL_FAIL_ALLOCATION=N   the allocation that fails, counted from 1 in main, because nothing
//                              can be caught before; absent or 0: none
//   VERNAL_FAIL_IN_A_ROW=K     how many fail, beginning with that one; absent: 1
//   VERNAL_COUNT_FILE=FILE     gets the number of allocations when the process ends
//   VERNAL_TRACE_FILE=FILE     gets the call stack of the first that failed, and of a crash after it
//
// operator new of libstdc++ calls malloc, so it throws std::bad_alloc then. The process ends with the
// one that started it, so that a sweep that is killed leaves no server behind.
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// glibc's own, under the names it exports for this purpose.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

std::atomic<std::uint64_t> num_allocations{0};
std::atomic<std::uint64_t> failing_allocation{0};
std::atomic<std::uint64_t> num_failing{1};
std::atomic<bool> is_counting{false};
thread_local bool is_own = false;  // this file's own calls are not counted

void write_trace(const char* title, int flags) {
  const char* const file = std::getenv("VERNAL_TRACE_FILE");
  if (file == nullptr) return;
  is_own = true;
  const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (descriptor >= 0) {
    void* frames[48];
    const int count = ::backtrace(frames, 48);
    [[maybe_unused]] const ssize_t written = ::write(descriptor, title, std::strlen(title));
    ::backtrace_symbols_fd(frames, count, descriptor);
    ::close(descriptor);
  }
  is_own = false;
}

void write_crash(int signal) {
  write_trace("crash:\n", O_APPEND);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

/// Counts an allocation. True: it is one to fail.
bool must_fail() {
  if (is_own || !is_counting.load(std::memory_order_relaxed)) return false;
  const std::uint64_t number = num_allocations.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t first = failing_allocation.load(std::memory_order_relaxed);
  if (first == 0 || number < first || number - first >= num_failing) return false;
  if (number == first) write_trace("failed allocation:\n", O_TRUNC);
  errno = ENOMEM;
  return true;
}

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

int counted_main(int argc, char** argv, char** environment) {
  void* frames[4];
  ::backtrace(frames, 4);  // loads what it needs now, not in the middle of an allocation
  if (const char* const text = std::getenv("VERNAL_FAIL_ALLOCATION")) {
    failing_allocation = std::strtoull(text, nullptr, 10);
  }
  if (const char* const text = std::getenv("VERNAL_FAIL_IN_A_ROW")) {
    num_failing = std::strtoull(text, nullptr, 10);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) std::signal(signal, write_crash);
  is_counting = true;
  return real_main(argc, argv, environment);
}

__attribute__((destructor)) void finish() {
  is_counting = false;
  const char* const file = std::getenv("VERNAL_COUNT_FILE");
  if (file == nullptr) return;
  if (std::FILE* const out = std::fopen(file, "w")) {
    std::fprintf(out, "%llu\n", static_cast<unsigned long long>(num_allocations.load()));
    std::fclose(out);
  }
}

}  // namespace

extern "C" {

// What calls main, in every program.
int __libc_start_main(Main main, int argc, char** argv, void (*init)(), void (*fini)(),
                      void (*rtld_fini)(), void* stack_end) {
  using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  real_main = main;
  const auto start = reinterpret_cast<Start>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

void* malloc(std::size_t size) { return must_fail() ? nullptr : __libc_malloc(size); }

void* calloc(std::size_t count, std::size_t size) {
  return must_fail() ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  return must_fail() ? nullptr : __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return must_fail() ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
}
