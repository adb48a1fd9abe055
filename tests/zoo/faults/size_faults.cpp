// Faults of tables and structs: their sizes, and what lies behind them.
#include <cstring>

#include "zoo.hpp"

namespace zoo {
namespace {

void size_zero(Tables& t) { t.backend.struct_size = 0; }
void size_odd(Tables& t) { t.backend.struct_size += 1; }
void size_beyond(Tables& t) { t.backend.struct_size = UINT64_MAX - 7; }
void null_function(Tables& t) { t.backend.seq_truncate = nullptr; }

void writes_past_size(Tables& t) {
  t.backend.pool_info = [](const vernal_pool* pool, vernal_pool_info* out) -> std::int32_t {
    vernal_pool_info whole{};
    whole.struct_size = sizeof(whole);
    const std::int32_t status = sound().backend.pool_info(pool, &whole);
    whole.struct_size = out->struct_size;
    std::memcpy(out, &whole, sizeof(whole));
    return status;
  };
}

/// Takes the caller's struct for as long as its own.
void reads_past_size(Tables& t) {
  t.backend.pool_info = [](const vernal_pool* pool, vernal_pool_info* out) -> std::int32_t {
    vernal_pool_info whole = *out;
    whole.struct_size = sizeof(whole);
    const std::int32_t status = sound().backend.pool_info(pool, &whole);
    vernal::copy_out(whole, out);
    return status;
  };
}

void ignores_stride(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) -> std::int32_t {
    vernal_step_batch mine = vernal::copy_in(batch);
    mine.input_stride = sizeof(vernal_step_input);
    return sound().backend.step_submit(pool, &mine, out);
  };
}

// ---- plugins of a later minor that look for what only a later host has

/// Reads the first function that a later minor would append.
template <class Table>
void look_behind(const Table* theirs) {
  const auto* words = reinterpret_cast<const volatile std::uint64_t*>(theirs);
  const std::uint64_t next = words[sizeof(Table) / sizeof(std::uint64_t)];
  static_cast<void>(next);
}

void trusts_host_table(Tables&) { look_behind(host_table()); }

void trusts_module_table(Tables& t) {
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) -> std::int32_t {
    look_behind(module.api);
    return sound().backend.plan(backend, module, options, out);
  };
}

void trusts_batch(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) -> std::int32_t {
    look_behind(batch);
    return sound().backend.step_submit(pool, batch, out);
  };
}

/// Goes on with the functions of the table it saw first, whatever it is given later.
void takes_cut_tables(Tables& t) {
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) -> std::int32_t {
    static const vernal_module_api kFirst = *module.api;
    return sound().backend.plan(backend, {&kFirst, module.module}, options, out);
  };
}

void trusts_builder_table(Tables& t) {
  t.architecture.build = [](vernal_metadata_ref metadata, const vernal_build_options* options,
                            vernal_builder_ref builder) -> std::int32_t {
    look_behind(builder.api);
    return sound().architecture.build(metadata, options, builder);
  };
}

void trusts_services(Tables& t) {
  t.frontend.create = [](vernal_config_view config, vernal_frontend** out) -> std::int32_t {
    look_behind(static_cast<const vernal_engine_api*>(service_table(VERNAL_SERVICE_ENGINE)));
    return sound().frontend.create(config, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& size_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"size_zero", size_zero},
      {"size_odd", size_odd},
      {"size_beyond", size_beyond},
      {"null_function", null_function},
      {"writes_past_size", writes_past_size},
      {"reads_past_size", reads_past_size},
      {"ignores_stride", ignores_stride},
      {"trusts_host_table", trusts_host_table},
      {"trusts_module_table", trusts_module_table},
      {"trusts_batch", trusts_batch},
      {"takes_cut_tables", takes_cut_tables},
      {"trusts_builder_table", trusts_builder_table},
      {"trusts_services", trusts_services},
  };
  return faults;
}

}  // namespace zoo
