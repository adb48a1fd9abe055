// Values that backends and the core exchange, as plain C++: devices, formats, memory rows, plan
// options and steps. abi/backend.h says what each field means.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vernal/abi/backend.h"

namespace vernal {

/// See vernal_device_info.
struct DeviceInfo {
  std::string name;
  std::string description;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t num_workers = 0;
};

/// Whether a backend accepts a storage format of weights, see vernal_format_row.
struct FormatSupport {
  std::string format;  // "ggml.q4_k/1"
  std::uint32_t support = VERNAL_FORMAT_NATIVE;
  std::string note;
};

/// One object of a plan, or one that is allocated. See vernal_memory_row.
struct MemoryRow {
  std::string object;
  std::string device;
  std::uint32_t category = VERNAL_MEMORY_OTHER;
  std::uint64_t bytes = 0;
  std::uint64_t peak_bytes = 0;
};

/// See vernal_plan_options.
struct PlanOptions {
  std::uint64_t context_length = 0;
  std::uint64_t max_tokens_per_step = 0;
  std::uint64_t max_sequences = 0;
  std::uint64_t max_rows = 0;
  std::uint64_t typical_decode_sequences = 0;
  std::uint64_t kv_tokens = 0;
  std::uint64_t rollback_depth = 0;
  std::uint64_t max_checkpoints = 0;
  std::uint64_t memory_limit_bytes = 0;
  std::string kv_keys_format = "f16";
  std::string kv_values_format = "f16";
  std::string recurrent_format = "f32";
  std::vector<std::string> host_weights;
  bool kv_rotate = false;
};

/// The part of a step that belongs to one sequence, see vernal_step_sequence.
struct StepSequence {
  vernal_sequence_id sequence = 0;
  std::uint64_t start = 0;
  std::uint64_t count = 0;
  std::uint64_t first_position = 0;
};

/// f32 [rows, columns], row-major; `data` is borrowed from the step.
struct StepOutput {
  const float* data = nullptr;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};

}  // namespace vernal
