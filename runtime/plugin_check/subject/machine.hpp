// Something that runs a made module: the plugin under test, or the reference operations beside it.
// A test runs the same script on both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/backend_client.hpp"
#include "plugin_check/cases/random_numbers.hpp"
#include "plugin_check/models/made_module.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "vernal/backend_types.hpp"

namespace vernal::check {

/// A part of a step: the next `count` tokens of a sequence.
struct Part {
  vernal_sequence_id sequence = 0;
  std::uint64_t count = 0;
};

/// The data of one step's inputs, by name, and the rows wanted.
struct StepData {
  std::map<std::string, std::vector<std::int32_t>> integers;
  std::map<std::string, std::vector<float>> floats;
  std::vector<std::int32_t> rows;
  std::uint64_t num_tokens = 0;
};

/// One pool of one program of a made module. Each sequence continues where it is.
class Machine {
 public:
  virtual ~Machine() = default;
  /// A new sequence with room for `num_tokens`.
  virtual vernal_sequence_id start(std::uint64_t num_tokens) = 0;
  /// Runs a step and returns the output `name`, [rows, columns].
  virtual std::vector<float> step(const std::vector<Part>& parts, const StepData& data,
                                  const std::string& name) = 0;
};

/// Options that fit the made modules: some hundred tokens in some sequences.
PlanOptions small_plan();

/// A program of the plugin under test, with its plan, weights and pool; destroyed in order.
class Session final : public Machine {
 public:
  Session(plugin::BackendInstance& backend, const MadeModule& made,
          const PlanOptions& options = small_plan());

  vernal_sequence_id start(std::uint64_t num_tokens) override;
  std::vector<float> step(const std::vector<Part>& parts, const StepData& data,
                          const std::string& name) override;

  plugin::BackendPlan& plan() { return plan_; }
  plugin::BackendProgram& program() { return program_; }
  plugin::BackendPool& pool() { return pool_; }
  bool has_flag(std::uint32_t flag) const { return (pool_.info().flags & flag) != 0; }

 private:
  MadeStore store_;
  plugin::BackendPlan plan_;
  plugin::BackendProgram program_;
  plugin::BackendPool pool_;
};

/// The reference operations, in this process, in double where they compute.
std::unique_ptr<Machine> make_oracle(const MadeModule& made,
                                     const PlanOptions& options = small_plan());

/// Throws Skipped with kNoDevice if the backend's extension says that it has no device here.
void require_device(PluginUnderTest& plugin);

/// An instance of the plugin under test, opened with its table, after require_device().
plugin::BackendInstance open_backend(PluginUnderTest& plugin);

/// Made-up data for every input of a made module's main function: ids below what the embedding has,
/// positions from `first_positions` on (by part), other numbers random; the input "zero" is zeros.
///   rows   every third token and the last
StepData make_data(const MadeModule& made, const std::vector<std::uint64_t>& counts,
                   const std::vector<std::uint64_t>& first_positions, RandomNumbers& random);

/// sum((x - r)^2) / sum(r^2); infinite if a number is not finite or the sizes differ.
double nmse(std::span<const float> found, std::span<const float> reference);

}  // namespace vernal::check
