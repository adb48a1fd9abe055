// Any bytes are either refused as a GGUF file with vernal::Error or can be read completely.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "model/gguf_file.hpp"
#include "support/gguf_walk.hpp"
#include "vernal/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  std::optional<vernal::GgufFile> file;
  try {
    file = vernal::GgufFile::parse(bytes, "fuzz.gguf");
  } catch (const vernal::Error&) {
    return 0;
  }
  vernal::test::walk_gguf(*file);  // whatever this throws is a finding
  return 0;
}
