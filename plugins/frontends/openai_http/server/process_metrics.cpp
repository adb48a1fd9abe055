#include "openai_http/server/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

namespace vernal::openai_http {
namespace {

Metric gauge(const char* name, const char* help, double value) {
  return {name, help, {}, value, VERNAL_METRIC_GAUGE};
}

/// Unix seconds: the boot, and the clock ticks between it and the process (proc(5), field 22).
std::optional<double> start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  constexpr int kFieldsBetween = 20;  // fields 3 to 22
  std::string field;
  std::size_t at = end_of_name + 1;
  for (int i = 0; i < kFieldsBetween; ++i) {
    const std::size_t begin = line.find_first_not_of(' ', at);
    if (begin == std::string::npos) return std::nullopt;
    at = line.find(' ', begin);
    field = line.substr(begin, at - begin);
  }
  std::ifstream boot("/proc/stat");
  for (std::string key; boot >> key;) {
    double seconds = 0;
    if (key == "btime" && boot >> seconds) {
      return seconds +
             std::strtod(field.c_str(), nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
    }
    std::getline(boot, key);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Metric> process_metrics() {
  std::vector<Metric> out;
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
    out.push_back({"process_cpu_seconds_total",
                   "Processor time of the process.",
                   {},
                   static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9,
                   VERNAL_METRIC_COUNTER});
  }
  double virtual_pages = 0;
  double resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    out.push_back(gauge("process_resident_memory_bytes", "Memory of the process that is resident.",
                        resident_pages * page));
    out.push_back(gauge("process_virtual_memory_bytes", "Address space of the process.",
                        virtual_pages * page));
  }
  if (const auto started = start_time()) {
    out.push_back(
        gauge("process_start_time_seconds", "When the process began, in Unix seconds.", *started));
  }
  std::error_code error;
  double num_open = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++num_open;
  }
  if (!error) out.push_back(gauge("process_open_fds", "Open file descriptors.", num_open));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.push_back(
        gauge("process_max_fds", "Most file descriptors.", static_cast<double>(limit.rlim_cur)));
  }
  return out;
}

}  // namespace vernal::openai_http
