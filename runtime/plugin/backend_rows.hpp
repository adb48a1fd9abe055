// What backends tell through sinks and extensions, as C++: shared by the clients of this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/backend_types.hpp"
#include "vernal/host.hpp"
#include "vernal/tables.hpp"

namespace vernal::plugin {

// A sink function: converts each row and appends it to the std::vector<Value> that `user` points
// to.
template <class Value, class Row, Value (*Convert)(const Row&)>
std::int32_t append_row(void* user, const Row* row) noexcept {
  return guard([&] { static_cast<std::vector<Value>*>(user)->push_back(Convert(copy_in(row))); });
}

inline MemoryRow memory_row(const vernal_memory_row& row) {
  return {std::string(view(row.object)), std::string(view(row.device)), row.category, row.bytes,
          row.peak_bytes};
}

/// The table of an extension of a backend; null if it has none, or one that is shorter.
template <class Table>
const Table* find_extension(const vernal_backend_api& api, std::string_view id) {
  const void* found = nullptr;
  if (api.get_extension(to_str(id), &found) != VERNAL_OK || found == nullptr) return nullptr;
  const auto* table = static_cast<const Table*>(found);
  return table->struct_size < sizeof(Table) ? nullptr : table;
}

/// A copy of it.
template <class Table>
std::optional<Table> extension_table(const vernal_backend_api& api, std::string_view id) {
  const Table* const table = find_extension<Table>(api, id);
  return table != nullptr ? std::optional(*table) : std::nullopt;
}

}  // namespace vernal::plugin
