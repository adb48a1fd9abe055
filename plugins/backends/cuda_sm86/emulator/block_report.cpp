// What reports say of the block that runs.

#include <cxxabi.h>
#include <dlfcn.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "emulator/block.hpp"
#include "emulator/position.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

std::string text_of_index(const uint3& index) {
  return "(" + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
         std::to_string(index.z) + ")";
}

std::string text_of_size(const dim3& size) { return text_of_index({size.x, size.y, size.z}); }

std::string text_of_wait(const Wait& wait) {
  if (wait.operation == nullptr) {
    return "in __syncthreads(), at " + text_of(wait.place);
  }
  char mask[16];
  std::snprintf(mask, sizeof mask, "0x%08x", wait.mask);
  return std::string("in ") + wait.operation->name + " of lanes " + mask + ", at " +
         text_of(wait.place);
}

// The function's name if the program exports it, else an empty string.
std::string name_of_function(const void* function) {
  Dl_info info;
  if (function == nullptr || dladdr(function, &info) == 0 || info.dli_saddr != function ||
      info.dli_sname == nullptr) {
    return {};
  }
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
  return name != nullptr ? name.get() : info.dli_sname;
}

// Threads in the same state, a few of them by name.
struct Group {
  unsigned count = 0;
  std::string names;

  void add(const Thread& thread) {
    constexpr unsigned kNamed = 4;
    ++count;
    if (count <= kNamed) {
      names += (count == 1 ? "" : ", ") + text_of_index(thread.index);
    } else if (count == kNamed + 1) {
      names += ", ...";
    }
  }
};

}  // namespace

std::string text_of(const Place& place) {
  const std::string_view path = place.file_name();
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return std::string(file) + ":" + std::to_string(place.line()) + " in `" + place.function_name() +
         "`";
}

std::string text_of(const Launch& launch) {
  const std::string name = name_of_function(launch.kernel);
  return (name.empty() ? "the kernel" : "the kernel `" + name + "`") + " launched at " +
         text_of(launch.place);
}

std::string BlockRunner::block_text() const {
  return "block " + text_of_index(position.block) + " of " + text_of_size(launch_->grid) + " of " +
         text_of(*launch_) + ", schedule " + name_of(schedule_);
}

std::string BlockRunner::thread_text() const {
  return "thread " + text_of_index(running_->index) + " of " + text_of_size(launch_->block);
}

std::string BlockRunner::about_running(const std::string& what) const {
  return thread_text() + " " + what + "\n  in " + block_text();
}

std::string BlockRunner::deadlock_text() const {
  std::map<std::string, Group> groups;
  for (unsigned number = 0; number < num_threads_; ++number) {
    const Warp& warp = warps_[number / kLanes];
    const unsigned lane = number % kLanes;
    const bool ended = ((warp.ended >> lane) & 1U) != 0;
    groups[ended ? "ended" : "wait " + text_of_wait(warp.waits[lane])].add(threads_[number]);
  }
  std::string text = "threads wait for others that never come:";
  for (const auto& [state, group] : groups) {
    text += "\n  " + std::to_string(group.count) + " of " + std::to_string(num_threads_) + " " +
            state + ": " + group.names;
  }
  return text + "\n  in " + block_text();
}

}  // namespace vernal::cuda_sm86::emulator
