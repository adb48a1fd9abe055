// gpu_probe: what a device is, whether its instructions do what the emulator takes for granted, and how fast it reads.
//
//   gpu_probe device            one line of JSON: what device 0 is
//   gpu_probe checks            a line of JSON for each check; status 1 if one found a difference
//   gpu_probe bandwidth [MIB]   one line of JSON; reads a buffer of at most so many MiB, default 1024
//
// Status 3: there is no device, or it fails; the reason stands on standard error.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "probe/checks.hpp"
#include "probe/device_memory.hpp"
#include "probe/kernels.hpp"

namespace vernal::probe {
namespace {

constexpr int kNoDevice = 3;

void print(const boost::json::object& object) {
  std::printf("%s\n", boost::json::serialize(object).c_str());
  std::fflush(stdout);
}

int device() {
  cudaDeviceProp found{};
  check(cudaGetDeviceProperties(&found, 0), "device");
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &total_bytes), "memory");
  int driver = 0;
  int runtime = 0;
  int memory_khz = 0;
  check(cudaDriverGetVersion(&driver), "driver");
  check(cudaRuntimeGetVersion(&runtime), "runtime");
  check(cudaDeviceGetAttribute(&memory_khz, cudaDevAttrMemoryClockRate, 0), "memory clock");
  std::array<char, 32> bus{};
  std::snprintf(bus.data(), bus.size(), "%08x:%02x:%02x.0",
                static_cast<unsigned>(found.pciDomainID), static_cast<unsigned>(found.pciBusID),
                static_cast<unsigned>(found.pciDeviceID));
  print({{"name", found.name},
         {"capability", std::to_string(found.major) + "." + std::to_string(found.minor)},
         {"multiprocessors", found.multiProcessorCount},
         {"total_bytes", total_bytes},
         {"free_bytes", free_bytes},
         {"l2_bytes", found.l2CacheSize},
         {"memory_bus_bits", found.memoryBusWidth},
         {"memory_clock_mhz", memory_khz / 1000},
         {"datasheet_bandwidth_bytes_per_second",
          2e3 * memory_khz * static_cast<double>(found.memoryBusWidth) / 8},
         {"pci_bus", bus.data()},
         {"driver_supports_cuda", driver},
         {"built_with_cuda", runtime}});
  return 0;
}

int checks() {
  bool is_sound = true;
  for (const CheckResult& result : run_checks()) {
    is_sound = is_sound && result.difference.empty();
    boost::json::object line{{"check", result.name}, {"passed", result.difference.empty()}};
    if (!result.difference.empty()) line["difference"] = result.difference;
    print(line);
  }
  return is_sound ? 0 : 1;
}

/// Reads a buffer of `most` bytes, or of what a quarter of the free memory holds: by default far
/// more than any cache of a device. The best of several passes counts.
int bandwidth(std::uint64_t most) {
  cudaDeviceProp device{};
  check(cudaGetDeviceProperties(&device, 0), "device");
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &total_bytes), "memory");
  const int num_blocks = device.multiProcessorCount * 8;
  const std::uint64_t unit = std::uint64_t{16} * 256 * static_cast<std::uint64_t>(num_blocks);
  const std::uint64_t room = std::min<std::uint64_t>(most, free_bytes / 4);
  const std::uint64_t size = std::max<std::uint64_t>(room / unit, 1) * unit;
  const DeviceArray<std::uint8_t> buffer(size);
  const DeviceArray<std::uint32_t> sum(1);
  const Stream stream;
  constexpr int kPasses = 8;  // in a row, so that starting them is nothing beside them
  constexpr int kRepetitions = 10;
  const auto seconds_of = [&](int passes) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < passes; ++i) {
      check(launch_read(stream.get(), buffer.get(), size, num_blocks, sum.get()), "read");
    }
    stream.wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  check(cudaMemsetAsync(buffer.get(), 1, size, stream.get()), "memory");
  seconds_of(1);
  double best = 0;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    best = std::max(best, kPasses * static_cast<double>(size) / seconds_of(kPasses));
  }
  print({{"bytes", size}, {"read_bandwidth_bytes_per_second", best}});
  return 0;
}

int run(int argc, char** argv) {
  const std::string_view command = argc >= 2 ? argv[1] : "";
  if (command == "device" && argc == 2) return device();
  if (command == "checks" && argc == 2) return checks();
  if (command == "bandwidth" && argc <= 3) {
    const unsigned long mib = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 1024;
    return bandwidth(std::uint64_t{mib} << 20);
  }
  std::fprintf(stderr, "usage: gpu_probe device | checks | bandwidth [MIB]\n");
  return 2;
}

}  // namespace
}  // namespace vernal::probe

int main(int argc, char** argv) {
  try {
    return vernal::probe::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_probe: %s\n", error.what());
    return vernal::probe::kNoDevice;
  }
}
