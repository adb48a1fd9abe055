// What a process that serves holds in host memory beside the plans of its models.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "loading/resident_model.hpp"

namespace vernal {

/// Bytes of host memory. They are what this process itself has at the time: one that serves the same
/// deployment has the same program, libraries, plugins and vocabularies.
struct ProcessMemory {
  struct Text {
    std::string model;
    std::uint64_t bytes;  ///< of its vocabulary
  };
  std::vector<Text> texts;          ///< in the order of the models
  std::uint64_t program_bytes = 0;  ///< all else that is resident; 0: the system does not tell

  std::uint64_t total_bytes() const noexcept;
};

/// Reads the vocabularies of the models, gives memory that is free back to the system, and looks at what
/// is left. A vocabulary that is refused counts as none, since its model cannot be served. Control thread,
/// after build() of the models and before any of them is loaded.
ProcessMemory measure_process_memory(std::span<ResidentModel* const> models);

/// Gives memory that was freed back to the system, as far as the C library can.
void release_freed_memory() noexcept;

}  // namespace vernal
