// What the process takes, under the names that every Prometheus client has for it.
#pragma once

#include <vector>

#include "vernal/engine_client.hpp"

namespace vernal::openai_http {

/// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
/// process_start_time_seconds, process_open_fds, process_max_fds. What cannot be read is left out.
std::vector<Metric> process_metrics();

}  // namespace vernal::openai_http
