#include "plugin_check/models/tried_model.hpp"

#include <fmt/ranges.h>

#include <utility>

#include "model/gguf_file.hpp"
#include "module/gguf_source.hpp"
#include "plugin_check/finding.hpp"

namespace vernal::check {

struct TriedModel::File {
  explicit File(const std::filesystem::path& path)
      : file(GgufFile::open(path)), metadata(file), weights(file) {}

  GgufFile file;
  GgufMetadataSource metadata;
  GgufWeightDirectory weights;
};

TriedModel::TriedModel(const Options& options, const plugin::Manifest& manifest) {
  if (!options.model.empty()) {
    file_ = std::make_unique<File>(options.model);
    return;
  }
  const auto name = sample_architecture(manifest);
  if (!name) {
    throw Skipped(fmt::format("no sample is known of what it provides ({}); give --model",
                              fmt::join(manifest.provides, ", ")));
  }
  sample_ = std::make_unique<SampleModel>(std::move(*sample_model(*name)));
}

TriedModel::~TriedModel() = default;

ArchitectureInput TriedModel::input() const {
  if (file_) return {file_->metadata, file_->weights};
  return {sample_->metadata, sample_->weights};
}

void ChangedMetadata::change(std::string key, std::optional<MetadataValue> value) {
  key_ = std::move(key);
  changed_.values.clear();
  if (value) changed_.values[key_] = std::move(*value);
}

const MetadataSource& ChangedMetadata::source_of(std::string_view key) const {
  asked_.emplace(key);
  return key == key_ ? static_cast<const MetadataSource&>(changed_) : whole_;
}

std::optional<std::int64_t> ChangedMetadata::find_integer(std::string_view key) const {
  return source_of(key).find_integer(key);
}
std::optional<double> ChangedMetadata::find_float(std::string_view key) const {
  return source_of(key).find_float(key);
}
std::optional<bool> ChangedMetadata::find_bool(std::string_view key) const {
  return source_of(key).find_bool(key);
}
std::optional<std::string_view> ChangedMetadata::find_string(std::string_view key) const {
  return source_of(key).find_string(key);
}
std::optional<std::uint64_t> ChangedMetadata::find_array(std::string_view key) const {
  return source_of(key).find_array(key);
}
std::optional<std::int64_t> ChangedMetadata::find_array_integer(std::string_view key,
                                                                std::uint64_t index) const {
  return source_of(key).find_array_integer(key, index);
}
std::optional<double> ChangedMetadata::find_array_float(std::string_view key,
                                                        std::uint64_t index) const {
  return source_of(key).find_array_float(key, index);
}

}  // namespace vernal::check
