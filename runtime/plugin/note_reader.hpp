// Reads one ELF note of a shared object without opening it as code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::plugin {

/// The descriptor of the first note of `owner` and `type` in the program headers of an ELF64 shared
/// object, without the NUL bytes at its end. Nothing if there is no such note.
///
/// Every offset and size is checked before it is used. All loadable segments must lie in the file:
/// the linker would crash on a file that is cut off.
/// Errors  NOT_FOUND: no such file
///         INCOMPATIBLE: not a regular file, not an ELF64 little-endian shared object for this
///         machine, truncated, or with a table larger than any plugin needs
/// Thread  any
std::optional<std::string> read_note(const std::filesystem::path& file, std::string_view owner,
                                     std::uint32_t type);

}  // namespace vernal::plugin
