// The memory plan as a table for people and as JSON.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "loading/memory_verdict.hpp"
#include "loading/resident_model.hpp"

namespace vernal {

/// One model's rows with sums per device.
std::string memory_table(const ResidentModel& model);

/// {"model", "context_length", "rows": [{object, device, category, bytes}], "total_bytes"}
boost::json::object memory_json(const ResidentModel& model);

/// {"device", "needed_bytes", "available_bytes", "limit", "fits_with": [text]}
boost::json::object shortage_json(const MemoryShortage& shortage);

}  // namespace vernal
