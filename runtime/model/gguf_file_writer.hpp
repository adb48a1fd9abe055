// Writes GGUF files of any size: the header is made in memory, the tensors' data streams through.
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

/// One metadata value as it stands in a file, without its key.
struct GgufValue {
  GgufKind kind;          ///< kArray for arrays
  GgufKind element_kind;  ///< of an array's elements; equals `kind` for everything else
  std::uint64_t num_elements;
  std::string bytes;  ///< the elements, each string behind its u64 length

  static GgufValue u32(std::uint32_t value);
  static GgufValue f32(double value);
  static GgufValue boolean(bool value);
  static GgufValue text(std::string_view value);
  static GgufValue i32s(std::span<const std::int64_t> values);
  static GgufValue f32s(std::span<const double> values);
  static GgufValue texts(std::span<const std::string_view> values);
  /// The value of an entry that was read from a file, byte for byte.
  static GgufValue copy_of(const GgufEntry& entry);
};

/// A file in the making: entries and tensors first, then the tensors' data in the same order.
///   GgufFileWriter writer("out.gguf");
///   writer.add("general.architecture", GgufValue::text("invented"));
///   writer.add_tensor("x", {256, 4}, type);
///   writer.begin_data();
///   writer.write(rows);  // as often as it takes
///   writer.finish();
/// The bytes go to OUT.partial, which gets its name in finish() and is removed without it.
/// Version 3, alignment 32. Thread   one at a time.
/// Errors   VERNAL_INVALID_ARGUMENT: the path cannot be written; VERNAL_RESOURCE_EXHAUSTED: a write
///          failed. The message names the path and the system's reason.
class GgufFileWriter {
 public:
  static constexpr std::uint64_t kAlignment = 32;

  explicit GgufFileWriter(std::filesystem::path path);
  ~GgufFileWriter();
  GgufFileWriter(const GgufFileWriter&) = delete;
  GgufFileWriter& operator=(const GgufFileWriter&) = delete;

  void add(std::string_view key, const GgufValue& value);
  /// dims  GGUF order, columns first, 1 to 4 of them; the columns are a multiple that `type` takes
  void add_tensor(std::string_view name, std::span<const std::uint64_t> dims,
                  const BlockType& type);

  /// Ends the header and writes it.
  void begin_data();
  /// The next bytes of the data: at most to the end of the tensor they belong to. Padding between
  /// tensors is the writer's.
  /// Errors  VERNAL_INVALID_ARGUMENT: more bytes than the tensor has left.
  void write(std::span<const std::byte> bytes);
  /// Errors  VERNAL_INVALID_ARGUMENT: bytes of a tensor are missing.
  void finish();

 private:
  void put(std::string_view bytes);
  void pad();

  std::filesystem::path path_;
  std::filesystem::path partial_;
  std::ofstream out_;
  std::string entries_;
  std::string directory_;
  std::uint64_t num_entries_ = 0;
  std::vector<std::uint64_t> tensor_bytes_;
  std::uint64_t data_bytes_ = 0;  // of all tensors added, padding included
  std::size_t current_ = 0;       // tensor being written
  std::uint64_t written_ = 0;     // bytes of it
  std::uint64_t position_ = 0;    // in the file
};

}  // namespace vernal
