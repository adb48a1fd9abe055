// Faults of single calls.
#include <unistd.h>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "zoo.hpp"

namespace zoo {
namespace {

void throw_it() { throw std::runtime_error("thrown on purpose"); }

void throws_open(Tables& t) {
  t.backend.open = [](vernal_config_view, vernal_backend**) -> std::int32_t {
    throw_it();
    return VERNAL_OK;
  };
}
void throws_plan(Tables& t) {
  t.backend.plan = [](vernal_backend*, vernal_module_ref, const vernal_plan_options*,
                      vernal_plan**) -> std::int32_t {
    throw_it();
    return VERNAL_OK;
  };
}
void throws_build(Tables& t) {
  t.backend.program_build = [](vernal_plan*, const vernal_weight_source*, const vernal_progress*,
                               vernal_program**) -> std::int32_t {
    throw_it();
    return VERNAL_OK;
  };
}
void throws_sequence(Tables& t) {
  t.backend.seq_restorable = [](vernal_pool*, vernal_sequence_id, std::uint64_t,
                                std::uint64_t*) -> std::int32_t {
    throw_it();
    return VERNAL_OK;
  };
}
void throws_step(Tables& t) {
  t.backend.step_wait = [](vernal_pool*, vernal_ticket, std::uint64_t) -> std::int32_t {
    throw_it();
    return VERNAL_OK;
  };
}
void exits_in_step(Tables& t) {
  t.backend.step_wait = [](vernal_pool*, vernal_ticket, std::uint64_t) -> std::int32_t {
    ::_exit(0);
  };
}
void hangs_in_step(Tables& t) {
  t.backend.step_wait = [](vernal_pool*, vernal_ticket, std::uint64_t) -> std::int32_t {
    while (true) ::pause();
  };
}

void trusts_handles(Tables& t) {
  t.backend.seq_length = [](vernal_pool* pool, vernal_sequence_id sequence, std::uint64_t function,
                            std::uint64_t* out) -> std::int32_t {
    volatile const char first = *reinterpret_cast<const volatile char*>(pool);
    static_cast<void>(first);
    return sound().backend.seq_length(pool, sequence, function, out);
  };
}

void errors_without_text(Tables& t) {
  t.backend.seq_length = [](vernal_pool* pool, vernal_sequence_id sequence, std::uint64_t function,
                            std::uint64_t* out) -> std::int32_t {
    const std::int32_t status = sound().backend.seq_length(pool, sequence, function, out);
    fail(VERNAL_OK, "");
    return status;
  };
}

void ignores_sinks(Tables& t) {
  t.backend.formats = [](vernal_backend* backend, const vernal_format_sink* sink) -> std::int32_t {
    sound().backend.formats(backend, sink);
    return VERNAL_OK;
  };
}

void trusts_token_ids(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) -> std::int32_t {
    const auto* ids = static_cast<const std::int32_t*>(batch->inputs[0].data);
    // What an unchecked table look-up does with a large index.
    volatile char* far = nullptr;
    for (std::uint64_t i = 0; i < batch->num_tokens; ++i) {
      if (ids[i] > 1'000'000) far[ids[i]] = 1;
    }
    return sound().backend.step_submit(pool, batch, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& call_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"throws_open", throws_open},
      {"throws_plan", throws_plan},
      {"throws_build", throws_build},
      {"throws_sequence", throws_sequence},
      {"throws_step", throws_step},
      {"exits_in_step", exits_in_step},
      {"hangs_in_step", hangs_in_step},
      {"trusts_handles", trusts_handles},
      {"errors_without_text", errors_without_text},
      {"ignores_sinks", ignores_sinks},
      {"trusts_token_ids", trusts_token_ids},
  };
  return faults;
}

}  // namespace zoo
