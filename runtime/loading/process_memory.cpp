#include "loading/process_memory.hpp"

#include <malloc.h>

#include "loading/host_memory.hpp"
#include "vernal/error.hpp"

namespace vernal {

std::uint64_t ProcessMemory::total_bytes() const noexcept {
  std::uint64_t sum = program_bytes;
  for (const Text& text : texts) sum += text.bytes;
  return sum;
}

ProcessMemory measure_process_memory(std::span<ResidentModel* const> models) {
  ProcessMemory out;
  std::uint64_t num_text_bytes = 0;
  for (ResidentModel* model : models) {
    try {
      model->read_text();
    } catch (const Error&) {
      continue;  // `vernal check` says why
    }
    model->file().advise_all(MappingAdvice::kNotNeeded);
    out.texts.push_back({model->settings().name, model->text_bytes()});
    num_text_bytes += out.texts.back().bytes;
  }
  release_freed_memory();
  const std::uint64_t resident = read_host_memory().resident_bytes;
  out.program_bytes = resident > num_text_bytes ? resident - num_text_bytes : 0;
  return out;
}

void release_freed_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace vernal
