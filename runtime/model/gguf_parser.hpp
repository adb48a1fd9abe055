// From untrusted bytes to the checked directory that GgufFile hands out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/gguf_cursor.hpp"
#include "model/gguf_file.hpp"
#include "model/gguf_metadata.hpp"

namespace vernal {

/// Reads a GGUF header once, in the file's order: magic, version, counts, metadata entries, tensor
/// directory. The bytes that remain are the data section. For one use, on one thread.
class GgufParser {
 public:
  /// `bytes` and `file_name` must outlive the parser, and `bytes` the result too.
  GgufParser(std::span<const std::byte> bytes, const std::string& file_name)
      : bytes_(bytes), file_name_(file_name), cursor_(bytes, file_name) {}

  /// Errors   those of GgufFile::open that concern the bytes
  GgufFile parse();

 private:
  void check_magic_and_version();
  /// Reads a count of things, each of which takes at least `least_bytes` bytes of the file. Refuses
  /// a count above `limit`, and one for which too few bytes are left.
  std::uint64_t read_count(std::string_view field, std::uint64_t least_bytes, std::uint64_t limit);
  void check_count(std::uint64_t offset, std::string_view field, std::uint64_t count,
                   std::uint64_t least_bytes) const;
  std::string_view read_name();

  std::vector<GgufEntry> read_entries(std::uint64_t count);
  GgufEntry read_entry();
  GgufKind read_kind(std::string_view field);
  void read_value(GgufEntry& entry);
  void check_bools(const GgufEntry& entry, std::uint64_t offset) const;

  std::uint64_t alignment_of(const GgufMetadata& metadata) const;

  std::vector<GgufTensor> read_tensors(std::uint64_t count);
  GgufTensor read_tensor();
  void read_shape(GgufTensor& tensor);
  void read_type(GgufTensor& tensor);
  std::uint64_t tensor_bytes(const GgufTensor& tensor) const;

  void place_data(GgufFile& file) const;
  void place_tensor(GgufTensor& tensor, const GgufFile& file) const;
  void check_overlaps(const std::vector<GgufTensor>& tensors) const;
  [[noreturn]] void refuse_tensor(const GgufTensor& tensor, std::string_view finding) const;

  std::span<const std::byte> bytes_;
  const std::string& file_name_;
  GgufCursor cursor_;
  std::uint32_t version_ = 0;
};

}  // namespace vernal
