// How the core adopts a plugin's function table: vernal::adopt_table, and a check that no function
// of interface 1.0 is missing.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "vernal/tables.hpp"

namespace vernal::plugin {

/// Like vernal::adopt_table, but no function of interface 1.0 may be null: a plugin that cannot do
/// something answers with a status and a text.
///   where   begins the messages: file and plugin
///   name    of the table, for the messages
/// Errors    INCOMPATIBLE: the table is null, a function of 1.0 is null, or struct_size is below
/// that of
///           1.0 or no multiple of 8
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
