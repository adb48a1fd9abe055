// Counters and gauges in the Prometheus text format.
#pragma once

#include <string>
#include <vector>

#include "vernal/engine_client.hpp"

namespace vernal::openai_http {

/// Writes "# HELP" and "# TYPE" once for each name, then all samples of that name, wherever they
/// stand in `metrics`. Leaves out names that the format does not allow.
std::string render_metrics(const std::vector<Metric>& metrics);

}  // namespace vernal::openai_http
