// Faults that stay in the process: threads, descriptors, memory, settings, and slow obedience.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "zoo.hpp"

namespace zoo {
namespace {

void* sleep_on(void*) {
  while (true) ::pause();
}

void start_thread() {
  pthread_t thread{};
  ::pthread_create(&thread, nullptr, sleep_on, nullptr);
}

/// Takes memory that is never given back.
void hoard(std::size_t bytes) {
  static std::vector<std::string> hoarded;
  hoarded.emplace_back(bytes, 'x');
}

void entry_starts_thread(Tables&) { start_thread(); }

void thread_left(Tables& t) {
  t.backend.open = [](vernal_config_view config, vernal_backend** out) {
    start_thread();
    return sound().backend.open(config, out);
  };
}

void frontend_thread_left(Tables& t) {
  t.frontend.start = [](vernal_frontend* frontend) {
    start_thread();
    return sound().frontend.start(frontend);
  };
}

void descriptor_left(Tables& t) {
  t.backend.open = [](vernal_config_view config, vernal_backend** out) {
    static_cast<void>(::open("/dev/null", O_RDONLY));
    return sound().backend.open(config, out);
  };
}

void memory_grows(Tables& t) {
  t.backend.close = [](vernal_backend* backend) {
    hoard(32 * 1024);
    sound().backend.close(backend);
  };
}

void step_memory_grows(Tables& t) {
  t.backend.step_release = [](vernal_pool* pool, vernal_ticket ticket) {
    hoard(2048);
    return sound().backend.step_release(pool, ticket);
  };
}

void takes_signals(Tables& t) {
  t.backend.open = [](vernal_config_view config, vernal_backend** out) {
    ::signal(SIGTERM, [](int) {});
    return sound().backend.open(config, out);
  };
}

void slow_cancel(Tables& t) {
  t.backend.program_build = [](vernal_plan* plan, const vernal_weight_source* source,
                               const vernal_progress* progress, vernal_program** out) {
    static const vernal_progress* asked;
    static std::int32_t answer;
    asked = progress;
    answer = VERNAL_OK;
    const vernal_progress deaf{[](void*, std::uint64_t done, std::uint64_t total) {
                                 if (answer == VERNAL_OK && asked->report != nullptr) {
                                   answer = asked->report(asked->user, done, total);
                                 }
                                 return VERNAL_OK;
                               },
                               nullptr};
    const std::int32_t status = sound().backend.program_build(plan, source, &deaf, out);
    if (status != VERNAL_OK || answer == VERNAL_OK) return status;
    sound().backend.program_destroy(*out);
    *out = nullptr;
    return fail(answer, "the load was cancelled, and now it is whole");
  };
}

void loads_anyway(Tables& t) {
  t.backend.program_build = [](vernal_plan* plan, const vernal_weight_source* source,
                               const vernal_progress* progress, vernal_program** out) {
    const std::int32_t status = sound().backend.program_build(plan, source, progress, out);
    if (status == VERNAL_UNAVAILABLE) return fail(VERNAL_INTERNAL, "something went wrong");
    return status;
  };
}

void schema_without_help(Tables& t) {
  t.plugin.config_schema = [](std::uint32_t, const vernal_config_row** rows, std::uint64_t* count,
                              std::uint64_t* stride) -> std::int32_t {
    static vernal_config_row row{};
    row.struct_size = sizeof(row);
    row.path = {"speed", 5};
    row.type = VERNAL_CONFIG_INT;
    row.minimum = 1;
    *rows = &row;
    *count = 1;
    *stride = sizeof(row);
    return VERNAL_OK;
  };
}

}  // namespace

const std::map<std::string_view, Fault>& process_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"entry_starts_thread", entry_starts_thread},
      {"thread_left", thread_left},
      {"frontend_thread_left", frontend_thread_left},
      {"descriptor_left", descriptor_left},
      {"memory_grows", memory_grows},
      {"step_memory_grows", step_memory_grows},
      {"takes_signals", takes_signals},
      {"slow_cancel", slow_cancel},
      {"loads_anyway", loads_anyway},
      {"schema_without_help", schema_without_help},
  };
  return faults;
}

}  // namespace zoo
