// Reads everything that can be read of an opened GGUF file: for tests and fuzzing of damaged files.
#pragma once

#include <cstdint>

#include "model/gguf_file.hpp"

namespace vernal::test {

/// Looks at every value of the metadata in every way, every tensor by name, the first and last byte
/// of its data, and the floats of its first row where the format can be read. Returns something
/// that depends on all of it, so that no read is optimised away.
std::uint64_t walk_gguf(const GgufFile& file);

}  // namespace vernal::test
