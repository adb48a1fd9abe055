#include "module/gguf_source.hpp"

#include <fmt/format.h>

#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

template <class T>
T element(const std::vector<T>& values, std::string_view key, std::uint64_t index) {
  if (index < values.size()) return values[index];
  throw Error(VERNAL_INVALID_ARGUMENT,
              fmt::format("key \"{}\": element {} of {}", printable(key), index, values.size()));
}

}  // namespace

std::optional<std::int64_t> GgufMetadataSource::find_integer(std::string_view key) const {
  return metadata_.find_integer(key);
}
std::optional<double> GgufMetadataSource::find_float(std::string_view key) const {
  return metadata_.find_float(key);
}
std::optional<bool> GgufMetadataSource::find_bool(std::string_view key) const {
  return metadata_.find_bool(key);
}
std::optional<std::string_view> GgufMetadataSource::find_string(std::string_view key) const {
  return metadata_.find_string(key);
}

std::optional<std::uint64_t> GgufMetadataSource::find_array(std::string_view key) const {
  const GgufEntry* entry = metadata_.find(key);
  if (entry == nullptr) return std::nullopt;
  if (!entry->is_array()) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("key \"{}\": expected an array, found {}",
                                                     printable(key), entry->type_name()));
  }
  return entry->num_elements;
}

std::optional<std::int64_t> GgufMetadataSource::find_array_integer(std::string_view key,
                                                                   std::uint64_t index) const {
  const GgufEntry* entry = metadata_.find(key);
  if (entry == nullptr) return std::nullopt;
  if (integers_key_ != key || integers_.empty()) {
    if (entry->is_array() && entry->element_kind == GgufKind::kBool) {
      const auto bools = metadata_.require_bool_array(key);
      integers_.assign(bools.begin(), bools.end());
    } else {
      integers_ = metadata_.require_integer_array(key);
    }
    integers_key_ = key;
  }
  return element(integers_, key, index);
}

std::optional<double> GgufMetadataSource::find_array_float(std::string_view key,
                                                           std::uint64_t index) const {
  if (!metadata_.contains(key)) return std::nullopt;
  if (floats_key_ != key || floats_.empty()) {
    floats_ = metadata_.require_float_array(key);
    floats_key_ = key;
  }
  return element(floats_, key, index);
}

GgufWeightDirectory::GgufWeightDirectory(const GgufFile& file) {
  for (const GgufTensor& tensor : file.tensors()) {
    StoredWeight weight;
    weight.format = tensor.type->id;
    weight.bytes = tensor.bytes();
    weight.shape.rank = tensor.rank;
    for (std::uint32_t i = 0; i < tensor.rank; ++i) {
      weight.shape.dims[i] = static_cast<std::int64_t>(tensor.dims[tensor.rank - 1 - i]);
    }
    order_.push_back(tensor.name);
    weights_.emplace(tensor.name, std::move(weight));
  }
}

const StoredWeight* GgufWeightDirectory::find(std::string_view name) const {
  const auto found = weights_.find(name);
  return found == weights_.end() ? nullptr : &found->second;
}

std::vector<std::string> GgufWeightDirectory::names() const {
  return {order_.begin(), order_.end()};
}

}  // namespace vernal
