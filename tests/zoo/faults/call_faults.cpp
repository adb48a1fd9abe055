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

void any_kind(Tables& t) {
  static std::int32_t (*get_kind)(std::uint32_t, const void**);
  get_kind = t.plugin.get_kind;
  t.plugin.get_kind = [](std::uint32_t kind, const void** out) {
    return get_kind(kind == 77 ? VERNAL_KIND_BACKEND : kind, out);
  };
}

void wants_init_first(Tables& t) {
  static bool is_ready;
  is_ready = false;
  t.plugin.init = [] {
    is_ready = true;
    return sound().plugin.init();
  };
  t.plugin.config_schema = [](std::uint32_t kind, const vernal_config_row** rows,
                              std::uint64_t* count, std::uint64_t* stride) {
    if (!is_ready) return fail(VERNAL_UNAVAILABLE, "init was not called");
    return sound().plugin.config_schema(kind, rows, count, stride);
  };
}

/// Takes the place of a step for its ticket, whoever sits there now.
void forgets_generations(Tables& t) {
  static vernal_ticket newest;
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    const std::int32_t status = sound().backend.step_submit(pool, batch, out);
    if (status == VERNAL_OK) newest = *out;
    return status;
  };
  t.backend.step_output = [](vernal_pool* pool, vernal_ticket, vernal_str name,
                             vernal_step_output* out) {
    return sound().backend.step_output(pool, newest, name, out);
  };
}

void truncates_to_anything(Tables& t) {
  t.backend.seq_truncate = [](vernal_pool* pool, vernal_sequence_id sequence,
                              std::uint64_t length) -> std::int32_t {
    const std::int32_t status = sound().backend.seq_truncate(pool, sequence, length);
    return status == VERNAL_INVALID_ARGUMENT ? VERNAL_OK : status;
  };
}

void allocates_twice(Tables& t) {
  t.backend.memory_report = [](vernal_program* program, const vernal_memory_sink* sink) {
    sound().backend.memory_report(program, sink);
    return sound().backend.memory_report(program, sink);
  };
}

void claims_no_format(Tables& t) {
  t.backend.formats = [](vernal_backend*, const vernal_format_sink*) -> std::int32_t {
    return VERNAL_OK;
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
      {"any_kind", any_kind},
      {"wants_init_first", wants_init_first},
      {"forgets_generations", forgets_generations},
      {"truncates_to_anything", truncates_to_anything},
      {"allocates_twice", allocates_twice},
      {"claims_no_format", claims_no_format},
  };
  return faults;
}

}  // namespace zoo
