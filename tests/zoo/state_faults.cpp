// Faults of sequences, checkpoints and what they share.
#include <set>

#include "zoo.hpp"

namespace zoo {
namespace {

void stale_sequence(Tables& t) {
  t.backend.seq_release = [](vernal_pool*, vernal_sequence_id) -> std::int32_t {
    return VERNAL_OK;
  };
}

void stale_checkpoint(Tables& t) {
  t.backend.checkpoint_release = [](vernal_pool*, vernal_checkpoint_id) -> std::int32_t {
    return VERNAL_OK;
  };
}

}  // namespace

const std::map<std::string_view, Fault>& state_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"stale_sequence", stale_sequence},
      {"stale_checkpoint", stale_checkpoint},
  };
  return faults;
}

}  // namespace zoo
