// Writes GGUF files of any size. The header is made in memory; the data of tensors is written as it
// comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_metadata.hpp"
#include "vernal/block_types.hpp"

namespace vernal {

/// One metadata value as it is stored in a file, without its key.
struct GgufValue {
  GgufKind kind;          ///< kArray for arrays
  GgufKind element_kind;  ///< of an array's elements; equals `kind` for everything else
  std::uint64_t num_elements;
  std::string bytes;  ///< the elements; before each string its length as u64

  static GgufValue u32(std::uint32_t value);
  static GgufValue f32(double value);
  static GgufValue boolean(bool value);
  static GgufValue text(std::string_view value);
  static GgufValue i32s(std::span<const std::int64_t> values);
  static GgufValue f32s(std::span<const double> values);
  static GgufValue texts(std::span<const std::string_view> values);
  /// The value of an entry of another file, byte for byte.
  static GgufValue copy_of(const GgufEntry& entry);
};

/// A file that is being written: first entries and tensors, then the data of the tensors in the
/// same order.
///   GgufFileWriter writer("out.gguf");
///   writer.add("general.architecture", GgufValue::text("invented"));
///   writer.add_tensor("x", {256, 4}, type);
///   writer.begin_data();
///   writer.write(rows);  // as often as it takes
///   writer.finish();
/// The bytes go to PATH.partial. finish() renames it to PATH; without finish() it is removed.
/// The file has version 3 and alignment 32.
/// Thread   one at a time
/// Errors   VERNAL_INVALID_ARGUMENT: the path cannot be written
///          VERNAL_RESOURCE_EXHAUSTED: a write failed
///          The message names the path and the system's reason.
class GgufFileWriter {
 public:
  static constexpr std::uint64_t kAlignment = 32;

  /// Opens PATH.partial for writing.
  explicit GgufFileWriter(std::filesystem::path path);
  ~GgufFileWriter();
  GgufFileWriter(const GgufFileWriter&) = delete;
  GgufFileWriter& operator=(const GgufFileWriter&) = delete;

  /// Adds a metadata entry. Copies both arguments.
  void add(std::string_view key, const GgufValue& value);
  /// Adds a tensor to the directory.
  ///   dims   in GGUF's order, columns first; 1 to 4 of them
  ///   type   accepts the columns: type.accepts_columns(dims[0])
  void add_tensor(std::string_view name, std::span<const std::uint64_t> dims,
                  const BlockType& type);

  /// Ends the header and writes it.
  void begin_data();
  /// Writes the next bytes of the data, at most to the end of the current tensor. The writer adds
  /// the padding between tensors.
  /// Errors   VERNAL_INVALID_ARGUMENT: the tensor has fewer bytes left
  void write(std::span<const std::byte> bytes);
  /// Ends the file and gives it its name.
  /// Errors   VERNAL_INVALID_ARGUMENT: bytes of a tensor are missing
  void finish();
  /// Ends the file after begin_data() with a hole in place of the data: zeros that take no room on
  /// most file systems.
  void finish_with_hole();

 private:
  void close();
  void rename();
  void put(std::string_view bytes);
  void pad();

  std::filesystem::path path_;
  std::filesystem::path partial_;
  std::ofstream out_;
  std::string entries_;
  std::string directory_;
  std::uint64_t num_entries_ = 0;
  std::vector<std::uint64_t> tensor_bytes_;
  std::uint64_t data_bytes_ = 0;  // of all tensors that were added, with padding
  std::size_t current_ = 0;       // the tensor that is being written
  std::uint64_t written_ = 0;     // bytes of it that are written
  std::uint64_t position_ = 0;    // in the file
};

}  // namespace vernal
