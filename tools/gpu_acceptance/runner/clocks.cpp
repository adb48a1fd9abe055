#include "runner/clocks.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

namespace vernal::acceptance {
namespace {

// Names and numbers are those of NVML.
constexpr const char* kLibrary = "libnvidia-ml.so.1";
constexpr unsigned kSmClock = 1;
constexpr unsigned kMemoryClock = 2;
constexpr unsigned kGpuTemperature = 0;
constexpr int kNotFound = 13;  // NVML_ERROR_FUNCTION_NOT_FOUND

struct Reason {
  std::uint64_t bit;
  const char* name;
};
constexpr std::array<Reason, 9> kReasons{{{0x001, "idle"},
                                          {0x002, "application clocks"},
                                          {0x004, "power cap"},
                                          {0x008, "hardware slowdown"},
                                          {0x010, "sync boost"},
                                          {0x020, "software thermal slowdown"},
                                          {0x040, "hardware thermal slowdown"},
                                          {0x080, "hardware power brake"},
                                          {0x100, "display clocks"}}};

template <class Member>
std::vector<unsigned> sorted(const std::vector<ClockSample>& samples, Member member) {
  std::vector<unsigned> out;
  for (const ClockSample& sample : samples) out.push_back(sample.*member);
  std::ranges::sort(out);
  return out;
}

}  // namespace

/// One device, through the library. Calls answer 0 if all is well.
class ClockWatch::Library {
 public:
  explicit Library(const std::string& pci_bus) : handle_(::dlopen(kLibrary, RTLD_NOW)) {
    if (handle_ == nullptr) throw std::runtime_error(::dlerror());
    if (const int error = call("nvmlInit_v2"); error != 0) {
      throw std::runtime_error("nvmlInit answers " + std::to_string(error));
    }
    const int error = pci_bus.empty()
                          ? call("nvmlDeviceGetHandleByIndex_v2", 0U, &device_)
                          : call("nvmlDeviceGetHandleByPciBusId_v2", pci_bus.c_str(), &device_);
    if (error != 0) {
      throw std::runtime_error("the management library does not find the device " + pci_bus);
    }
  }

  boost::json::object limits() const {
    std::array<char, 96> version{};
    boost::json::object out;
    if (call("nvmlSystemGetDriverVersion", version.data(), unsigned{version.size()}) == 0) {
      out["driver"] = version.data();
    }
    const auto add = [&](const char* name, const char* function, auto... arguments) {
      unsigned value = 0;
      if (call(function, device_, arguments..., &value) == 0) out[name] = value;
    };
    add("most_sm_mhz", "nvmlDeviceGetMaxClockInfo", kSmClock);
    add("most_memory_mhz", "nvmlDeviceGetMaxClockInfo", kMemoryClock);
    add("power_limit_milliwatts", "nvmlDeviceGetEnforcedPowerLimit");
    return out;
  }

  ClockSample look() const {
    ClockSample out;
    call("nvmlDeviceGetClockInfo", device_, kSmClock, &out.sm_mhz);
    call("nvmlDeviceGetClockInfo", device_, kMemoryClock, &out.memory_mhz);
    call("nvmlDeviceGetPowerUsage", device_, &out.milliwatts);
    call("nvmlDeviceGetTemperature", device_, kGpuTemperature, &out.degrees);
    unsigned long long reasons = 0;
    // Newer drivers call them events.
    if (call("nvmlDeviceGetCurrentClocksThrottleReasons", device_, &reasons) != 0) {
      call("nvmlDeviceGetCurrentClocksEventReasons", device_, &reasons);
    }
    out.slowed_by = reasons;
    return out;
  }

 private:
  template <class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    auto* const function = reinterpret_cast<int (*)(Arguments...)>(::dlsym(handle_, name));
    return function == nullptr ? kNotFound : function(arguments...);
  }

  void* handle_;  // stays open until the process ends
  void* device_ = nullptr;
};

ClockWatch::ClockWatch(const std::string& pci_bus) {
  try {
    library_ = std::make_unique<Library>(pci_bus);
  } catch (const std::exception& error) {
    problem_ = error.what();
    return;
  }
  thread_ = std::thread([this] {
    while (!is_ending_) {
      const ClockSample sample = library_->look();
      {
        const std::lock_guard lock(mutex_);
        samples_.push_back(sample);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
}

ClockWatch::~ClockWatch() {
  is_ending_ = true;
  if (thread_.joinable()) thread_.join();
}

boost::json::object ClockWatch::limits() const {
  return library_ ? library_->limits() : boost::json::object{};
}

boost::json::object ClockWatch::take() {
  std::vector<ClockSample> samples;
  {
    const std::lock_guard lock(mutex_);
    samples.swap(samples_);
  }
  if (samples.empty()) return {};
  const auto sm = sorted(samples, &ClockSample::sm_mhz);
  const auto memory = sorted(samples, &ClockSample::memory_mhz);
  boost::json::object slowed;
  for (const Reason& reason : kReasons) {
    const auto count = std::ranges::count_if(
        samples, [&](const ClockSample& s) { return (s.slowed_by & reason.bit) != 0; });
    if (count > 0) {
      slowed[reason.name] = static_cast<double>(count) / static_cast<double>(samples.size());
    }
  }
  return {{"looks", samples.size()},
          {"median_sm_mhz", sm[sm.size() / 2]},
          {"least_sm_mhz", sm.front()},
          {"median_memory_mhz", memory[memory.size() / 2]},
          {"most_milliwatts", sorted(samples, &ClockSample::milliwatts).back()},
          {"most_degrees", sorted(samples, &ClockSample::degrees).back()},
          {"slowed_by", std::move(slowed)}};
}

}  // namespace vernal::acceptance
