// Metadata and tensor directories of small models, for the architectures that most plugins build.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "module/metadata_source.hpp"
#include "plugin/manifest.hpp"
#include "plugin_check/models/made_module.hpp"
#include "plugin_check/options.hpp"

namespace vernal::check {

using MetadataValue = std::variant<std::int64_t, double, bool, std::string,
                                   std::vector<std::int64_t>, std::vector<double>>;

/// Keys and values in memory.
class SampleMetadata final : public MetadataSource {
 public:
  SampleMetadata() = default;
  SampleMetadata(const SampleMetadata& other) : MetadataSource(), values(other.values) {}

  std::optional<std::int64_t> find_integer(std::string_view key) const override;
  std::optional<double> find_float(std::string_view key) const override;
  std::optional<bool> find_bool(std::string_view key) const override;
  std::optional<std::string_view> find_string(std::string_view key) const override;
  std::optional<std::uint64_t> find_array(std::string_view key) const override;
  std::optional<std::int64_t> find_array_integer(std::string_view key,
                                                 std::uint64_t index) const override;
  std::optional<double> find_array_float(std::string_view key, std::uint64_t index) const override;

  std::map<std::string, MetadataValue, std::less<>> values;
};

struct SampleModel {
  SampleMetadata metadata;
  MadeWeights weights;  // shapes; bytes are random
};

/// A small model of that architecture, or nothing if this program knows none.
std::optional<SampleModel> sample_model(std::string_view architecture);
/// The first architecture of those a plugin provides that has a sample.
std::optional<std::string> sample_architecture(const plugin::Manifest& manifest);

}  // namespace vernal::check
