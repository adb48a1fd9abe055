#include "support/gguf_writer.hpp"

#include <cstring>
#include <utility>

namespace vernal::test {
namespace {

template <typename Number>
std::string raw(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string raw_integer(GgufKind kind, std::int64_t value) {
  return raw(value).substr(0, gguf_kind_bytes(kind));  // little-endian: the low bytes come first
}

std::string raw_float(GgufKind kind, double value) {
  return kind == GgufKind::kFloat32 ? raw(static_cast<float>(value)) : raw(value);
}

void put(GgufImage& image, GgufFieldRole role, const std::string& owner, std::string_view bytes) {
  image.fields.push_back({role, image.bytes.size(), bytes.size(), owner});
  const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
  image.bytes.insert(image.bytes.end(), first, first + bytes.size());
}

void put_text(GgufImage& image, GgufFieldRole length_role, GgufFieldRole text_role,
              const std::string& owner, std::string_view text) {
  put(image, length_role, owner, raw(std::uint64_t{text.size()}));
  put(image, text_role, owner, text);
}

std::uint64_t padding_to(std::uint64_t position, std::uint64_t alignment) {
  return alignment == 0 ? 0 : (alignment - position % alignment) % alignment;
}

}  // namespace

GgufWriter& GgufWriter::add_integer(std::string key, GgufKind kind, std::int64_t value) {
  entries_.push_back({std::move(key), kind, kind, {raw_integer(kind, value)}});
  return *this;
}

GgufWriter& GgufWriter::add_float(std::string key, GgufKind kind, double value) {
  entries_.push_back({std::move(key), kind, kind, {raw_float(kind, value)}});
  return *this;
}

GgufWriter& GgufWriter::add_bool(std::string key, bool value) {
  entries_.push_back(
      {std::move(key), GgufKind::kBool, GgufKind::kBool, {raw(static_cast<char>(value ? 1 : 0))}});
  return *this;
}

GgufWriter& GgufWriter::add_string(std::string key, std::string_view value) {
  entries_.push_back({std::move(key), GgufKind::kString, GgufKind::kString, {std::string(value)}});
  return *this;
}

GgufWriter& GgufWriter::add_integers(std::string key, GgufKind kind,
                                     const std::vector<std::int64_t>& values) {
  Entry entry{std::move(key), GgufKind::kArray, kind, {}};
  for (const std::int64_t value : values) entry.elements.push_back(raw_integer(kind, value));
  entries_.push_back(std::move(entry));
  return *this;
}

GgufWriter& GgufWriter::add_floats(std::string key, GgufKind kind,
                                   const std::vector<double>& values) {
  Entry entry{std::move(key), GgufKind::kArray, kind, {}};
  for (const double value : values) entry.elements.push_back(raw_float(kind, value));
  entries_.push_back(std::move(entry));
  return *this;
}

GgufWriter& GgufWriter::add_bools(std::string key, const std::vector<bool>& values) {
  Entry entry{std::move(key), GgufKind::kArray, GgufKind::kBool, {}};
  for (const bool value : values) entry.elements.push_back(raw(static_cast<char>(value ? 1 : 0)));
  entries_.push_back(std::move(entry));
  return *this;
}

GgufWriter& GgufWriter::add_strings(std::string key, const std::vector<std::string>& values) {
  entries_.push_back({std::move(key), GgufKind::kArray, GgufKind::kString, values});
  return *this;
}

GgufWriter& GgufWriter::set_alignment(std::uint32_t alignment) {
  alignment_ = alignment;
  return add_integer("general.alignment", GgufKind::kUint32, alignment);
}

GgufWriter& GgufWriter::add_tensor(std::string name, std::vector<std::uint64_t> dims,
                                   std::uint32_t type_number, std::vector<std::byte> data) {
  tensors_.push_back({std::move(name), std::move(dims), type_number, std::move(data)});
  return *this;
}

GgufImage GgufWriter::image() const {
  GgufImage image;
  put(image, GgufFieldRole::kMagic, "", "GGUF");
  put(image, GgufFieldRole::kVersion, "", raw(version_));
  put(image, GgufFieldRole::kTensorCount, "", raw(std::uint64_t{tensors_.size()}));
  put(image, GgufFieldRole::kEntryCount, "", raw(std::uint64_t{entries_.size()}));
  for (const Entry& entry : entries_) write_entry(image, entry);
  write_directory(image);
  write_data(image);
  return image;
}

void GgufWriter::write_entry(GgufImage& image, const Entry& entry) {
  put_text(image, GgufFieldRole::kKeyLength, GgufFieldRole::kKey, entry.key, entry.key);
  put(image, GgufFieldRole::kKind, entry.key, raw(entry.kind));
  if (entry.kind == GgufKind::kArray) {
    put(image, GgufFieldRole::kElementKind, entry.key, raw(entry.element_kind));
    put(image, GgufFieldRole::kElementCount, entry.key, raw(std::uint64_t{entry.elements.size()}));
  }
  const bool is_bool = entry.element_kind == GgufKind::kBool;
  for (const std::string& element : entry.elements) {
    if (entry.element_kind == GgufKind::kString) {
      put_text(image, GgufFieldRole::kStringLength, GgufFieldRole::kString, entry.key, element);
    } else {
      put(image, is_bool ? GgufFieldRole::kBool : GgufFieldRole::kNumber, entry.key, element);
    }
  }
}

void GgufWriter::write_directory(GgufImage& image) const {
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    put_text(image, GgufFieldRole::kNameLength, GgufFieldRole::kName, tensor.name, tensor.name);
    put(image, GgufFieldRole::kRank, tensor.name,
        raw(static_cast<std::uint32_t>(tensor.dims.size())));
    for (const std::uint64_t dim : tensor.dims) {
      put(image, GgufFieldRole::kDimension, tensor.name, raw(dim));
    }
    put(image, GgufFieldRole::kTensorType, tensor.name, raw(tensor.type_number));
    put(image, GgufFieldRole::kOffset, tensor.name, raw(offset));
    offset += tensor.data.size();
    offset += padding_to(offset, alignment_);
  }
}

void GgufWriter::write_data(GgufImage& image) const {
  for (const Tensor& tensor : tensors_) {
    // The data section starts at a multiple of the alignment. So an aligned position in the file is
    // an aligned offset.
    const std::uint64_t padding = padding_to(image.bytes.size(), alignment_);
    put(image, GgufFieldRole::kPadding, tensor.name, std::string(padding, '\0'));
    put(image, GgufFieldRole::kData, tensor.name,
        {reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()});
  }
}

}  // namespace vernal::test
