// Builds GGUF files in memory and says where each field lies, so that tests can damage it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_metadata.hpp"

namespace vernal::test {

/// What a range of bytes of a GGUF file is.
enum class GgufFieldRole {
  kMagic,
  kVersion,
  kTensorCount,
  kEntryCount,
  kKeyLength,
  kKey,
  kKind,
  kElementKind,
  kElementCount,
  kNumber,  ///< a scalar, or one element of an array
  kBool,
  kStringLength,
  kString,
  kNameLength,
  kName,
  kRank,
  kDimension,
  kTensorType,
  kOffset,
  kPadding,
  kData,
};

struct GgufField {
  GgufFieldRole role;
  std::uint64_t offset;  ///< in the file
  std::uint64_t size;    ///< bytes; 0 for an empty string
  std::string owner;     ///< name of the key or tensor; empty in the header
};

/// A file and its fields in order. The fields cover every byte.
struct GgufImage {
  std::vector<std::byte> bytes;
  std::vector<GgufField> fields;
};

/// Collects entries and tensors in the order of the calls. It checks nothing, so that tests can
/// write wrong files.
///   const auto bytes = GgufWriter().add_string("general.architecture", "llama").bytes();
class GgufWriter {
 public:
  explicit GgufWriter(std::uint32_t version = 3) : version_(version) {}

  /// Adds a number of an integer kind, cut to its width, or a float as f32 or f64.
  GgufWriter& add_integer(std::string key, GgufKind kind, std::int64_t value);
  GgufWriter& add_float(std::string key, GgufKind kind, double value);
  GgufWriter& add_bool(std::string key, bool value);
  GgufWriter& add_string(std::string key, std::string_view value);

  GgufWriter& add_integers(std::string key, GgufKind kind, const std::vector<std::int64_t>& values);
  GgufWriter& add_floats(std::string key, GgufKind kind, const std::vector<double>& values);
  GgufWriter& add_bools(std::string key, const std::vector<bool>& values);
  GgufWriter& add_strings(std::string key, const std::vector<std::string>& values);

  /// Writes general.alignment (u32) and pads to it. Without this call the alignment is 32.
  GgufWriter& set_alignment(std::uint32_t alignment);

  /// Adds a tensor. Its data begins at the next multiple of the alignment after the tensor before.
  ///   dims         in GGUF's order: columns first
  ///   type_number  the GGUF number; see vernal/block_types.hpp
  GgufWriter& add_tensor(std::string name, std::vector<std::uint64_t> dims,
                         std::uint32_t type_number, std::vector<std::byte> data);

  GgufImage image() const;
  std::vector<std::byte> bytes() const { return image().bytes; }

 private:
  struct Entry {
    std::string key;
    GgufKind kind;
    GgufKind element_kind;
    std::vector<std::string> elements;  // the bytes of numbers, or the texts of strings
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;
    std::uint32_t type_number;
    std::vector<std::byte> data;
  };

  static void write_entry(GgufImage& image, const Entry& entry);
  void write_directory(GgufImage& image) const;
  void write_data(GgufImage& image) const;

  std::uint32_t version_;
  std::uint64_t alignment_ = 32;
  std::vector<Entry> entries_;
  std::vector<Tensor> tensors_;
};

}  // namespace vernal::test
