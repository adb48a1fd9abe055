// A GGUF model file, in one part or several: metadata and tensor directory, checked completely
// before anything is handed out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/gguf_metadata.hpp"
#include "model/gguf_split.hpp"
#include "model/mapped_file.hpp"
#include "vernal/block_types.hpp"

namespace vernal {

/// One tensor of the directory; views point into the file and live as long as the GgufFile.
struct GgufTensor {
  std::string_view name;  ///< as stored: any bytes, so print it through printable()
  std::array<std::uint64_t, 4>
      dims;               ///< GGUF order: dims[0] = columns (contiguous); 1 from `rank` on
  std::uint32_t rank;     ///< 1 to 4
  const BlockType* type;  ///< storage format; never null; static storage
  std::uint64_t offset;   ///< of the data, from the start of its part's data section
  std::uint32_t part;     ///< of a split model, from 0; else 0
  std::span<const std::byte> data;  ///< rows() rows of row_bytes() bytes, without gaps

  std::uint64_t columns() const noexcept { return dims[0]; }
  /// Product of the dimensions but the first. Cannot wrap: checked against the file's size.
  std::uint64_t rows() const noexcept { return dims[1] * dims[2] * dims[3]; }
  std::uint64_t num_elements() const noexcept { return columns() * rows(); }
  std::uint64_t row_bytes() const noexcept { return type->row_bytes(columns()); }
  std::uint64_t bytes() const noexcept { return data.size(); }
  /// Bytes of row `row` < rows().
  const std::byte* row(std::uint64_t row) const noexcept { return data.data() + row * row_bytes(); }
  /// "[896, 151936]"
  std::string shape_text() const;
};

/// GGUF versions 2 and 3, little-endian. The file is untrusted: every count, length, type,
/// dimension, offset and size is checked against the bytes that are there before it is used, so
/// nothing read through this class lies outside the file. Time is linear in the header (times log n
/// for the index of names), memory stays below four times the header. Tensor data is never touched.
/// Thread   any; immutable once opened.
class GgufFile {
 public:
  /// More entries or tensors than this are refused as damage: the largest known files have a few
  /// hundred keys and some ten thousand tensors.
  static constexpr std::uint64_t kMaxEntries = 1'000'000;
  static constexpr std::uint64_t kMaxTensors = 1'000'000;
  static constexpr std::uint64_t kMaxNameBytes = 65'535;
  static constexpr std::uint64_t kMaxAlignment = 1U << 20U;

  /// Maps `path` and checks header, metadata and tensor directory. The first part of a split model
  /// (gguf_split.hpp) opens the others too, which lie beside it: the object is the whole model.
  /// Errors   those of MappedFile::open, for each part;
  ///          VERNAL_INVALID_ARGUMENT: damaged, truncated or contradictory; the message names the
  ///          file and the byte offset, key or tensor; VERNAL_UNSUPPORTED: another version,
  ///          big-endian, or a tensor type that is not in the table of block types.
  static GgufFile open(const std::filesystem::path& path);

  /// One file, whole or a part, from bytes in memory, which must outlive the object; `name` is for
  /// messages. For the views of tensors to be aligned as in a file, `bytes` starts at a multiple of
  /// the alignment.
  static GgufFile parse(std::span<const std::byte> bytes, const std::string& name);

  const std::string& file_name() const noexcept { return file_name_; }
  std::uint32_t version() const noexcept { return version_; }
  std::uint64_t alignment() const noexcept { return alignment_; }
  /// Bytes before the padding that ends the header (magic, metadata, tensor directory).
  std::uint64_t header_bytes() const noexcept { return header_bytes_; }
  /// Where the data section starts; the tensors' offsets count from here.
  std::uint64_t data_start() const noexcept { return data_start_; }
  /// Of all parts.
  std::uint64_t file_bytes() const noexcept;
  std::uint64_t num_parts() const noexcept { return 1 + later_parts_.size(); }
  /// Part `number` of a split model, 0 being this object: for its name, metadata and data_start().
  /// Later parts have no tensors() of their own.
  const GgufFile& part(std::uint64_t number) const {
    return number == 0 ? *this : later_parts_.at(number - 1);
  }
  /// Sum of the tensors' data in all parts, without padding between them.
  std::uint64_t tensor_bytes() const noexcept { return tensor_bytes_; }

  const GgufMetadata& metadata() const noexcept { return metadata_; }

  /// All tensors in the file's order, part after part, but those without elements: a dimension of 0
  /// is legal, and there is nothing to read.
  std::span<const GgufTensor> tensors() const noexcept { return tensors_; }
  /// Tensors without elements, of all parts.
  std::uint64_t num_empty_tensors() const noexcept { return num_empty_tensors_; }
  /// The tensor of that name, or null. O(log n).
  const GgufTensor* find_tensor(std::string_view name) const noexcept;
  /// Errors   VERNAL_NOT_FOUND: no such tensor; the message names file and tensor.
  const GgufTensor& require_tensor(std::string_view name) const;

  /// Hints at how the data of `tensor` will be read. Nothing happens for bytes in memory.
  void advise(const GgufTensor& tensor, MappingAdvice advice) const noexcept;

 private:
  friend class GgufParser;
  explicit GgufFile(GgufMetadata metadata) : metadata_(std::move(metadata)) {}
  static GgufFile open_part(const std::filesystem::path& path);
  void join_parts(const std::filesystem::path& path, const GgufSplit& split);
  void index_tensors();

  std::string file_name_;
  std::optional<MappedFile> mapping_;  // absent for bytes in memory
  std::span<const std::byte> bytes_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = 0;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t data_start_ = 0;
  std::uint64_t tensor_bytes_ = 0;
  std::uint64_t num_empty_tensors_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<std::uint32_t> by_name_;  // positions in tensors_, sorted by name
  std::vector<GgufFile> later_parts_;   // without tensors: those are in tensors_
};

}  // namespace vernal
