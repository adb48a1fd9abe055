#include "model/gguf_file_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

template <typename Number>
void append(std::string& out, Number number) {  // little-endian: gguf_cursor.hpp asserts it
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

void append_text(std::string& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  out.append(text);
}

template <typename Number>
GgufValue scalar(GgufKind kind, Number number) {
  GgufValue value{kind, kind, 1, {}};
  append(value.bytes, number);
  return value;
}

std::uint64_t padding_after(std::uint64_t position) {
  return (GgufFileWriter::kAlignment - position % GgufFileWriter::kAlignment) %
         GgufFileWriter::kAlignment;
}

[[noreturn]] void refuse(std::int32_t code, const std::filesystem::path& path,
                         std::string_view finding) {
  throw Error(code, fmt::format("{}: {}", printable(path.native(), 1024), finding));
}

std::string last_reason() {
  return errno == 0 ? "the write failed" : std::generic_category().message(errno);
}

}  // namespace

GgufValue GgufValue::u32(std::uint32_t value) { return scalar(GgufKind::kUint32, value); }

GgufValue GgufValue::f32(double value) {
  return scalar(GgufKind::kFloat32, static_cast<float>(value));
}

GgufValue GgufValue::boolean(bool value) {
  return scalar(GgufKind::kBool, static_cast<char>(value ? 1 : 0));
}

GgufValue GgufValue::text(std::string_view value) {
  GgufValue result{GgufKind::kString, GgufKind::kString, 1, {}};
  append_text(result.bytes, value);
  return result;
}

GgufValue GgufValue::i32s(std::span<const std::int64_t> values) {
  GgufValue result{GgufKind::kArray, GgufKind::kInt32, values.size(), {}};
  for (const std::int64_t value : values) append(result.bytes, static_cast<std::int32_t>(value));
  return result;
}

GgufValue GgufValue::f32s(std::span<const double> values) {
  GgufValue result{GgufKind::kArray, GgufKind::kFloat32, values.size(), {}};
  for (const double value : values) append(result.bytes, static_cast<float>(value));
  return result;
}

GgufValue GgufValue::texts(std::span<const std::string_view> values) {
  GgufValue result{GgufKind::kArray, GgufKind::kString, values.size(), {}};
  for (const std::string_view value : values) append_text(result.bytes, value);
  return result;
}

GgufValue GgufValue::copy_of(const GgufEntry& entry) {
  GgufValue result{entry.kind, entry.element_kind, entry.num_elements, {}};
  if (entry.element_kind == GgufKind::kString) {
    if (!entry.is_array()) return text(*entry.as_string());
    const auto elements = *entry.as_strings();
    return texts(elements);
  }
  const auto* first = reinterpret_cast<const char*>(entry.data);
  result.bytes.assign(first, entry.num_elements * gguf_kind_bytes(entry.element_kind));
  return result;
}

GgufFileWriter::GgufFileWriter(std::filesystem::path path)
    : path_(std::move(path)), partial_(path_.string() + ".partial") {
  errno = 0;
  out_.open(partial_, std::ios::binary | std::ios::trunc);
  if (!out_) refuse(VERNAL_INVALID_ARGUMENT, partial_, last_reason());
}

GgufFileWriter::~GgufFileWriter() {
  std::error_code ignored;  // after finish() there is no such file
  std::filesystem::remove(partial_, ignored);
}

void GgufFileWriter::add(std::string_view key, const GgufValue& value) {
  append_text(entries_, key);
  append(entries_, value.kind);
  if (value.kind == GgufKind::kArray) {
    append(entries_, value.element_kind);
    append(entries_, value.num_elements);
  }
  entries_ += value.bytes;
  ++num_entries_;
}

void GgufFileWriter::add_tensor(std::string_view name, std::span<const std::uint64_t> dims,
                                const BlockType& type) {
  append_text(directory_, name);
  append(directory_, static_cast<std::uint32_t>(dims.size()));
  std::uint64_t rows = 1;
  for (const std::uint64_t dim : dims) append(directory_, dim);
  for (const std::uint64_t dim : dims.subspan(1)) rows *= dim;
  append(directory_, type.gguf_number);
  append(directory_, data_bytes_);
  tensor_bytes_.push_back(rows * type.row_bytes(dims[0]));
  data_bytes_ += tensor_bytes_.back();
  data_bytes_ += padding_after(data_bytes_);
}

void GgufFileWriter::begin_data() {
  constexpr std::uint32_t kVersion = 3;
  std::string header = "GGUF";
  append(header, kVersion);
  append(header, std::uint64_t{tensor_bytes_.size()});
  append(header, num_entries_);
  put(header);
  put(entries_);
  put(directory_);
  pad();
}

void GgufFileWriter::write(std::span<const std::byte> bytes) {
  if (current_ == tensor_bytes_.size() || bytes.size() > tensor_bytes_[current_] - written_) {
    refuse(VERNAL_INVALID_ARGUMENT, path_,
           fmt::format("tensor {} of {}: {} bytes are more than are left of it", current_,
                       tensor_bytes_.size(), bytes.size()));
  }
  put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  written_ += bytes.size();
  if (written_ < tensor_bytes_[current_]) return;
  pad();
  ++current_;
  written_ = 0;
}

void GgufFileWriter::finish() {
  if (current_ != tensor_bytes_.size()) {
    refuse(
        VERNAL_INVALID_ARGUMENT, path_,
        fmt::format("expected the data of {} tensors, found {}", tensor_bytes_.size(), current_));
  }
  close();
  rename();
}

void GgufFileWriter::finish_with_hole() {
  close();
  std::error_code error;
  std::filesystem::resize_file(partial_, position_ + data_bytes_, error);
  if (error) refuse(VERNAL_RESOURCE_EXHAUSTED, partial_, error.message());
  rename();
}

void GgufFileWriter::close() {
  errno = 0;
  out_.close();
  if (!out_) refuse(VERNAL_RESOURCE_EXHAUSTED, partial_, last_reason());
}

void GgufFileWriter::rename() {
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) refuse(VERNAL_RESOURCE_EXHAUSTED, path_, error.message());
}

void GgufFileWriter::put(std::string_view bytes) {
  errno = 0;
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out_) refuse(VERNAL_RESOURCE_EXHAUSTED, partial_, last_reason());
  position_ += bytes.size();
}

void GgufFileWriter::pad() { put(std::string(padding_after(position_), '\0')); }

}  // namespace vernal
