// A backend through its bare function table, call by call: for what C++ comfort would hide.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugin_check/subject/machine.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "vernal/abi/backend.h"

namespace vernal::check {

/// Handles of a whole chain over one made module; destroyed in order. Every call says its name in
/// what it finds, and an exception that leaves the plugin is a finding. The structs it is made with
/// are those of interface 1.0 with nothing behind them.
class RawBackend {
 public:
  RawBackend(PluginUnderTest& plugin, const MadeModule& made);
  ~RawBackend();
  RawBackend(const RawBackend&) = delete;
  RawBackend& operator=(const RawBackend&) = delete;

  const vernal_backend_api& api() const { return api_; }
  vernal_backend* backend() const { return backend_; }
  vernal_plan* plan() const { return plan_; }
  vernal_program* program() const { return program_; }
  vernal_pool* pool() const { return pool_; }

  vernal_sequence_id create();
  void reserve(vernal_sequence_id sequence, std::uint64_t num_tokens);
  std::uint64_t length(vernal_sequence_id sequence);

  /// The structs of one step over `ids`, which the batch borrows.
  struct Batch {
    std::vector<std::int32_t> ids, positions, rows;
    std::vector<vernal_step_input> inputs;
    vernal_step_sequence part{};
    vernal_str output{};
    vernal_step_batch batch{};
  };
  /// The next tokens of one sequence; the output "hidden", or "logits".
  std::unique_ptr<Batch> batch(vernal_sequence_id sequence, std::vector<std::int32_t> ids,
                               std::uint64_t position);
  /// Submits and waits; the status of whichever failed. The ticket is released if there is one.
  std::int32_t run(const vernal_step_batch& batch);
  /// Submits and waits, both of which must be OK.
  vernal_ticket submit(const vernal_step_batch& batch);

 private:
  MadeStore store_;
  vernal_backend_api api_;
  vernal_backend* backend_ = nullptr;
  vernal_plan* plan_ = nullptr;
  vernal_program* program_ = nullptr;
  vernal_pool* pool_ = nullptr;
  std::string output_name_;
};

/// Options of small_plan() in the interface's form. Text has static storage.
vernal_plan_options raw_small_plan();

}  // namespace vernal::check
