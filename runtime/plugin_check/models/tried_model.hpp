// The model that an architecture is tried on, and the same model with single keys changed.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "module/build_module.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/options.hpp"

namespace vernal::check {

/// The file of --model, or the built-in sample of what the plugin provides.
class TriedModel {
 public:
  /// Throws Skipped if there is neither.
  TriedModel(const Options& options, const plugin::Manifest& manifest);
  ~TriedModel();

  /// Borrowed from this object.
  ArchitectureInput input() const;

 private:
  struct File;
  std::unique_ptr<SampleModel> sample_;
  std::unique_ptr<File> file_;
};

/// Metadata of a model, in which one key may be missing or have another value. Remembers every key
/// that was asked for.
class ChangedMetadata final : public MetadataSource {
 public:
  /// Borrows `whole`.
  explicit ChangedMetadata(const MetadataSource& whole) : whole_(whole) {}

  /// From now on `key` has that value, or none, and all others are as they were.
  void change(std::string key, std::optional<MetadataValue> value);
  const std::set<std::string, std::less<>>& asked() const { return asked_; }

  std::optional<std::int64_t> find_integer(std::string_view key) const override;
  std::optional<double> find_float(std::string_view key) const override;
  std::optional<bool> find_bool(std::string_view key) const override;
  std::optional<std::string_view> find_string(std::string_view key) const override;
  std::optional<std::uint64_t> find_array(std::string_view key) const override;
  std::optional<std::int64_t> find_array_integer(std::string_view key,
                                                 std::uint64_t index) const override;
  std::optional<double> find_array_float(std::string_view key, std::uint64_t index) const override;

 private:
  /// Where that key is looked up.
  const MetadataSource& source_of(std::string_view key) const;

  const MetadataSource& whole_;
  std::string key_;
  SampleMetadata changed_;  // the key, unless it is missing
  mutable std::set<std::string, std::less<>> asked_;
};

}  // namespace vernal::check
