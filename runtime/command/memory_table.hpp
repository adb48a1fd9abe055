// The memory plan as a table for people and as JSON.
#pragma once

#include <boost/json.hpp>
#include <span>
#include <string>

#include "loading/memory_verdict.hpp"
#include "loading/process_memory.hpp"
#include "loading/resident_model.hpp"

namespace vernal {

/// One model's rows with sums per device.
std::string memory_table(const ResidentModel& model);

/// {"model", "context_length", "rows": [{object, device, category, bytes}], "total_bytes"}
boost::json::object memory_json(const ResidentModel& model);

/// What the process holds beside its models, and what it is with them in host memory.
std::string process_table(std::span<const ResidentModel* const> models,
                          const ProcessMemory& process);

/// {"rows": [{object, device, category, bytes}], "total_bytes", "host_bytes", "request_room_bytes"}:
/// host_bytes are those of the process and of all models in host memory
boost::json::object process_json(std::span<const ResidentModel* const> models,
                                 const ProcessMemory& process);

/// {"device", "needed_bytes", "available_bytes", "limit", "fits_with": [text]}
boost::json::object shortage_json(const MemoryShortage& shortage);

}  // namespace vernal
