#include "plugin_check/models/made_module.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "plugin_check/subject/guarded_memory.hpp"
#include "vernal/block_types.hpp"
#include "vernal/error.hpp"

namespace vernal::check {
namespace {

constexpr int kMostTries = 20'000;  // for one block; the narrowest format needs some hundred

Shape shape_of(const Dims& dims) {
  Shape shape;
  for (const std::int64_t dim : dims) shape.dims[shape.rank++] = dim;
  return shape;
}

std::int64_t elements(const Dims& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) count *= dim;
  return count;
}

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

void fill_random(std::span<std::byte> bytes, RandomNumbers& random) {
  for (std::byte& b : bytes) b = static_cast<std::byte>(random.bits() & 0xFF);
}

/// Whether a block's values are finite, and the largest of a useful size.
bool is_sound(const std::vector<float>& values, double scale) {
  double greatest = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) return false;
    greatest = std::max(greatest, std::fabs(static_cast<double>(v)));
  }
  return greatest >= scale / 4 && greatest <= scale * 4;
}

/// A row header: the scale of the row, as f32 or f16 by its size. How large it must be depends on
/// what the blocks make of it, so it is drawn from some powers of ten.
void fill_header(std::span<std::byte> header, RandomNumbers& random, double scale) {
  const auto value = static_cast<float>(scale * std::pow(10.0, 2.5 * random.unit() - 2.5));
  if (header.size() == sizeof(float)) std::memcpy(header.data(), &value, sizeof(value));
  if (header.size() == sizeof(std::uint16_t)) {
    const std::uint16_t half = f16_from_float(value);
    std::memcpy(header.data(), &half, sizeof(half));
  }
}

}  // namespace

std::vector<std::byte> random_blocks(std::string_view format, std::int64_t rows,
                                     std::int64_t columns, RandomNumbers& random, double scale) {
  const BlockType* type = find_block_type(format);
  if (type == nullptr || !type->is_readable()) {
    throw Error(VERNAL_INTERNAL, fmt::format("format {} has no reader", format));
  }
  const std::uint64_t header = type->row_header_bytes;
  const std::uint64_t block = type->bytes_per_block;
  const std::uint64_t per_block = type->weights_per_block;
  std::vector<std::byte> out;
  std::vector<std::byte> row(header + block);
  std::vector<float> values(per_block);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::uint64_t b = 0; b < static_cast<std::uint64_t>(columns) / per_block; ++b) {
      int tries = 0;
      do {
        if (b == 0) fill_header(std::span(row).first(header), random, scale);
        fill_random(std::span(row).subspan(header), random);
        type->dequantize(row.data(), per_block, values.data());
      } while (!is_sound(values, scale) && ++tries < kMostTries);
      if (tries == kMostTries) {
        throw Error(VERNAL_INTERNAL, fmt::format("format {}: no sound block was found", format));
      }
      const std::uint64_t from = b == 0 ? 0 : header;  // the header stands once
      out.insert(out.end(), row.begin() + static_cast<std::ptrdiff_t>(from), row.end());
    }
  }
  return out;
}

void MadeWeights::add(const std::string& name, const Dims& dims, RandomNumbers& random,
                      double scale, std::string_view format) {
  const std::int64_t count = elements(dims);
  if (format == "f32") return add_values(name, dims, random.floats(count, scale));
  if (format == "f16") {
    std::vector<std::uint16_t> values;
    for (const float v : random.floats(count, scale)) values.push_back(f16_from_float(v));
    return add_bytes(name, dims, format, bytes_of(values));
  }
  if (format == "bf16") {
    std::vector<std::uint16_t> values;
    for (const float v : random.floats(count, scale)) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &v, sizeof(bits));
      values.push_back(static_cast<std::uint16_t>(bits >> 16));
    }
    return add_bytes(name, dims, format, bytes_of(values));
  }
  add_bytes(name, dims, format,
            random_blocks(format, count / dims.back(), dims.back(), random, scale));
}

void MadeWeights::add_values(const std::string& name, const Dims& dims,
                             const std::vector<float>& values) {
  add_bytes(name, dims, "f32", bytes_of(values));
}

void MadeWeights::add_bytes(const std::string& name, const Dims& dims, std::string_view format,
                            std::vector<std::byte> bytes) {
  Entry entry;
  entry.stored = {std::string(format), shape_of(dims), bytes.size()};
  entry.bytes = std::move(bytes);
  entries_.insert_or_assign(name, std::move(entry));
}

const StoredWeight* MadeWeights::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second.stored;
}

std::vector<std::string> MadeWeights::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

const std::vector<std::byte>& MadeWeights::bytes(std::string_view name) const {
  return entries_.find(name)->second.bytes;
}

vernal_module_ref MadeModule::ref() const {
  const vernal_module_ref whole = view->ref();
  static const Guarded<vernal_module_api> kApi(*whole.api);
  return {kApi.get(), whole.module};
}

MadeModule make_module(MadeWeights weights, const std::function<void(const Builder&)>& body) {
  MadeModule made;
  made.weights = std::make_shared<const MadeWeights>(std::move(weights));
  ModuleBuilder builder("check", *made.weights);
  const Builder b(builder.ref());
  b.begin_function("main");
  body(b);
  b.end_function();
  made.module = std::make_shared<const Module>(builder.finish());
  if (!builder.problems().empty()) {
    throw Error(VERNAL_INTERNAL,
                "this test's own module is not sound:\n" + list_problems(builder.problems()));
  }
  made.view = std::make_unique<ModuleView>(made.module);
  return made;
}

MadeModule change_node(const MadeModule& made, std::string_view op,
                       const std::function<void(Node&)>& change) {
  auto module = std::make_shared<Module>(*made.module);
  for (Node& node : module->functions[0].nodes) {
    if (node.op != op) continue;
    change(node);
    break;
  }
  MadeModule changed;
  changed.weights = made.weights;
  changed.module = std::move(module);
  changed.view = std::make_unique<ModuleView>(changed.module);
  return changed;
}

/// Pages that hold a copy of a weight. Their addresses stay taken after take_back, so that nothing
/// else can be found there.
struct MadeStore::Lent {
  explicit Lent(std::span<const std::byte> bytes) : size(bytes.size()) {
    memory = ::mmap(nullptr, std::max<std::size_t>(size, 1), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    std::memcpy(memory, bytes.data(), size);
    ::mprotect(memory, size, PROT_READ);
  }
  ~Lent() { ::munmap(memory, std::max<std::size_t>(size, 1)); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

  void take_back() const {
    ::madvise(memory, size, MADV_DONTNEED);
    ::mprotect(memory, size, PROT_NONE);
  }

  std::size_t size;
  void* memory = nullptr;
  int num_users = 0;
};

MadeStore::MadeStore(const MadeModule& made) : module_(made.module), weights_(made.weights) {}
MadeStore::~MadeStore() = default;

const std::vector<std::byte>& MadeStore::bytes_of(std::uint64_t index) const {
  if (index >= module_->weights.size()) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("weight {} does not exist", index));
  }
  return weights_->bytes(module_->weights[index].name);
}

void MadeStore::read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> destination) {
  const std::vector<std::byte>& bytes = bytes_of(index);
  if (offset > bytes.size() || destination.size() > bytes.size() - offset) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("weight {}: {} bytes at {} asked for, it has {}", index,
                            destination.size(), offset, bytes.size()));
  }
  std::memcpy(destination.data(), bytes.data() + offset, destination.size());
}

std::span<const std::byte> MadeStore::map(std::uint64_t index) {
  std::unique_ptr<Lent>& lent = lent_[index];
  if (!lent) lent = std::make_unique<Lent>(bytes_of(index));
  ++lent->num_users;
  return {static_cast<const std::byte*>(lent->memory), lent->size};
}

void MadeStore::unmap(std::uint64_t index) {
  const auto found = lent_.find(index);
  if (found == lent_.end()) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("unmap: weight {} is not mapped", index));
  }
  if (--found->second->num_users > 0) return;
  found->second->take_back();
  taken_back_.push_back(std::move(found->second));
  lent_.erase(found);
}

}  // namespace vernal::check
