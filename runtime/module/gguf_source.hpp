// A GGUF file as the source of an architecture's metadata and weights.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_file.hpp"
#include "module/metadata_source.hpp"
#include "module/weight_directory.hpp"

namespace vernal {

/// Metadata of a GGUF file, borrowed. Control thread only, because it keeps the array that was read
/// last.
class GgufMetadataSource final : public MetadataSource {
 public:
  explicit GgufMetadataSource(const GgufFile& file) : metadata_(file.metadata()) {}

  std::optional<std::int64_t> find_integer(std::string_view key) const override;
  std::optional<double> find_float(std::string_view key) const override;
  std::optional<bool> find_bool(std::string_view key) const override;
  std::optional<std::string_view> find_string(std::string_view key) const override;
  std::optional<std::uint64_t> find_array(std::string_view key) const override;
  std::optional<std::int64_t> find_array_integer(std::string_view key,
                                                 std::uint64_t index) const override;
  std::optional<double> find_array_float(std::string_view key, std::uint64_t index) const override;

 private:
  const GgufMetadata& metadata_;
  mutable std::string integers_key_, floats_key_;  // the keys of the arrays that are kept below
  mutable std::vector<std::int64_t> integers_;
  mutable std::vector<double> floats_;
};

/// The tensors of a GGUF file. Dimensions [in, out] of the file become row-major [out, in]. Names
/// are borrowed from the file; the rest is copied.
class GgufWeightDirectory final : public WeightDirectory {
 public:
  explicit GgufWeightDirectory(const GgufFile& file);

  const StoredWeight* find(std::string_view name) const override;
  std::vector<std::string> names() const override;

 private:
  std::vector<std::string_view> order_;
  std::map<std::string_view, StoredWeight> weights_;
};

}  // namespace vernal
