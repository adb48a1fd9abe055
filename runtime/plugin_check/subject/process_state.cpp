#include "plugin_check/subject/process_state.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern char** environ;

namespace vernal::check {
namespace {

namespace fs = std::filesystem;

std::uint64_t count_entries(const char* folder) {
  return static_cast<std::uint64_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

std::uint64_t count_threads() { return count_entries("/proc/self/task"); }

// The folder's own descriptor is among them, each time.
std::uint64_t count_descriptors() { return count_entries("/proc/self/fd"); }

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t settled_threads(std::uint64_t expected) {
  std::uint64_t found = count_threads();
  for (int i = 0; i < 200 && found > expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    found = count_threads();
  }
  return found;
}

std::string process_settings() {
  std::string text;
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    text += fmt::format("handler of signal {}: {}\n", signal,
                        reinterpret_cast<std::uintptr_t>(action.sa_handler));
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (int signal = 1; signal < 32; ++signal) {
    if (::sigismember(&mask, signal) == 1) text += fmt::format("signal {} is blocked\n", signal);
  }
  text += fmt::format("locale: {}\n", std::setlocale(LC_ALL, nullptr));
  text += fmt::format("working directory: {}\n", fs::current_path().string());
  const mode_t mode = ::umask(0);
  ::umask(mode);
  text += fmt::format("umask: {:o}\n", static_cast<unsigned>(mode));
  for (char** entry = environ; *entry != nullptr; ++entry) {
    text += fmt::format("environment: {}\n", *entry);
  }
#if defined(__x86_64__)
  // The flags of exceptions that happened (the low six bits) are nobody's setting.
  text += fmt::format("floating-point control: {:#x}\n", _mm_getcsr() & ~0x3FU);
#endif
  return text;
}

CapturedOutput::CapturedOutput()
    : file_(::memfd_create("captured", MFD_CLOEXEC)),
      output_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)),
      error_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
  std::fflush(nullptr);
  ::dup2(file_, STDOUT_FILENO);
  ::dup2(file_, STDERR_FILENO);
}

CapturedOutput::~CapturedOutput() {
  std::fflush(nullptr);
  ::dup2(output_, STDOUT_FILENO);
  ::dup2(error_, STDERR_FILENO);
  for (const int descriptor : {file_, output_, error_}) ::close(descriptor);
}

std::string CapturedOutput::text() const {
  std::fflush(nullptr);
  std::array<char, 500> bytes{};
  const ssize_t count = ::pread(file_, bytes.data(), bytes.size(), 0);
  return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

}  // namespace vernal::check
