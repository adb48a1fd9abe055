// How two sides with different minors of the interface share a function table. A table of the other
// side is copied, up to the smaller of the two sizes. Every function that it lacks becomes a stub
// that answers VERNAL_UNIMPLEMENTED. The host does so with plugins' tables, and plugins do so with
// the host's.
#pragma once

#include <cstdint>
#include <cstring>

#include "vernal/abi/architecture.h"
#include "vernal/abi/backend.h"
#include "vernal/abi/frontend.h"
#include "vernal/abi/plugin.h"
#include "vernal/error.hpp"

namespace vernal {

/// Calls `f` with a reference to every function pointer of a table, in order.
template <class F>
void for_each_function(vernal_host_api& t, F&& f) {
  f(t.log), f(t.log_level), f(t.set_error), f(t.last_error), f(t.thread_role), f(t.now_ns);
  f(t.get_service), f(t.get_extension), f(t.report_fatal);
}
template <class F>
void for_each_function(vernal_plugin_api& t, F&& f) {
  f(t.init), f(t.shutdown), f(t.config_schema), f(t.get_kind), f(t.get_extension);
}
template <class F>
void for_each_function(vernal_config_api& t, F&& f) {
  f(t.get_bool), f(t.get_int), f(t.get_float), f(t.get_string), f(t.get_size), f(t.get_duration);
  f(t.list_size), f(t.list_string), f(t.list_int), f(t.name), f(t.origin);
}
template <class F>
void for_each_function(vernal_module_api& t, F&& f) {
  f(t.info), f(t.function), f(t.node), f(t.value), f(t.weight), f(t.state), f(t.dump);
}
template <class F>
void for_each_function(vernal_metadata_api& t, F&& f) {
  f(t.get_int), f(t.get_float), f(t.get_bool), f(t.get_string);
  f(t.array_size), f(t.array_int), f(t.array_float), f(t.tensor);
}
template <class F>
void for_each_function(vernal_builder_api& t, F&& f) {
  f(t.begin_function), f(t.end_function), f(t.push_scope), f(t.pop_scope), f(t.weight), f(t.state);
  f(t.add_op), f(t.value), f(t.hint);
}
template <class F>
void for_each_function(vernal_architecture_api& t, F&& f) {
  f(t.probe), f(t.describe), f(t.build), f(t.get_extension);
}
template <class F>
void for_each_function(vernal_backend_api& t, F&& f) {
  f(t.enumerate_devices), f(t.open), f(t.close), f(t.op_support), f(t.formats), f(t.plan);
  f(t.plan_info), f(t.plan_rows), f(t.plan_destroy), f(t.program_build), f(t.program_destroy);
  f(t.pool_create), f(t.pool_destroy), f(t.pool_info), f(t.seq_create), f(t.seq_release);
  f(t.seq_reserve), f(t.seq_length), f(t.seq_restorable), f(t.seq_truncate), f(t.seq_fork);
  f(t.seq_restore), f(t.checkpoint_create), f(t.checkpoint_info), f(t.checkpoint_release);
  f(t.snapshot_export), f(t.snapshot_import), f(t.step_submit), f(t.step_wait), f(t.step_poll);
  f(t.step_output), f(t.step_release), f(t.memory_report), f(t.stats), f(t.get_extension);
}
template <class F>
void for_each_function(vernal_engine_api& t, F&& f) {
  f(t.list_models), f(t.submit), f(t.poll_events), f(t.wait_events), f(t.cancel), f(t.release);
  f(t.stats), f(t.health), f(t.list_slots);
}
template <class F>
void for_each_function(vernal_text_api& t, F&& f) {
  f(t.tokenize), f(t.detokenize), f(t.apply_template), f(t.count), f(t.token_bytes), f(t.describe);
}
template <class F>
void for_each_function(vernal_console_api& t, F&& f) {
  f(t.is_terminal), f(t.descriptors), f(t.write), f(t.on_interrupt), f(t.finished);
}
template <class F>
void for_each_function(vernal_frontend_api& t, F&& f) {
  f(t.create), f(t.start), f(t.begin_drain), f(t.active), f(t.stop), f(t.destroy), f(t.info);
  f(t.get_extension), f(t.check);
}

/// The size of a table in interface 1.0. A smaller table is refused as corrupt.
template <class Table>
inline constexpr std::uint64_t kFloorSize = 0;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_host_api> = 80;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_plugin_api> = 48;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_config_api> = 96;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_module_api> = 64;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_metadata_api> = 72;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_builder_api> = 80;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_architecture_api> = 40;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_backend_api> = 288;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_engine_api> = 72;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_text_api> = 40;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_console_api> = 48;
template <>
inline constexpr std::uint64_t kFloorSize<vernal_frontend_api> = 72;

namespace detail {

template <class... Args>
std::int32_t unimplemented_stub(Args...) noexcept {
  return VERNAL_UNIMPLEMENTED;
}
template <class... Args>
void release_stub(Args...) noexcept {}

template <class... Args>
void fill(std::int32_t (*&function)(Args...)) noexcept {
  if (function == nullptr) function = &unimplemented_stub<Args...>;
}
template <class... Args>
void fill(void (*&function)(Args...)) noexcept {
  if (function == nullptr) function = &release_stub<Args...>;
}

}  // namespace detail

/// A copy of the other side's table in which every function can be called.
///   name    of the table, for the message
/// Errors  INCOMPATIBLE: null, smaller than in interface 1.0, or a size that is no multiple of 8
template <class Table>
Table adopt_table(const Table* theirs, const char* name) {
  static_assert(kFloorSize<Table> >= 16 && kFloorSize<Table> <= sizeof(Table));
  if (theirs == nullptr) throw Error(VERNAL_INCOMPATIBLE, std::string(name) + ": table is null");
  const std::uint64_t size = theirs->struct_size;
  if (size < kFloorSize<Table> || size % 8 != 0) {
    throw Error(VERNAL_INCOMPATIBLE, std::string(name) + ": struct_size expected at least " +
                                         std::to_string(kFloorSize<Table>) +
                                         " and a multiple of 8, found " + std::to_string(size));
  }
  Table mine{};
  std::memcpy(&mine, theirs, size < sizeof(Table) ? size : sizeof(Table));
  mine.struct_size = sizeof(Table);
  for_each_function(mine, [](auto& function) { detail::fill(function); });
  return mine;
}

/// Copies a result into the caller's struct, up to the struct_size that the caller has set.
template <class Struct>
void copy_out(const Struct& mine, Struct* theirs) noexcept {
  const std::uint64_t size = theirs->struct_size;
  Struct sized = mine;
  sized.struct_size = size;
  std::memcpy(theirs, &sized, size < sizeof(Struct) ? size : sizeof(Struct));
}

/// A copy of a struct from the other side. Members that an older side does not have are zero, and
/// so are all members if `theirs` is null.
template <class Struct>
Struct copy_in(const Struct* theirs) noexcept {
  Struct mine{};
  if (theirs != nullptr) {
    const std::uint64_t size = theirs->struct_size;
    std::memcpy(&mine, theirs, size < sizeof(Struct) ? size : sizeof(Struct));
  }
  mine.struct_size = sizeof(Struct);
  return mine;
}

/// A copy of element `index` of the other side's array, whose elements are `stride` bytes apart and
/// may have another size than ours.
template <class Struct>
Struct element_at(const Struct* array, std::uint64_t stride, std::uint64_t index) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(array) + index * stride;
  Struct mine{};
  std::memcpy(&mine, bytes, stride < sizeof(Struct) ? stride : sizeof(Struct));
  return mine;
}

}  // namespace vernal
