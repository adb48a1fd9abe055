// The C functions behind backend_plugin.hpp. Each turns handles into references and runs under
// guard().
#pragma once

#include "vernal/backend_plugin.hpp"
#include "vernal/detail/extension.hpp"

namespace vernal::detail {

template <class T>
T& object(void* handle, const char* what) {
  if (handle == nullptr)
    throw Error(VERNAL_INVALID_ARGUMENT, std::string(what) + " handle is null");
  return *static_cast<T*>(handle);
}
inline Backend& object(vernal_backend* h) {
  return object<Backend>(static_cast<void*>(h), "backend");
}
inline BackendPool& object(const vernal_pool* h) {
  return object<BackendPool>(const_cast<vernal_pool*>(h), "pool");
}
inline BackendProgram& object(vernal_program* h) {
  return object<BackendProgram>(static_cast<void*>(h), "program");
}
inline BackendPlan& object(const vernal_plan* h) {
  return object<BackendPlan>(const_cast<vernal_plan*>(h), "plan");
}

/// Gives a new object to the other side, which returns it through the matching destroy function.
template <class Handle, class T>
void hand_over(std::unique_ptr<T> made, Handle** out) {
  *out = reinterpret_cast<Handle*>(made.release());
}

inline PlanOptions read_options(const vernal_plan_options* source) {
  const vernal_plan_options o = copy_in(source);
  PlanOptions options;
  options.context_length = o.context_length;
  options.max_tokens_per_step = o.max_tokens_per_step;
  options.max_sequences = o.max_sequences;
  options.max_rows = o.max_rows;
  options.typical_decode_sequences = o.typical_decode_sequences;
  options.kv_tokens = o.kv_tokens;
  options.rollback_depth = o.rollback_depth;
  options.max_checkpoints = o.max_checkpoints;
  options.memory_limit_bytes = o.memory_limit_bytes;
  if (o.kv_keys_format.size != 0) options.kv_keys_format = view(o.kv_keys_format);
  if (o.kv_values_format.size != 0) options.kv_values_format = view(o.kv_values_format);
  if (o.recurrent_format.size != 0) options.recurrent_format = view(o.recurrent_format);
  for (std::uint64_t i = 0; i < o.num_host_weights; ++i) {
    options.host_weights.emplace_back(view(o.host_weights[i]));
  }
  options.kv_rotate = o.kv_rotate != 0;
  return options;
}

inline StepBatch read_batch(const vernal_step_batch* source) {
  const vernal_step_batch b = copy_in(source);
  StepBatch batch;
  batch.function = b.function;
  batch.num_tokens = b.num_tokens;
  batch.rows = {b.rows, b.num_rows};
  for (std::uint64_t i = 0; i < b.num_sequences; ++i) {
    const vernal_step_sequence s = element_at(b.sequences, b.sequence_stride, i);
    batch.sequences.push_back({s.sequence, s.start, s.count, s.first_position});
  }
  for (std::uint64_t i = 0; i < b.num_inputs; ++i) {
    batch.inputs.push_back(element_at(b.inputs, b.input_stride, i));
  }
  for (std::uint64_t i = 0; i < b.num_outputs; ++i) batch.outputs.push_back(view(b.outputs[i]));
  return batch;
}

inline void emit(const std::vector<MemoryRow>& rows, const vernal_memory_sink* sink) {
  for (const MemoryRow& row : rows) {
    vernal_memory_row out{sizeof(vernal_memory_row),
                          to_str(row.object),
                          to_str(row.device),
                          row.bytes,
                          row.peak_bytes,
                          row.category,
                          0};
    const std::int32_t status = sink->add(sink->user, &out);
    if (status != VERNAL_OK) throw Error(status, "the receiver of memory rows refused one");
  }
}

template <class T>
void emit_devices(const vernal_device_sink* sink) {
  for (const DeviceInfo& d : T::devices()) {
    const vernal_device_info out{sizeof(vernal_device_info),
                                 to_str(d.name),
                                 to_str(d.description),
                                 d.total_bytes,
                                 d.free_bytes,
                                 d.num_workers};
    const std::int32_t status = sink->add(sink->user, &out);
    if (status != VERNAL_OK) throw Error(status, "the receiver of devices refused one");
  }
}

inline void emit(const std::vector<FormatSupport>& formats, const vernal_format_sink* sink) {
  for (const FormatSupport& f : formats) {
    const vernal_format_row out{sizeof(vernal_format_row), to_str(f.format), to_str(f.note),
                                f.support, 0};
    const std::int32_t status = sink->add(sink->user, &out);
    if (status != VERNAL_OK) throw Error(status, "the receiver of formats refused one");
  }
}

/// Functions of the instance, the plan and the program.
template <class T>
constexpr void fill_build_functions(vernal_backend_api& t) {
  t.enumerate_devices = [](const vernal_device_sink* sink) noexcept -> std::int32_t {
    return guard([&] { emit_devices<T>(sink); });
  };
  t.open = [](vernal_config_view config, vernal_backend** out) noexcept -> std::int32_t {
    return guard([&] {
      std::unique_ptr<Backend> made = std::make_unique<T>(Config(config));
      hand_over(std::move(made), out);
    });
  };
  t.close = [](vernal_backend* b) noexcept { delete reinterpret_cast<Backend*>(b); };
  t.op_support = [](vernal_backend* b, vernal_module_ref ref, std::uint64_t function,
                    std::uint64_t node, vernal_op_support* out,
                    const vernal_sink* reason) noexcept -> std::int32_t {
    return guard([&] {
      const Module module = read_module(ref);
      const Function& f = module.functions.at(function);
      const auto why = object(b).unsupported_reason(module, f, f.nodes.at(node));
      copy_out(vernal_op_support{sizeof(vernal_op_support), 0, why ? 0u : 1u, 0}, out);
      if (why) write(reason, *why);
    });
  };
  t.formats = [](vernal_backend* b, const vernal_format_sink* sink) noexcept -> std::int32_t {
    return guard([&] { emit(object(b).formats(), sink); });
  };
  t.plan = [](vernal_backend* b, vernal_module_ref ref, const vernal_plan_options* options,
              vernal_plan** out) noexcept -> std::int32_t {
    return guard([&] {
      hand_over(
          object(b).plan(std::make_shared<const Module>(read_module(ref)), read_options(options)),
          out);
    });
  };
  t.plan_info = [](const vernal_plan* p, vernal_plan_info* out) noexcept -> std::int32_t {
    return guard([&] { copy_out(object(p).info(), out); });
  };
  t.plan_rows = [](const vernal_plan* p, const vernal_memory_sink* sink) noexcept -> std::int32_t {
    return guard([&] { emit(object(p).rows(), sink); });
  };
  t.plan_destroy = [](vernal_plan* p) noexcept { delete reinterpret_cast<BackendPlan*>(p); };
  t.program_build = [](vernal_plan* p, const vernal_weight_source* source,
                       const vernal_progress* progress,
                       vernal_program** out) noexcept -> std::int32_t {
    return guard(
        [&] { hand_over(object(p).build(WeightSource(source), Progress(progress)), out); });
  };
  t.program_destroy = [](vernal_program* p) noexcept {
    delete reinterpret_cast<BackendProgram*>(p);
  };
  t.memory_report = [](vernal_program* p, const vernal_memory_sink* sink) noexcept -> std::int32_t {
    return guard([&] { emit(object(p).memory_report(), sink); });
  };
  t.stats = [](vernal_program* p, vernal_step_stats* out) noexcept -> std::int32_t {
    return guard([&] { copy_out(object(p).stats(), out); });
  };
  t.get_extension = extension_of<T>;
}

/// Functions of the pool and its sequences.
constexpr void fill_state_functions(vernal_backend_api& t) {
  t.pool_create = [](vernal_program* p, vernal_pool** out) noexcept -> std::int32_t {
    return guard([&] { hand_over(object(p).create_pool(), out); });
  };
  t.pool_destroy = [](vernal_pool* p) noexcept { delete reinterpret_cast<BackendPool*>(p); };
  t.pool_info = [](const vernal_pool* p, vernal_pool_info* out) noexcept -> std::int32_t {
    return guard([&] { copy_out(object(p).info(), out); });
  };
  t.seq_create = [](vernal_pool* p, vernal_sequence_id* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).seq_create(); });
  };
  t.seq_release = [](vernal_pool* p, vernal_sequence_id s) noexcept -> std::int32_t {
    return guard([&] { object(p).seq_release(s); });
  };
  t.seq_reserve = [](vernal_pool* p, vernal_sequence_id s,
                     std::uint64_t n) noexcept -> std::int32_t {
    return guard([&] { object(p).seq_reserve(s, n); });
  };
  t.seq_length = [](vernal_pool* p, vernal_sequence_id s, std::uint64_t function,
                    std::uint64_t* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).seq_length(s, function); });
  };
  t.seq_restorable = [](vernal_pool* p, vernal_sequence_id s, std::uint64_t length,
                        std::uint64_t* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).seq_restorable(s, length); });
  };
  t.seq_truncate = [](vernal_pool* p, vernal_sequence_id s,
                      std::uint64_t length) noexcept -> std::int32_t {
    return guard([&] { object(p).seq_truncate(s, length); });
  };
  t.seq_fork = [](vernal_pool* p, vernal_sequence_id s, vernal_checkpoint_id c,
                  std::uint64_t position, vernal_sequence_id* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).seq_fork(s, c, position); });
  };
  t.seq_restore = [](vernal_pool* p, vernal_sequence_id s,
                     vernal_checkpoint_id c) noexcept -> std::int32_t {
    return guard([&] { object(p).seq_restore(s, c); });
  };
  t.checkpoint_create = [](vernal_pool* p, vernal_sequence_id s,
                           vernal_checkpoint_id* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).checkpoint_create(s); });
  };
  t.checkpoint_info = [](vernal_pool* p, vernal_checkpoint_id c,
                         vernal_checkpoint_info* out) noexcept -> std::int32_t {
    return guard([&] { copy_out(object(p).checkpoint_info(c), out); });
  };
  t.checkpoint_release = [](vernal_pool* p, vernal_checkpoint_id c) noexcept -> std::int32_t {
    return guard([&] { object(p).checkpoint_release(c); });
  };
  t.snapshot_export = [](vernal_pool* p, vernal_sequence_id s, vernal_checkpoint_id c,
                         const vernal_sink* sink) noexcept -> std::int32_t {
    return guard([&] { object(p).snapshot_export(s, c, sink); });
  };
  t.snapshot_import = [](vernal_pool* p, const vernal_reader* reader,
                         vernal_sequence_id* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).snapshot_import(reader); });
  };
}

/// Functions of steps.
constexpr void fill_step_functions(vernal_backend_api& t) {
  t.step_submit = [](vernal_pool* p, const vernal_step_batch* batch,
                     vernal_ticket* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).step_submit(read_batch(batch)); });
  };
  t.step_wait = [](vernal_pool* p, vernal_ticket ticket,
                   std::uint64_t timeout_ms) noexcept -> std::int32_t {
    return guard([&] {
      if (!object(p).step_wait(ticket, timeout_ms)) {
        throw Error(VERNAL_DEADLINE, "the step has not finished in time");
      }
    });
  };
  t.step_poll = [](vernal_pool* p, vernal_ticket ticket,
                   std::uint32_t* out) noexcept -> std::int32_t {
    return guard([&] { *out = object(p).step_poll(ticket) ? 1 : 0; });
  };
  t.step_output = [](vernal_pool* p, vernal_ticket ticket, vernal_str name,
                     vernal_step_output* out) noexcept -> std::int32_t {
    return guard([&] {
      const StepOutput o = object(p).step_output(ticket, view(name));
      copy_out(vernal_step_output{sizeof(vernal_step_output), o.data, o.rows, o.columns}, out);
    });
  };
  t.step_release = [](vernal_pool* p, vernal_ticket ticket) noexcept -> std::int32_t {
    return guard([&] { object(p).step_release(ticket); });
  };
}

}  // namespace vernal::detail

namespace vernal {

/// The function table of T, a class derived from Backend.
template <class T>
constexpr vernal_backend_api backend_table() {
  vernal_backend_api table{};
  table.struct_size = sizeof(vernal_backend_api);
  detail::fill_build_functions<T>(table);
  detail::fill_state_functions(table);
  detail::fill_step_functions(table);
  return table;
}

}  // namespace vernal
