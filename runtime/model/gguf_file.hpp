// A GGUF model file, in one part or several: its metadata and its tensor directory. Everything is
// checked before anything is returned.
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

/// One tensor of the directory. Views point into the file and live as long as the GgufFile.
struct GgufTensor {
  std::string_view name;  ///< as stored: any bytes, so print it through printable()
  /// In GGUF's order: dims[0] are the columns, which are contiguous. 1 from `rank` on.
  std::array<std::uint64_t, 4> dims;
  std::uint32_t rank;               ///< 1 to 4
  const BlockType* type;            ///< storage format; never null; static storage
  std::uint64_t offset;             ///< bytes, from the start of the data section of its part
  std::uint32_t part;               ///< number of its part, from 0; 0 in a file that is whole
  std::span<const std::byte> data;  ///< rows() rows of row_bytes() bytes, without gaps

  std::uint64_t columns() const noexcept { return dims[0]; }
  /// The product of all dimensions but the first. It cannot overflow, because it was checked
  /// against the file's size.
  std::uint64_t rows() const noexcept { return dims[1] * dims[2] * dims[3]; }
  std::uint64_t num_elements() const noexcept { return columns() * rows(); }
  std::uint64_t row_bytes() const noexcept { return type->row_bytes(columns()); }
  std::uint64_t bytes() const noexcept { return data.size(); }
  /// The bytes of row `row`, which is below rows().
  const std::byte* row(std::uint64_t row) const noexcept { return data.data() + row * row_bytes(); }
  /// "[896, 151936]"
  std::string shape_text() const;
};

/// GGUF of versions 2 and 3, little-endian. The file is not trusted: every count, length, type,
/// dimension, offset and size is checked against the bytes of the file before it is used. So
/// nothing that is read through this class lies outside the file. Opening takes time n log n for a
/// header of n bytes, and less than four times its memory. It never reads the data of tensors.
/// Thread   any; immutable once opened
class GgufFile {
 public:
  /// A file with more entries or tensors is refused as damaged. The largest known files have a few
  /// hundred keys and some ten thousand tensors.
  static constexpr std::uint64_t kMaxEntries = 1'000'000;
  static constexpr std::uint64_t kMaxTensors = 1'000'000;
  static constexpr std::uint64_t kMaxNameBytes = 65'535;
  static constexpr std::uint64_t kMaxAlignment = 1U << 20U;

  /// Maps `path` and checks the header, the metadata and the tensor directory. If `path` is the
  /// first part of a split model (gguf_split.hpp), the other parts are opened too, from the same
  /// folder; the object is then the whole model.
  /// Errors   those of MappedFile::open, for each part
  ///          VERNAL_INVALID_ARGUMENT: damaged, truncated or contradictory; the message names the
  ///          file and the byte offset, key or tensor
  ///          VERNAL_UNSUPPORTED: another version, big-endian, or a tensor type that is not in the
  ///          table of block types
  static GgufFile open(const std::filesystem::path& path);

  /// Reads one file, whole or a part, from memory.
  ///   bytes   must outlive the object; if it starts at a multiple of the alignment, the data of
  ///           tensors is aligned as in a file
  ///   name    for messages
  static GgufFile parse(std::span<const std::byte> bytes, const std::string& name);

  const std::string& file_name() const noexcept { return file_name_; }
  std::uint32_t version() const noexcept { return version_; }
  std::uint64_t alignment() const noexcept { return alignment_; }
  /// Bytes of magic, counts, metadata and tensor directory, without the padding that follows.
  std::uint64_t header_bytes() const noexcept { return header_bytes_; }
  /// The byte of the file where the data section starts. Offsets of tensors count from there.
  std::uint64_t data_start() const noexcept { return data_start_; }
  /// The bytes of all parts.
  std::uint64_t file_bytes() const noexcept;
  std::uint64_t num_parts() const noexcept { return 1 + later_parts_.size(); }
  /// Part `number` of a split model; part 0 is this object. Use it for file_name(), metadata() and
  /// data_start(): later parts have no tensors() of their own.
  const GgufFile& part(std::uint64_t number) const {
    return number == 0 ? *this : later_parts_.at(number - 1);
  }
  /// The bytes of the data of all tensors in all parts, without padding.
  std::uint64_t tensor_bytes() const noexcept { return tensor_bytes_; }

  const GgufMetadata& metadata() const noexcept { return metadata_; }

  /// All tensors that have elements, in the file's order, one part after another. A tensor with a
  /// dimension of 0 is legal and left out: there is nothing to read.
  std::span<const GgufTensor> tensors() const noexcept { return tensors_; }
  /// How many tensors without elements were left out, in all parts.
  std::uint64_t num_empty_tensors() const noexcept { return num_empty_tensors_; }
  /// The tensor of that name, or null. Takes time log n.
  const GgufTensor* find_tensor(std::string_view name) const noexcept;
  /// The tensor of that name.
  /// Errors   VERNAL_NOT_FOUND: no such tensor; the message names the file and the tensor
  const GgufTensor& require_tensor(std::string_view name) const;

  /// Tells the system how the data of `tensor` will be read. Does nothing for bytes in memory.
  void advise(const GgufTensor& tensor, MappingAdvice advice) const noexcept;
  /// The same for a part of its data.
  void advise(const GgufTensor& tensor, std::span<const std::byte> part,
              MappingAdvice advice) const noexcept;
  /// The same for everything that the file holds, metadata included.
  void advise_all(MappingAdvice advice) const noexcept;

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
  std::vector<GgufFile> later_parts_;   // their tensors were moved to tensors_
};

}  // namespace vernal
