#include "command/bench/machine.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "loading/host_memory.hpp"
#include "plugin/cpu_level.hpp"

namespace vernal {
namespace {

/// The value of the first line "NAME : VALUE" of a file.
std::string value_of_line(const std::filesystem::path& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (!line.starts_with(name) || colon == std::string::npos || colon + 2 > line.size()) continue;
    return line.substr(colon + 2);
  }
  return {};
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<int> allowed_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> out;
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return out;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<std::size_t>(i), &set)) out.push_back(i);
  }
  return out;
}

/// How many cores the threads belong to. 0: the system does not tell of one of them.
std::uint32_t count_cores(const std::filesystem::path& root, const std::vector<int>& threads) {
  std::set<std::string> cores;  // each by the list of its threads
  for (const int thread : threads) {
    const std::string siblings = first_line(
        root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", thread));
    if (siblings.empty()) return 0;
    cores.insert(siblings);
  }
  return static_cast<std::uint32_t>(cores.size());
}

constexpr std::uint64_t kRounds = 6'000'000;

/// Multiplications that wait for nothing but the multiplier: independent chains, no memory.
std::uint64_t compute(std::uint64_t seed) {
  constexpr std::size_t kChains = 8;
  std::uint64_t chains[kChains];
  for (std::size_t c = 0; c < kChains; ++c) chains[c] = seed + c;
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    for (std::uint64_t& chain : chains) chain = chain * 0x9E3779B97F4A7C15U + i;
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t chain : chains) sum += chain;
  return sum;
}

/// Seconds that `num_threads` threads take to do the same work each, at once: the best of three.
double seconds_of(std::uint32_t num_threads) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTries = 3;
  std::atomic<std::uint64_t> checksum = 0;  // read, so that the work is not left out
  double best = 0;
  Clock::time_point begin;
  const auto on_phase = [&, phase = 0]() mutable noexcept {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (phase++ > 0) best = best == 0 ? seconds : std::min(best, seconds);
    begin = Clock::now();
  };
  std::barrier barrier(static_cast<std::ptrdiff_t>(num_threads), on_phase);
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTries; ++i) {
        barrier.arrive_and_wait();
        checksum += compute(t + 1);
      }
      barrier.arrive_and_wait();
    });
  }
  threads.clear();
  return checksum == 0 ? 0 : best;
}

}  // namespace

MachineDescription describe_machine(const std::filesystem::path& root) {
  MachineDescription out;
  out.processor = value_of_line(root / "proc/cpuinfo", "model name");
  for (const char* level : {"x86-64-v4", "x86-64-v3", "x86-64-v2", "x86-64"}) {
    if (!plugin::machine_has(level)) continue;
    out.instruction_level = level;
    break;
  }
  const std::vector<int> threads = allowed_threads();
  out.num_threads = static_cast<std::uint32_t>(threads.size());
  out.num_cores = count_cores(root, threads);
  out.memory_bytes = read_host_memory(root).limit_bytes();
  return out;
}

double measure_compute_scaling(std::uint32_t num_threads) {
  if (num_threads < 2) return 1;
  const double alone = seconds_of(1);
  const double together = seconds_of(num_threads);
  return together > 0 ? static_cast<double>(num_threads) * alone / together : 0;
}

std::string cores_text(const MachineDescription& machine) {
  std::string out = fmt::format("{} threads", machine.num_threads);
  if (machine.num_cores != 0) out += fmt::format(" on {} cores", machine.num_cores);
  if (machine.compute_scaling == 0) return out;
  out += fmt::format(", together {:.2f} times one", machine.compute_scaling);
  // Siblings share one multiplier; cores have one each. Half way between the two is the border.
  const double threads = machine.num_threads;
  const bool are_said_cores = machine.num_cores == machine.num_threads;
  if (are_said_cores && threads > 1 && machine.compute_scaling < 1 + (threads - 1) / 2) {
    out += ": they compute as siblings do, or something else runs";
  }
  return out;
}

}  // namespace vernal
