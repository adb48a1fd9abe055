#include "plugin_check/subject/loaded_model.hpp"

#include <algorithm>
#include <cstring>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"

namespace vernal::check {

Loaded::Loaded(const Options& options, Memory memory, const PlanOptions& plan)
    : plugin_(options),
      backend_(open_backend(plugin_)),
      made_(make_tiny_model(memory)),
      session_(backend_, made_, plan) {}

vernal_sequence_id Loaded::fed(const Ids& ids) {
  const vernal_sequence_id sequence = session_.start(kRoom);
  feed(session_, sequence, ids, 0);
  return sequence;
}

Logits Loaded::go_on(vernal_sequence_id sequence, const Ids& ids) {
  return feed(session_, sequence, ids, pool().seq_length(sequence, 0));
}

Logits Loaded::control(const Ids& before, const Ids& next) {
  const vernal_sequence_id sequence = fed(before);
  Logits logits = go_on(sequence, next);
  pool().seq_release(sequence);
  return logits;
}

void Loaded::expect_same(const std::string& what, const Logits& found, const Logits& wanted) {
  constexpr double kRounding = 1e-6;
  const bool is_exact = session_.has_flag(VERNAL_POOL_BATCH_INVARIANT);
  if (!is_exact) return expect_close(what, found, wanted, kVocabulary, kRounding);
  expect(found.size() == wanted.size() &&
             std::memcmp(found.data(), wanted.data(), wanted.size() * sizeof(float)) == 0,
         "{}: expected the same bits, found others (NMSE {:.1e})", what, nmse(found, wanted));
}

void Loaded::expect_equal_chunks(const std::string& what, const Logits& found,
                                 const Logits& wanted) {
  if (session_.has_flag(VERNAL_POOL_CHUNK_INVARIANT)) {
    expect_same(what, found, wanted);
  } else {
    expect_similar(what, found, wanted);
  }
}

void Loaded::expect_similar(const std::string& what, const Logits& found, const Logits& wanted) {
  const std::uint32_t element = session_.plan().info().activation_element;
  constexpr double kBounds[] = {1e-4, 1e-3, 1e-2};
  expect_close(what, found, wanted, kVocabulary, kBounds[std::min<std::uint32_t>(element, 2)]);
}

Ids concat(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace vernal::check
