#include "support/gguf_walk.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "vernal/error.hpp"

namespace vernal::test {
namespace {

std::uint64_t walk_entry(const GgufMetadata& metadata, const GgufEntry& entry) {
  std::uint64_t seen = entry.type_name().size() + entry.value_text(3).size();
  if (metadata.find(entry.key) != &entry) throw Error(VERNAL_INTERNAL, "an entry is not found");
  if (const auto value = entry.as_integer()) seen += static_cast<std::uint64_t>(*value);
  if (const auto value = entry.as_float()) seen += std::bit_cast<std::uint64_t>(*value);
  if (const auto value = entry.as_bool()) seen += *value ? 1U : 0U;
  if (const auto text = entry.as_string()) {
    for (const char c : *text) seen += static_cast<unsigned char>(c);
  }
  if (const auto values = entry.as_integers()) seen += values->size();
  if (const auto values = entry.as_floats()) seen += values->size();
  if (const auto values = entry.as_bools()) seen += values->size();
  if (const auto texts = entry.as_strings()) {
    for (const std::string_view text : *texts) {
      for (const char c : text) seen += static_cast<unsigned char>(c);
    }
  }
  return seen;
}

std::uint64_t walk_tensor(const GgufFile& file, const GgufTensor& tensor) {
  if (file.find_tensor(tensor.name) != &tensor)
    throw Error(VERNAL_INTERNAL, "a tensor is not found");
  if (tensor.rows() * tensor.row_bytes() != tensor.bytes()) {
    throw Error(VERNAL_INTERNAL, "a tensor's rows do not fill its data");
  }
  std::uint64_t seen = tensor.shape_text().size() + tensor.num_elements();
  seen += std::to_integer<std::uint64_t>(tensor.data.front());
  seen += std::to_integer<std::uint64_t>(tensor.data.back());
  if (!tensor.type->is_readable()) return seen;
  std::vector<float> row(tensor.columns());
  dequantize_row(*tensor.type, tensor.row(0), tensor.columns(), row.data());
  for (const float value : row) seen += std::bit_cast<std::uint32_t>(value);
  return seen;
}

}  // namespace

std::uint64_t walk_gguf(const GgufFile& file) {
  std::uint64_t seen = file.version() + file.alignment() + file.data_start() + file.tensor_bytes();
  for (const GgufEntry& entry : file.metadata().entries())
    seen += walk_entry(file.metadata(), entry);
  for (const GgufTensor& tensor : file.tensors()) seen += walk_tensor(file, tensor);
  return seen;
}

}  // namespace vernal::test
