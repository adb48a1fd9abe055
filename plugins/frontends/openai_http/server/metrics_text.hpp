// Counters and gauges in the Prometheus text format.
#pragma once

#include <string>
#include <vector>

#include "vernal/engine_client.hpp"

namespace vernal::openai_http {

/// One "# HELP" and "# TYPE" for each name, then its samples; metrics of one name are gathered even
/// if they come apart. Names that the format does not allow are left out.
std::string render_metrics(const std::vector<Metric>& metrics);

}  // namespace vernal::openai_http
