#include "command/bench/instruction_counter.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace vernal {
namespace {

/// What a read of a counter gives, as its read_format says.
struct Reading {
  std::uint64_t value = 0;
  std::uint64_t enabled_ns = 0;
  std::uint64_t running_ns = 0;
};

/// A counter of one thread, or -1.
int open_counter(InstructionCounter::Event event, int thread) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = event.type;
  attributes.config = event.config;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  attributes.inherit = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  constexpr int kAnyProcessor = -1;
  constexpr int kNoGroup = -1;
  return static_cast<int>(::syscall(SYS_perf_event_open, &attributes, thread, kAnyProcessor,
                                    kNoGroup, PERF_FLAG_FD_CLOEXEC));
}

std::vector<int> threads_of_this_process() {
  std::vector<int> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename().string();
    int thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    if (thread > 0) out.push_back(thread);
  }
  return out;
}

}  // namespace

InstructionCounter::Event InstructionCounter::instructions() {
  return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS};
}

InstructionCounter::InstructionCounter(Event event) {
  for (const int thread : threads_of_this_process()) {
    const int file = open_counter(event, thread);
    if (file < 0) {
      close_all();
      return;
    }
    files_.push_back(file);
  }
}

InstructionCounter::~InstructionCounter() { close_all(); }

void InstructionCounter::close_all() noexcept {
  for (const int file : files_) ::close(file);
  files_.clear();
}

double InstructionCounter::value() const {
  double sum = 0;
  for (const int file : files_) {
    Reading reading;
    if (::read(file, &reading, sizeof(reading)) != sizeof(reading)) return 0;  // no part of a sum
    if (reading.running_ns == 0) continue;  // the thread did nothing yet
    sum += static_cast<double>(reading.value) * static_cast<double>(reading.enabled_ns) /
           static_cast<double>(reading.running_ns);
  }
  return sum;
}

}  // namespace vernal
