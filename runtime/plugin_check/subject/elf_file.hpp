// What the linker made of a plugin: its dynamic section and symbols, read from the file alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vernal::check {

struct ElfFile {
  std::vector<std::string> exports;         ///< defined symbols that others can see
  std::vector<std::string> unique_symbols;  ///< those that every library of a process shares
  std::vector<std::string> needed;          ///< libraries
  std::string run_path;                     ///< RPATH or RUNPATH
  std::uint64_t flags = 0;                  ///< DT_FLAGS
  std::uint64_t flags_1 = 0;                ///< DT_FLAGS_1
  bool has_text_relocations = false;
  bool has_relro = false;
  bool has_bind_now = false;
  bool has_executable_stack = true;  ///< also if the file does not say
};

/// Reads a shared object of 64 bits, little-endian. Every offset is checked against the file.
/// Errors  INCOMPATIBLE: the file is no shared object, or is cut off.
ElfFile read_elf(const std::filesystem::path& file);

}  // namespace vernal::check
