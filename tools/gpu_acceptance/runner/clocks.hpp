// Clocks, power and what slows a device down, from NVIDIA's management library.
#pragma once

#include <atomic>
#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vernal::acceptance {

/// One look at the device.
struct ClockSample {
  unsigned sm_mhz = 0;
  unsigned memory_mhz = 0;
  unsigned milliwatts = 0;
  unsigned degrees = 0;
  std::uint64_t slowed_by = 0;  ///< bits of nvmlClocksEventReasons
};

/// Looks at a device ten times a second, on a thread of its own, from its construction on. The library
/// is opened at run time, because it comes with the driver.
class ClockWatch {
 public:
  /// `pci_bus` as CUDA writes it, "00000000:01:00.0".
  explicit ClockWatch(const std::string& pci_bus);
  ~ClockWatch();
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;

  /// Why there is nothing to see; empty: there is.
  const std::string& problem() const { return problem_; }
  /// The driver's version, greatest clocks and the limit of power.
  boost::json::object limits() const;
  /// What was seen since the last call: median and least clocks, most power and heat, and what slowed
  /// the device down in which share of the looks. Empty if nothing was.
  boost::json::object take();

 private:
  class Library;

  std::unique_ptr<Library> library_;
  std::string problem_;
  std::mutex mutex_;  // of samples_
  std::vector<ClockSample> samples_;
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

}  // namespace vernal::acceptance
