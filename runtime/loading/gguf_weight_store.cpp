#include "loading/gguf_weight_store.hpp"

#include <fmt/format.h>

#include <cstring>

#include "vernal/error.hpp"

namespace vernal {

GgufWeightStore::GgufWeightStore(const GgufFile& file, const Module& module) : file_(file) {
  for (const Weight& weight : module.weights) tensors_.push_back(&file.require_tensor(weight.name));
  is_mapped_.resize(tensors_.size());
}

const GgufTensor& GgufWeightStore::tensor(std::uint64_t index) const {
  if (index >= tensors_.size()) {
    throw Error(VERNAL_NOT_FOUND,
                fmt::format("{}: the module has {} weights, index {} was asked for",
                            file_.file_name(), tensors_.size(), index));
  }
  return *tensors_[index];
}

std::span<const std::byte> GgufWeightStore::part(std::uint64_t index, std::uint64_t offset,
                                                 std::uint64_t size) const {
  const GgufTensor& source = tensor(index);
  if (offset > source.bytes() || size > source.bytes() - offset) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: weight {} has {} bytes; {} from {} were asked for",
                            file_.file_name(), source.name, source.bytes(), size, offset));
  }
  return source.data.subspan(offset, size);
}

void GgufWeightStore::read(std::uint64_t index, std::uint64_t offset,
                           std::span<std::byte> destination) {
  const std::span<const std::byte> source = part(index, offset, destination.size());
  std::memcpy(destination.data(), source.data(), source.size());
}

std::span<const std::byte> GgufWeightStore::map(std::uint64_t index) {
  const std::span<const std::byte> data = tensor(index).data;
  is_mapped_[index] = true;
  return data;
}

void GgufWeightStore::unmap(std::uint64_t index) {
  // A backend that made a copy of its own would otherwise hold each weight twice while it loads.
  file_.advise(tensor(index), MappingAdvice::kNotNeeded);
  is_mapped_[index] = false;
}

void GgufWeightStore::release(std::uint64_t index, std::uint64_t offset, std::uint64_t size) {
  file_.advise(tensor(index), part(index, offset, size), MappingAdvice::kNotNeeded);
}

std::vector<std::span<const std::byte>> GgufWeightStore::kept() const {
  std::vector<std::span<const std::byte>> out;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (is_mapped_[i]) out.push_back(tensors_[i]->data);
  }
  return out;
}

}  // namespace vernal
