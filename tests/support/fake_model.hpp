// Metadata and weights in maps, for tests that need a model but no file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "module/metadata_source.hpp"
#include "module/node_inference.hpp"
#include "module/weight_directory.hpp"
#include "vernal/error.hpp"

namespace vernal::test {

/// Keys and values that a test sets. A missing key gives nothing, and a wrong type throws, as
/// MetadataSource says.
class FakeMetadata final : public MetadataSource {
 public:
  using Ints = std::vector<std::int64_t>;
  using Floats = std::vector<double>;
  using Value = std::variant<std::int64_t, double, bool, std::string, Ints, Floats>;

  void set(std::string key, Value value) {
    values_.insert_or_assign(std::move(key), std::move(value));
  }
  void erase(const std::string& key) { values_.erase(key); }

  std::optional<std::int64_t> find_integer(std::string_view key) const override {
    return get<std::int64_t, std::int64_t>(key);
  }
  std::optional<double> find_float(std::string_view key) const override {
    const Value* value = find(key);
    if (value != nullptr && std::holds_alternative<std::int64_t>(*value)) {
      return static_cast<double>(std::get<std::int64_t>(*value));
    }
    return get<double, double>(key);
  }
  std::optional<bool> find_bool(std::string_view key) const override {
    return get<bool, bool>(key);
  }
  std::optional<std::string_view> find_string(std::string_view key) const override {
    return get<std::string, std::string_view>(key);
  }
  std::optional<std::uint64_t> find_array(std::string_view key) const override {
    const Value* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (const auto* ints = std::get_if<Ints>(value)) return ints->size();
    if (const auto* floats = std::get_if<Floats>(value)) return floats->size();
    throw Error(VERNAL_INVALID_ARGUMENT, "not an array");
  }
  std::optional<std::int64_t> find_array_integer(std::string_view key,
                                                 std::uint64_t index) const override {
    return element<Ints>(key, index);
  }
  std::optional<double> find_array_float(std::string_view key, std::uint64_t index) const override {
    return element<Floats>(key, index);
  }

 private:
  const Value* find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
  }

  template <class Stored, class Out>
  std::optional<Out> get(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (const auto* stored = std::get_if<Stored>(value)) return Out(*stored);
    throw Error(VERNAL_INVALID_ARGUMENT, "another type");
  }

  template <class List>
  std::optional<typename List::value_type> element(std::string_view key,
                                                   std::uint64_t index) const {
    const Value* value = find(key);
    if (value == nullptr) return std::nullopt;
    const auto* list = std::get_if<List>(value);
    if (list == nullptr || index >= list->size())
      throw Error(VERNAL_INVALID_ARGUMENT, "no element");
    return (*list)[index];
  }

  std::map<std::string, Value, std::less<>> values_;
};

/// Tensors of given shapes. Their format is f16 if a test does not give another.
class FakeWeights final : public WeightDirectory {
 public:
  void set(std::string name, std::initializer_list<std::int64_t> dims, std::string format = "f16") {
    const std::uint64_t element_bytes = format == "f32" ? 4 : 2;
    StoredWeight weight{std::move(format), make_shape(dims), element_bytes};
    for (const std::int64_t dim : dims) weight.bytes *= static_cast<std::uint64_t>(dim);
    weights_.insert_or_assign(std::move(name), std::move(weight));
  }
  void erase(const std::string& name) { weights_.erase(name); }

  const StoredWeight* find(std::string_view name) const override {
    const auto found = weights_.find(name);
    return found == weights_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, weight] : weights_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, StoredWeight, std::less<>> weights_;
};

}  // namespace vernal::test
