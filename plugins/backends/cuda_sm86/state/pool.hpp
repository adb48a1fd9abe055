// Sequences and steps of one program.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "device/graph.hpp"
#include "program.hpp"
#include "shared/state/paged_pool.hpp"
#include "state/device_memory.hpp"
#include "vernal/state/id_table.hpp"

namespace vernal::cuda_sm86 {

/// Engine thread only. step_submit checks a step as a whole, fills its inputs and puts its kernels
/// into the stream; step_wait waits for them. A step that fails on the device leaves the device
/// lost, so that all later calls fail alike.
class Pool final : public backend::PagedPool {
 public:
  /// Borrows the program, which outlives it.
  explicit Pool(const Program& program);
  ~Pool() override;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Adds a row for each of its regions.
  void report_memory(std::vector<MemoryRow>& out) const;

  vernal_ticket step_submit(const StepBatch& batch) override;
  bool step_wait(vernal_ticket ticket, std::uint64_t timeout_ms) override;
  bool step_poll(vernal_ticket ticket) override;
  StepOutput step_output(vernal_ticket ticket, std::string_view name) override;
  void step_release(vernal_ticket ticket) override;

 private:
  /// Memory of one live step, and where it is in the stream.
  struct Slot {
    Buffer inputs;   // pinned
    Buffer results;  // pinned
    Event begin;
    Event end;
    bool is_taken = false;
    bool is_submitted = false;  // `end` has been recorded
  };
  struct Ticket {
    std::size_t slot = 0;
    std::uint64_t function = 0;
    std::int64_t num_tokens = 0;
    std::int64_t num_rows = 0;
    bool is_counted = false;
  };

  /// Steps of at most so many tokens, sequences and rows run as graphs.
  static constexpr std::int32_t kMostGraphTokens = 8;
  /// Sizes that graphs are made for; a step takes the least one that it fits.
  static constexpr std::size_t kNumGraphSizes = 4;  // 1, 2, 4, 8

  void record_graphs();
  const Graph* graph_of(const StepBatch& batch, std::size_t slot) const;
  std::size_t free_slot();
  std::byte* device_results(std::size_t slot) const;
  void fill_head(const StepBatch& batch, std::byte* to) const;
  const std::byte* earlier_result(const InputSlot& slot, const vernal_step_input& input,
                                  std::int64_t count);
  void fill_inputs(const StepBatch& batch, std::byte* to);
  void copy_inputs(const StepBatch& batch, const std::byte* from);
  StepContext context(std::uint64_t function, std::size_t slot, LaunchSize size);
  void wait_for_states(const StepBatch& batch);
  void copy_results(const StepBatch& batch, const StepContext& step, std::size_t slot);
  void finish(Ticket& ticket);

  const Program& program_;
  DeviceMemory& device_memory_;
  Buffer arena_;
  Buffer inputs_;   // device
  Buffer results_;  // device, kLiveSteps times the outputs of a step
  std::array<Slot, kLiveSteps> slots_;
  // By slot, then function, then size. Empty if the program waits after every node.
  std::array<std::vector<std::array<Graph, kNumGraphSizes>>, kLiveSteps> graphs_;
  IdTable<Ticket> tickets_{"step"};
  // Reused from step to step.
  std::vector<std::byte*> input_places_;
  std::vector<const std::byte*> earlier_results_;  // by input; null: it lies in host memory
  std::vector<KvPagesOfStep> kv_;
};

}  // namespace vernal::cuda_sm86
