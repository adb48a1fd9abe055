// Group state: what sdk/spec/state.md promises of sequences, checkpoints and snapshots. Every test
// runs over models of full attention, of windows, and of the hybrid kind (level 1).
#include <cstring>

#include "finding.hpp"
#include "operation_case.hpp"
#include "test.hpp"
#include "tiny_model.hpp"
#include "vernal/host.hpp"

namespace vernal::check {
namespace {

using Ids = std::vector<std::int32_t>;
using Logits = std::vector<float>;

constexpr std::uint64_t kRoom = 200;  // tokens of a sequence

/// A tiny model loaded in the plugin.
class Loaded {
 public:
  Loaded(const Options& options, Memory memory, const PlanOptions& plan = small_plan())
      : plugin_(options),
        backend_(open_backend(plugin_)),
        made_(make_tiny_model(memory)),
        session_(backend_, made_, plan) {}

  Session& session() { return session_; }
  plugin::BackendPool& pool() { return session_.pool(); }
  const MadeModule& made() const { return made_; }
  vernal_pool_info info() { return pool().info(); }

  /// A sequence that holds `ids`.
  vernal_sequence_id fed(const Ids& ids) {
    const vernal_sequence_id sequence = session_.start(kRoom);
    feed(session_, sequence, ids, 0);
    return sequence;
  }
  Logits go_on(vernal_sequence_id sequence, const Ids& ids) {
    return feed(session_, sequence, ids, pool().seq_length(sequence, 0));
  }
  /// What a sequence that holds `before` and nothing ever happened to gives for `next`.
  Logits control(const Ids& before, const Ids& next) {
    const vernal_sequence_id sequence = fed(before);
    Logits logits = go_on(sequence, next);
    pool().seq_release(sequence);
    return logits;
  }
  /// Expects the same: to the bit if the pool says BATCH_INVARIANT, else within rounding. The
  /// chunks began at the same places.
  void expect_same(const std::string& what, const Logits& found, const Logits& wanted) {
    const bool is_exact = session_.has_flag(VERNAL_POOL_BATCH_INVARIANT);
    if (!is_exact) return expect_close(what, found, wanted, kVocabulary, kRounding);
    expect(found.size() == wanted.size() &&
               std::memcmp(found.data(), wanted.data(), wanted.size() * sizeof(float)) == 0,
           "{}: expected the same bits, found others (NMSE {:.1e})", what, nmse(found, wanted));
  }
  /// Expects the same within the tolerance of the operations: the chunks began elsewhere.
  void expect_similar(const std::string& what, const Logits& found, const Logits& wanted) {
    const std::uint32_t element = session_.plan().info().activation_element;
    constexpr double kBounds[] = {1e-4, 1e-3, 1e-2};
    expect_close(what, found, wanted, kVocabulary, kBounds[std::min<std::uint32_t>(element, 2)]);
  }

 private:
  static constexpr double kRounding = 1e-6;

  PluginUnderTest plugin_;
  plugin::BackendInstance backend_;
  MadeModule made_;
  Session session_;
};

Ids concat(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// ---- 1: chunks
// -----------------------------------------------------------------------------------

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
    loaded.expect_similar(fmt::format("100 tokens in chunks of {}, against chunks of 64", chunk),
                          run(chunk), whole);
  }
  for (const std::uint64_t chunk : {1U, 64U}) {
    loaded.expect_same(fmt::format("the same 100 tokens again in chunks of {}", chunk), run(chunk),
                       run(chunk));
  }
}

// ---- 2: forks
// ------------------------------------------------------------------------------------

template <Memory kMemory>
void test_fork(const Options& options) {
  Loaded loaded(options, kMemory);
  const Ids before = tokens(2, 70);
  const Ids left = tokens(3, 5);
  const Ids right = tokens(4, 5);
  const Logits wanted_left = loaded.control(before, left);
  const Logits wanted_right = loaded.control(before, right);
  for (const bool child_first : {true, false}) {
    const vernal_sequence_id parent = loaded.fed(before);
    const auto child = loaded.pool().seq_fork(parent, 0, before.size());
    expect(child.has_value(), "seq_fork at the length of the source was refused");
    expect(loaded.pool().seq_length(*child, 0) == before.size(), "a fork at {} has {} tokens",
           before.size(), loaded.pool().seq_length(*child, 0));
    expect(loaded.pool().seq_reserve(*child, right.size()), "seq_reserve of a fork was refused");
    Logits found_left;
    Logits found_right;
    for (const bool is_child : {child_first, !child_first}) {
      if (is_child) found_right = loaded.go_on(*child, right);
      if (!is_child) found_left = loaded.go_on(parent, left);
    }
    const char* order = child_first ? "the fork goes on first" : "the source goes on first";
    loaded.expect_same(fmt::format("the source of a fork, {}", order), found_left, wanted_left);
    loaded.expect_same(fmt::format("a fork, {}", order), found_right, wanted_right);
    loaded.pool().seq_release(parent);
    Ids more = tokens(5, 3);
    expect(loaded.pool().seq_reserve(*child, more.size()), "seq_reserve of a fork was refused");
    loaded.expect_similar("a fork whose source was released", loaded.go_on(*child, more),
                          loaded.control(concat(before, right), more));
    loaded.pool().seq_release(*child);
  }
}

template <Memory kMemory>
void test_fork_earlier(const Options& options) {
  Loaded loaded(options, kMemory);
  const Ids ids = tokens(2, 70);
  const Ids next = tokens(6, 4);
  const vernal_sequence_id parent = loaded.fed(ids);
  const bool can = loaded.session().has_flag(VERNAL_POOL_TRUNCATE_ANY);
  for (const std::uint64_t position : {1U, 40U, 64U, 69U}) {
    const auto child = loaded.pool().seq_fork(parent, 0, position);
    expect(can == child.has_value(),
           "seq_fork at {} of 70: the pool {} TRUNCATE_ANY, and it was {}", position,
           can ? "says" : "does not say", child ? "done" : "refused");
    if (!child) continue;
    const Ids cut(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(position));
    expect(loaded.pool().seq_reserve(*child, next.size()), "seq_reserve of a fork was refused");
    loaded.expect_similar(fmt::format("a fork at {} of 70", position), loaded.go_on(*child, next),
                          loaded.control(cut, next));
    loaded.pool().seq_release(*child);
  }
  loaded.expect_same("the source of earlier forks", loaded.go_on(parent, next),
                     loaded.control(ids, next));
}

// ---- 3: checkpoints
// ------------------------------------------------------------------------------

template <Memory kMemory>
void test_restore(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids before = tokens(7, 70);
  const Ids next = tokens(8, 5);
  const Ids other = tokens(9, 20);
  const Logits wanted = loaded.control(before, next);
  const vernal_sequence_id sequence = loaded.fed(before);
  const auto checkpoint = pool.checkpoint_create(sequence);
  expect(checkpoint.has_value(), "checkpoint_create: found RESOURCE_EXHAUSTED with room for it");
  expect(pool.checkpoint_info(*checkpoint).position == before.size(),
         "checkpoint_info: position expected {}, found {}", before.size(),
         pool.checkpoint_info(*checkpoint).position);
  const auto check = [&](const char* what, vernal_sequence_id into) {
    pool.seq_restore(into, *checkpoint);
    expect(pool.seq_length(into, 0) == before.size(), "{}: length expected {}, found {}", what,
           before.size(), pool.seq_length(into, 0));
    expect(pool.seq_reserve(into, next.size()), "{}: seq_reserve was refused", what);
    loaded.expect_same(what, loaded.go_on(into, next), wanted);
  };
  loaded.go_on(sequence, other);
  check("restored after 20 other tokens", sequence);
  check("restored a second time", sequence);
  expect(pool.seq_truncate(sequence, 0), "seq_truncate to 0 was refused");
  check("restored after a truncate to 0", sequence);
  const vernal_sequence_id stranger = loaded.fed(tokens(10, 33));
  check("restored into a sequence of other tokens", stranger);
  pool.seq_release(sequence);
  check("restored after its source was released", stranger);
  const auto child = pool.seq_fork(0, *checkpoint, before.size());
  expect(child.has_value(), "seq_fork of a checkpoint at its position was refused");
  expect(pool.seq_reserve(*child, next.size()), "seq_reserve of a fork was refused");
  loaded.expect_same("forked from a checkpoint", loaded.go_on(*child, next), wanted);
}

// ---- 4: snapshots
// --------------------------------------------------------------------------------

struct Bytes {
  std::vector<unsigned char> data;
  std::size_t next = 0;
};

vernal_sink sink_of(Bytes& bytes) {
  return {[](void* user, const void* data, std::uint64_t size) noexcept -> std::int32_t {
            auto& out = static_cast<Bytes*>(user)->data;
            const auto* begin = static_cast<const unsigned char*>(data);
            return guard([&] { out.insert(out.end(), begin, begin + size); });
          },
          &bytes};
}

vernal_reader reader_of(Bytes& bytes) {
  bytes.next = 0;
  return {[](void* user, void* destination, std::uint64_t size) noexcept -> std::int32_t {
            auto& in = *static_cast<Bytes*>(user);
            if (size > in.data.size() - in.next) return VERNAL_INVALID_ARGUMENT;
            std::memcpy(destination, in.data.data() + in.next, size);
            in.next += size;
            return VERNAL_OK;
          },
          &bytes};
}

std::int32_t import_status(Loaded& loaded, Bytes& bytes) {
  try {
    loaded.pool().seq_release(loaded.pool().snapshot_import(reader_of(bytes)));
    return VERNAL_OK;
  } catch (const Error& error) {
    return error.code();
  }
}

/// Every byte of the header's first part and some of the rest, changed one at a time.
void check_damage(Loaded& loaded, const Bytes& sound) {
  RandomNumbers random(31);
  const std::uint64_t free = loaded.info().free_tokens;
  for (int i = 0; i < 300; ++i) {
    Bytes damaged = sound;
    const std::size_t at = i < 100 ? static_cast<std::size_t>(i) % sound.data.size()
                                   : static_cast<std::size_t>(random.bits() % sound.data.size());
    damaged.data[at] ^= static_cast<unsigned char>(1U << (random.bits() % 8));
    expect(import_status(loaded, damaged) != VERNAL_OK,
           "snapshot_import of a snapshot with byte {} of {} changed: expected a refusal, found OK",
           at, sound.data.size());
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, sound.data.size() - 1}) {
    Bytes cut = sound;
    cut.data.resize(size);
    expect(import_status(loaded, cut) != VERNAL_OK,
           "snapshot_import of the first {} of {} bytes: expected a refusal, found OK", size,
           sound.data.size());
  }
  expect(loaded.info().free_tokens == free, "refused imports left {} tokens taken",
         free - loaded.info().free_tokens);
}

template <Memory kMemory>
void test_snapshot(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids before = tokens(11, 70);
  const Ids next = tokens(12, 5);
  const vernal_sequence_id sequence = loaded.fed(before);
  Bytes bytes;
  const vernal_sink sink = sink_of(bytes);
  if (!loaded.session().has_flag(VERNAL_POOL_SNAPSHOT)) {
    std::int32_t status = VERNAL_OK;
    try {
      pool.snapshot_export(sequence, 0, sink);
    } catch (const Error& error) {
      status = error.code();
    }
    expect(status == VERNAL_UNSUPPORTED,
           "snapshot_export of a pool without SNAPSHOT: expected UNSUPPORTED, found {}",
           status_name(status));
    return note("the pool has no snapshots");
  }
  const Logits wanted = loaded.control(before, next);
  pool.snapshot_export(sequence, 0, sink);
  pool.seq_release(sequence);
  const vernal_sequence_id imported = pool.snapshot_import(reader_of(bytes));
  expect(pool.seq_length(imported, 0) == before.size(), "an imported sequence of {} has {} tokens",
         before.size(), pool.seq_length(imported, 0));
  expect(pool.seq_reserve(imported, next.size()), "seq_reserve of an import was refused");
  loaded.expect_same("an imported snapshot", loaded.go_on(imported, next), wanted);
  pool.seq_release(imported);
  check_damage(loaded, bytes);
}

// ---- 5: truncate
// ---------------------------------------------------------------------------------

template <Memory kMemory>
void test_truncate(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids ids = tokens(13, 70);
  const Ids next = tokens(14, 4);
  for (const std::uint64_t length : {70U, 69U, 67U, 66U, 65U, 64U, 40U, 8U, 1U, 0U}) {
    const vernal_sequence_id sequence = loaded.fed(ids);
    const std::uint64_t restorable = pool.seq_restorable(sequence, length);
    const bool is_done = pool.seq_truncate(sequence, length);
    expect(is_done == (restorable == length),
           "seq_restorable({}) of 70 tokens says {}, seq_truncate was {}", length, restorable,
           is_done ? "done" : "refused");
    expect(is_done || (length != 0 && length != 70), "seq_truncate of 70 to {} was refused",
           length);
    const bool must = loaded.session().has_flag(VERNAL_POOL_TRUNCATE_ANY) || length + 4 >= 70;
    expect(is_done || !must, "seq_truncate of 70 tokens to {} was refused: {}", length,
           length + 4 >= 70 ? "that is within rollback_depth = 4" : "the pool says TRUNCATE_ANY");
    const std::uint64_t now = is_done ? length : 70;
    expect(pool.seq_length(sequence, 0) == now, "after seq_truncate to {} the length is {}", length,
           pool.seq_length(sequence, 0));
    expect(pool.seq_reserve(sequence, next.size()), "seq_reserve after a truncate was refused");
    const Ids kept(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(now));
    loaded.expect_similar(fmt::format("70 tokens {} to {}, then 4 others",
                                      is_done ? "cut" : "refused to be cut", length),
                          loaded.go_on(sequence, next), loaded.control(kept, next));
    pool.seq_release(sequence);
  }
}

template <Memory kMemory>
void test_refused_truncate(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids ids = tokens(13, 70);
  const Ids next = tokens(14, 4);
  const Logits wanted = loaded.control(ids, next);
  const vernal_sequence_id sequence = loaded.fed(ids);
  std::int32_t status = VERNAL_OK;
  try {
    if (!pool.seq_truncate(sequence, 71)) status = VERNAL_NOT_RESTORABLE;
  } catch (const Error& error) {
    status = error.code();
  }
  expect(status != VERNAL_OK, "seq_truncate of 70 tokens to 71: expected a refusal, found OK");
  for (const std::uint64_t length : {1U, 20U, 50U}) {
    if (pool.seq_restorable(sequence, length) == length) continue;
    expect(!pool.seq_truncate(sequence, length),
           "seq_truncate did what seq_restorable does not offer");
  }
  expect(pool.seq_length(sequence, 0) == 70, "a refused seq_truncate changed the length to {}",
         pool.seq_length(sequence, 0));
  loaded.expect_same("a sequence whose truncate was refused", loaded.go_on(sequence, next), wanted);
}

// ---- 6: neighbours
// -------------------------------------------------------------------------------

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

// ---- 7: exhaustion
// -------------------------------------------------------------------------------

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

// ---- 8: what is free
// -----------------------------------------------------------------------------

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

// ---- a failed step
// -------------------------------------------------------------------------------

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

// ---- windows and rotation
// ------------------------------------------------------------------------

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

#define VERNAL_STATE_TESTS(what, expects, function)                                      \
  {"state." what "_full", expects, function<Memory::kFull>, kBackends, 0, 60},           \
      {"state." what "_window", expects, function<Memory::kWindow>, kBackends, 0, 60}, { \
    "state." what "_hybrid", expects, function<Memory::kHybrid>, kBackends, 1, 60        \
  }

constexpr Test kTests[] = {
    VERNAL_STATE_TESTS("chunks", "the same numbers however the tokens are cut into steps",
                       test_chunks),
    VERNAL_STATE_TESTS("fork", "going on with one side of a fork leaves the other as it is",
                       test_fork),
    VERNAL_STATE_TESTS("fork_earlier", "forks at earlier positions iff TRUNCATE_ANY",
                       test_fork_earlier),
    VERNAL_STATE_TESTS("restore", "a restored sequence is what it was at the checkpoint",
                       test_restore),
    VERNAL_STATE_TESTS("snapshot", "an import is the original; damage is refused", test_snapshot),
    VERNAL_STATE_TESTS("truncate", "a cut sequence goes on as if it had never been longer",
                       test_truncate),
    VERNAL_STATE_TESTS("refused_truncate", "a refused truncate changes nothing",
                       test_refused_truncate),
    VERNAL_STATE_TESTS("batch_mates", "other sequences of a step change nothing", test_batch_mates),
    VERNAL_STATE_TESTS("exhaustion", "after RESOURCE_EXHAUSTED what existed goes on",
                       test_exhaustion),
    VERNAL_STATE_TESTS("free", "what is free returns to where it began", test_free),
    VERNAL_STATE_TESTS("failed_step", "a failed step harms no other sequence", test_failed_step),
    {"state.rotation", "rotation of keys and values does not show in the result", test_rotation,
     kBackends},
};

#undef VERNAL_STATE_TESTS

}  // namespace

std::span<const Test> state_tests() { return kTests; }

}  // namespace vernal::check
