// Group state, part one: what sdk/spec/state.md promises of steps and of sequences side by side.
// Every test of the group runs over models of full attention, of windows, of both, and of the
// hybrid kind (level 1).
#include <optional>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/loaded_model.hpp"

namespace vernal::check {
namespace {

// ---- chunks -------------------------------------------------------------------------------------

template <Memory kMemory>
void test_chunks(const Options& options) {
  Loaded loaded(options, kMemory);
  const Ids ids = tokens(1, 100);
  const auto run = [&](std::uint64_t chunk) {
    const vernal_sequence_id sequence = loaded.session().start(kRoom);
    Logits logits = feed(loaded.session(), sequence, ids, 0, chunk);
    loaded.pool().seq_release(sequence);
    return logits;
  };
  const Logits whole = run(64);
  const auto oracle = make_oracle(loaded.made());
  const Logits reference = feed(*oracle, oracle->start(kRoom), ids, 0, 64);
  const std::uint32_t element = loaded.session().plan().info().activation_element;
  expect_close("100 tokens in chunks of 64, against the reference", whole, reference, kVocabulary,
               element == 0 ? 1e-3 : 1e-2);
  for (const std::uint64_t chunk : {1U, 3U, 40U, 128U}) {
    loaded.expect_equal_chunks(
        fmt::format("100 tokens in chunks of {}, against chunks of 64", chunk), run(chunk), whole);
  }
  for (const std::uint64_t chunk : {1U, 64U}) {
    loaded.expect_same(fmt::format("the same 100 tokens again in chunks of {}", chunk), run(chunk),
                       run(chunk));
  }
}

// ---- neighbours ---------------------------------------------------------------------------------

template <Memory kMemory>
void test_batch_mates(const Options& options) {
  Loaded loaded(options, kMemory);
  const Ids before = tokens(15, 66);
  const Ids next = tokens(16, 6);
  const Logits wanted = loaded.control(before, next);
  // Mates as long as it is, and of another length.
  const vernal_sequence_id sequence = loaded.fed(before);
  const vernal_sequence_id twin = loaded.fed(tokens(17, 66));
  const vernal_sequence_id shorter = loaded.fed(tokens(18, 9));
  const auto step = [&](const std::vector<TokenPart>& parts) {
    return token_step(loaded.session(), parts);
  };
  const auto together =
      step({{shorter, tokens(19, 11), 9}, {sequence, next, 66}, {twin, tokens(20, 6), 66}});
  loaded.expect_same("6 tokens beside two other sequences", together[1], wanted);
  const Ids one = tokens(21, 1);
  const Logits alone = loaded.control(concat(before, next), one);
  const auto decoded = step({{twin, tokens(22, 1), 72}, {sequence, one, 72}});
  loaded.expect_similar("one token beside another sequence", decoded[1], alone);
}

// ---- exhaustion ---------------------------------------------------------------------------------

template <Memory kMemory>
void test_exhaustion(const Options& options) {
  PlanOptions plan = small_plan();
  plan.kv_tokens = 512;
  Loaded loaded(options, kMemory, plan);
  plugin::BackendPool& pool = loaded.pool();
  const Ids before = tokens(23, 40);
  const Ids next = tokens(24, 5);
  const Logits wanted = loaded.control(before, next);
  const vernal_sequence_id sequence = loaded.fed(before);
  std::vector<vernal_sequence_id> others;
  bool is_full = false;
  for (int i = 0; i < 64 && !is_full; ++i) {
    const auto other = pool.seq_create();
    if (!other) {
      is_full = true;
    } else {
      others.push_back(*other);
      is_full = !pool.seq_reserve(*other, kRoom);
    }
  }
  expect(is_full, "64 sequences of 200 tokens fit a plan of 4 sequences and 512 tokens");
  loaded.expect_same("a sequence after RESOURCE_EXHAUSTED of others", loaded.go_on(sequence, next),
                     wanted);
  for (const vernal_sequence_id other : others) pool.seq_release(other);
  loaded.expect_same("a new sequence after RESOURCE_EXHAUSTED", loaded.control(before, next),
                     wanted);
}

// ---- what is free -------------------------------------------------------------------------------

template <Memory kMemory>
void test_free(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const vernal_pool_info before = loaded.info();
  for (int round = 0; round < 5; ++round) {
    const vernal_sequence_id a = loaded.fed(tokens(25, 70));
    const auto checkpoint = pool.checkpoint_create(a);
    expect(checkpoint.has_value(),
           "round {}: checkpoint_create was refused: an earlier round left "
           "something behind",
           round);
    const auto b = pool.seq_fork(a, 0, 70);
    expect(b.has_value(), "round {}: seq_fork was refused", round);
    expect(pool.seq_reserve(*b, 8), "round {}: seq_reserve of a fork was refused", round);
    loaded.go_on(*b, tokens(26, 8));
    pool.seq_restore(*b, *checkpoint);
    expect(pool.seq_truncate(a, 0), "seq_truncate to 0 was refused");
    pool.seq_release(a);
    pool.checkpoint_release(*checkpoint);
    pool.seq_release(*b);
  }
  const vernal_pool_info after = loaded.info();
  expect(after.free_tokens == before.free_tokens,
         "all ids are released: free_tokens expected {}, found {}", before.free_tokens,
         after.free_tokens);
  expect(after.checkpoint_tokens == 0, "all ids are released: checkpoint_tokens is {}",
         after.checkpoint_tokens);
}

// ---- a failed step ------------------------------------------------------------------------------

template <Memory kMemory>
void test_failed_step(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids before = tokens(27, 40);
  const Ids next = tokens(28, 5);
  const Logits wanted = loaded.control(before, next);
  const vernal_sequence_id broken = loaded.fed(before);
  const vernal_sequence_id other = loaded.fed(before);
  const auto checkpoint = pool.checkpoint_create(broken);
  bool has_failed = false;
  try {
    token_step(loaded.session(), {{broken, {1, 2, -7}, 40}});
  } catch (const Error&) {
    has_failed = true;
  }
  expect(has_failed, "a step with the token id -7: expected an error, found OK");
  loaded.expect_same("a sequence beside a failed step", loaded.go_on(other, next), wanted);
  if (!loaded.session().has_flag(VERNAL_POOL_STEP_ATOMIC) && checkpoint) {
    pool.seq_restore(broken, *checkpoint);
    expect(pool.seq_reserve(broken, next.size()), "seq_reserve after a restore was refused");
  }
  loaded.expect_same("the sequence of a failed step", loaded.go_on(broken, next), wanted);
}

// ---- rotation -----------------------------------------------------------------------------------

void test_rotation(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_tiny_model(Memory::kFull);
  PlanOptions plain = small_plan();
  plain.kv_keys_format = plain.kv_values_format = "q8_0";
  PlanOptions rotated = plain;
  rotated.kv_rotate = true;
  std::optional<Session> session;
  try {
    session.emplace(backend, made, rotated);
  } catch (const Error& error) {
    expect(error.code() == VERNAL_UNSUPPORTED,
           "plan with rotation of q8_0: expected a plan or UNSUPPORTED, found {}", error.what());
    throw Skipped("rotation is not supported");
  }
  const Ids ids = tokens(29, 80);
  const Logits found = feed(*session, session->start(kRoom), ids, 0);
  const auto oracle = make_oracle(made);
  const Logits reference = feed(*oracle, oracle->start(kRoom), ids, 0);
  expect_close("logits with rotated keys and values, against those without", found, reference,
               kVocabulary, 1e-2);
}

constexpr Test kTests[] = {
    VERNAL_STATE_TESTS("chunks", "the same numbers however the tokens are cut into steps",
                       test_chunks),
    VERNAL_STATE_TESTS("batch_mates", "other sequences of a step change nothing", test_batch_mates),
    VERNAL_STATE_TESTS("exhaustion", "after RESOURCE_EXHAUSTED what existed goes on",
                       test_exhaustion),
    VERNAL_STATE_TESTS("free", "what is free returns to where it began", test_free),
    VERNAL_STATE_TESTS("failed_step", "a failed step harms no other sequence", test_failed_step),
    {"state.rotation", "rotation of keys and values does not show in the result", test_rotation,
     kBackends},
};

}  // namespace

std::span<const Test> state_tests() { return kTests; }

}  // namespace vernal::check
