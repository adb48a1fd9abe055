// Adoption of a plugin's function table by the core: copy and stub, and no holes in what 1.0
// demands.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "vernal/tables.hpp"

namespace vernal::plugin {

/// As vernal::adopt_table, but a function that every plugin has since interface 1.0 must not be
/// null: a plugin that cannot do a thing says so by a status and a text. `where` begins messages:
/// file and plugin.
/// Errors  INCOMPATIBLE: null table, struct_size below 1.0's or no multiple of 8, a null function.
template <class Table>
Table adopt_plugin_table(const Table* theirs, const std::string& where, const char* name) {
  try {
    const Table adopted = adopt_table(theirs, name);
    for (std::uint64_t offset = sizeof(std::uint64_t); offset < kFloorSize<Table>;
         offset += sizeof(void*)) {
      void* function = nullptr;
      std::memcpy(&function, reinterpret_cast<const char*>(theirs) + offset, sizeof(function));
      if (function != nullptr) continue;
      throw Error(VERNAL_INCOMPATIBLE,
                  fmt::format("{}: function at offset {} expected, found null", name, offset));
    }
    return adopted;
  } catch (const Error& error) {
    throw Error(VERNAL_INCOMPATIBLE, fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace vernal::plugin
