// Group errors, part two: ids that were released or never were.
#include <functional>
#include <set>

#include "plugin_check/finding.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/raw_backend.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {
namespace {

/// Every call that takes a sequence, with one that does not exist.
void check_no_sequence(RawBackend& raw, vernal_sequence_id id, const char* which) {
  const vernal_backend_api& api = raw.api();
  std::uint64_t out = 0;
  const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
    expect_status(fmt::format("{} of {}", name, which), VERNAL_NOT_FOUND, call(name, function));
  };
  check("seq_length", [&] { return api.seq_length(raw.pool(), id, 0, &out); });
  check("seq_reserve", [&] { return api.seq_reserve(raw.pool(), id, 1); });
  check("seq_restorable", [&] { return api.seq_restorable(raw.pool(), id, 0, &out); });
  check("seq_truncate", [&] { return api.seq_truncate(raw.pool(), id, 0); });
  check("checkpoint_create", [&] { return api.checkpoint_create(raw.pool(), id, &out); });
  if (id != 0) {  // 0 would mean that the checkpoint is the source
    check("seq_fork", [&] { return api.seq_fork(raw.pool(), id, 0, 0, &out); });
  }
  const auto batch = raw.batch(id, {1}, 0);
  check("step_submit", [&] { return api.step_submit(raw.pool(), &batch->batch, &out); });
  check("seq_release", [&] { return api.seq_release(raw.pool(), id); });
}

void test_stale_sequences(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  check_no_sequence(raw, 0, "sequence 0");
  check_no_sequence(raw, 0x7FFF'FFFF'FFFF'FFFF, "a sequence that never was");
  const vernal_sequence_id old = raw.create();
  raw.reserve(old, 4);
  expect_status("seq_release", VERNAL_OK, raw.api().seq_release(raw.pool(), old));
  check_no_sequence(raw, old, "a released sequence");
  // A new sequence may take the same place. The old id must not reach it.
  std::set<vernal_sequence_id> seen{old};
  for (int i = 0; i < 8; ++i) {
    const vernal_sequence_id next = raw.create();
    expect(seen.insert(next).second, "seq_create gave an id again that was released before");
    check_no_sequence(raw, old, "a released sequence whose place is taken");
    expect(raw.length(next) == 0, "a new sequence has {} tokens", raw.length(next));
    expect_status("seq_release", VERNAL_OK, raw.api().seq_release(raw.pool(), next));
  }
}

void test_stale_checkpoints(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  vernal_checkpoint_id old = 0;
  expect_status("checkpoint_create", VERNAL_OK, call("checkpoint_create", [&] {
                  return api.checkpoint_create(raw.pool(), sequence, &old);
                }));
  expect_status("checkpoint_release", VERNAL_OK, call("checkpoint_release", [&] {
                  return api.checkpoint_release(raw.pool(), old);
                }));
  for (const vernal_checkpoint_id id : {old, vernal_checkpoint_id{0x7FFF'FFFF'FFFF'FFFF}}) {
    std::uint64_t out = 0;
    vernal_checkpoint_info info{};
    info.struct_size = sizeof(info);
    const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
      expect_status(fmt::format("{} of a checkpoint that is not", name), VERNAL_NOT_FOUND,
                    call(name, function));
    };
    check("checkpoint_info", [&] { return api.checkpoint_info(raw.pool(), id, &info); });
    check("seq_restore", [&] { return api.seq_restore(raw.pool(), sequence, id); });
    check("seq_fork", [&] { return api.seq_fork(raw.pool(), 0, id, 0, &out); });
    check("checkpoint_release", [&] { return api.checkpoint_release(raw.pool(), id); });
  }
}

void test_stale_tickets(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  raw.reserve(sequence, 8);
  const auto batch = raw.batch(sequence, {1, 2}, 0);
  const vernal_ticket old = raw.submit(batch->batch);
  expect_status("step_release", VERNAL_OK, api.step_release(raw.pool(), old));
  const auto next = raw.batch(sequence, {3}, 2);
  const vernal_ticket current = raw.submit(next->batch);
  for (const vernal_ticket id : {old, vernal_ticket{0}, vernal_ticket{0x7FFF'FFFF'FFFF'FFFF}}) {
    std::uint32_t done = 0;
    vernal_step_output out{};
    out.struct_size = sizeof(out);
    const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
      expect_status(fmt::format("{} of a ticket that is not", name), VERNAL_NOT_FOUND,
                    call(name, function));
    };
    check("step_wait", [&] { return api.step_wait(raw.pool(), id, 1); });
    check("step_poll", [&] { return api.step_poll(raw.pool(), id, &done); });
    check("step_output", [&] { return api.step_output(raw.pool(), id, batch->output, &out); });
    check("step_release", [&] { return api.step_release(raw.pool(), id); });
  }
  expect_status("step_release", VERNAL_OK, api.step_release(raw.pool(), current));
}

constexpr Test kTests[] = {
    {"errors.stale_sequences", "NOT_FOUND for sequences that were released or never were",
     test_stale_sequences, kBackends},
    {"errors.stale_checkpoints", "NOT_FOUND for checkpoints that were released or never were",
     test_stale_checkpoints, kBackends},
    {"errors.stale_tickets", "NOT_FOUND for steps that were released or never were",
     test_stale_tickets, kBackends},
};

}  // namespace

std::span<const Test> errors_id_tests() { return kTests; }

}  // namespace vernal::check
