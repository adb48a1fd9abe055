// Reads everything that an open GGUF file has, for tests and fuzzing of damaged files.
#pragma once

#include <cstdint>

#include "model/gguf_file.hpp"

namespace vernal::test {

/// Reads every value of the metadata in every way, finds every tensor by name, and reads the first
/// and the last byte of its data and, if the format has a reader, the floats of its first row. The
/// result depends on everything that is read, so that a compiler removes no read.
std::uint64_t walk_gguf(const GgufFile& file);

}  // namespace vernal::test
