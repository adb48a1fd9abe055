// Group state, part three: checkpoints, and snapshots with their damage.
#include <cstring>

#include "plugin_check/finding.hpp"
#include "plugin_check/subject/loaded_model.hpp"
#include "vernal/host.hpp"

namespace vernal::check {
namespace {

// ---- checkpoints --------------------------------------------------------------------------------

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

// ---- snapshots ----------------------------------------------------------------------------------

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

constexpr Test kTests[] = {
    VERNAL_STATE_TESTS("restore", "a restored sequence is what it was at the checkpoint",
                       test_restore),
    VERNAL_STATE_TESTS("snapshot", "an import is the original; damage is refused", test_snapshot),
};

}  // namespace

std::span<const Test> state_copy_tests() { return kTests; }

}  // namespace vernal::check
