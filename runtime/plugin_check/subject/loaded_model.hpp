// A tiny model loaded in the plugin, and what tests of its state ask of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/machine.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {

using Ids = std::vector<std::int32_t>;
using Logits = std::vector<float>;

inline constexpr std::uint64_t kRoom = 200;  // tokens of a sequence

/// One pool of one tiny model. What it was made of is destroyed in order.
class Loaded {
 public:
  Loaded(const Options& options, Memory memory, const PlanOptions& plan = small_plan());

  Session& session() { return session_; }
  plugin::BackendPool& pool() { return session_.pool(); }
  const MadeModule& made() const { return made_; }
  vernal_pool_info info() { return pool().info(); }

  /// A sequence that holds `ids`.
  vernal_sequence_id fed(const Ids& ids);
  /// Logits of the next tokens of a sequence.
  Logits go_on(vernal_sequence_id sequence, const Ids& ids);
  /// What a sequence that holds `before` and nothing ever happened to gives for `next`.
  Logits control(const Ids& before, const Ids& next);
  /// Expects the same: to the bit if the pool says BATCH_INVARIANT, else within rounding. The
  /// chunks began at the same places.
  void expect_same(const std::string& what, const Logits& found, const Logits& wanted);
  /// Expects the same although the chunks began elsewhere: to the bit if the pool says
  /// CHUNK_INVARIANT, else as expect_similar().
  void expect_equal_chunks(const std::string& what, const Logits& found, const Logits& wanted);
  /// Expects the same within the tolerance of the operations: the chunks began elsewhere.
  void expect_similar(const std::string& what, const Logits& found, const Logits& wanted);

 private:
  PluginUnderTest plugin_;
  plugin::BackendInstance backend_;
  MadeModule made_;
  Session session_;
};

/// One after the other.
Ids concat(Ids a, const Ids& b);

/// Rows of a table of tests: `function`, a template over Memory, for each kind of model.
// clang-format off
#define VERNAL_STATE_TESTS(what, expects, function)                              \
  {"state." what "_full", expects, function<Memory::kFull>, kBackends, 0, 60},     \
  {"state." what "_window", expects, function<Memory::kWindow>, kBackends, 0, 60}, \
  {"state." what "_mixed", expects, function<Memory::kMixed>, kBackends, 0, 60},   \
  {"state." what "_hybrid", expects, function<Memory::kHybrid>, kBackends, 1, 60}
// clang-format on

}  // namespace vernal::check
