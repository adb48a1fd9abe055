#include "weights.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>

#include "device/stagings.hpp"
#include "kernels/matmul/tile.hpp"

namespace vernal::cuda_sm86 {

namespace {

using Entry = WeightLayout::Entry;
using Report = std::function<void(std::int64_t)>;

/// Rows of a weight as the file has them.
struct StoredRows {
  const Entry& entry;
  const std::byte* data;

  std::int64_t file_row_bytes() const {
    return static_cast<std::int64_t>(
        entry.stored->row_bytes(static_cast<std::uint64_t>(entry.num_columns)));
  }
  /// Copies rows as kernels read them: those of formats without kernels are converted.
  void copy(std::int64_t first, std::int64_t count, std::byte* out) const {
    const std::byte* from = data + first * file_row_bytes();
    if (!entry.is_converted()) {
      std::memcpy(out, from, static_cast<std::size_t>(count * file_row_bytes()));
      return;
    }
    backend::WriteEightBitRow* const write = find_converter(entry.stored->id);
    for (std::int64_t row = 0; row < count; ++row) {
      write(from + row * file_row_bytes(), static_cast<std::uint64_t>(entry.num_columns),
            out + row * entry.row_bytes());
    }
  }
  void widen(std::int64_t first, std::int64_t count, float* out) const {
    for (std::int64_t row = first; row < first + count; ++row) {
      dequantize_row(*entry.stored, data + row * file_row_bytes(),
                     static_cast<std::uint64_t>(entry.num_columns), out);
      out += entry.num_columns;
    }
  }
};

/// Calls pass(first, count) for pieces of `rows` rows.
template <class Pass>
void for_each_piece(std::int64_t rows, std::int64_t row_bytes, Pass pass) {
  const std::int64_t piece = rows_of_piece(row_bytes, kStagingBytes);
  if (kTileRows * row_bytes > kStagingBytes) {
    throw Error(VERNAL_UNSUPPORTED, "a row of " + std::to_string(row_bytes) +
                                        " bytes: this backend loads at most " +
                                        std::to_string(kStagingBytes / kTileRows));
  }
  for (std::int64_t first = 0; first < rows; first += piece) {
    pass(first, std::min(piece, rows - first));
  }
}

void load_matrix(const StoredRows& rows, std::int64_t expert, std::byte* device, Stagings& stagings,
                 const Stream& stream, const Report& report) {
  const Entry& entry = rows.entry;
  const MatrixKernels& kernels = *entry.format->kernels;
  std::byte* const matrix = device + entry.matrix_at + expert * entry.matrix_bytes();
  for_each_piece(entry.num_rows, entry.row_bytes(), [&](std::int64_t first, std::int64_t count) {
    const std::int64_t bytes = count * entry.row_bytes();
    const auto use = [&](const std::byte* copy) {
      if (!kernels.is_quantised()) {
        return cudaMemcpyAsync(matrix + first * entry.row_bytes(), copy,
                               static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice,
                               stream.get());
      }
      Repack repack;
      repack.stored = reinterpret_cast<const unsigned char*>(copy);
      repack.tiles = reinterpret_cast<unsigned char*>(matrix);
      if (entry.row_scales_at >= 0) {
        repack.row_scales =
            reinterpret_cast<float*>(device + entry.row_scales_at) + expert * entry.padded_rows();
      }
      repack.first_row = static_cast<std::int32_t>(first);
      repack.num_rows = static_cast<std::int32_t>(count);
      repack.num_columns = static_cast<std::int32_t>(entry.num_columns);
      return kernels.repack(repack, stream.get());
    };
    stagings.put(bytes,
                 [&](std::byte* out) { rows.copy(expert * entry.num_rows + first, count, out); });
    stagings.take(use);
    report(count * rows.file_row_bytes());
  });
}

void load_numbers(const StoredRows& rows, std::byte* device, Stagings& stagings,
                  const Stream& stream) {
  const Entry& entry = rows.entry;
  const std::int64_t row_bytes = entry.num_columns * 4;
  for_each_piece(entry.all_rows(), row_bytes, [&](std::int64_t first, std::int64_t count) {
    stagings.put(count * row_bytes,
                 [&](std::byte* out) { rows.widen(first, count, reinterpret_cast<float*>(out)); });
    stagings.take([&](const std::byte* copy) {
      return cudaMemcpyAsync(device + entry.numbers_at + first * row_bytes, copy,
                             static_cast<std::size_t>(count * row_bytes), cudaMemcpyDeviceToDevice,
                             stream.get());
    });
  });
}

}  // namespace

Weights::Weights(const WeightLayout& layout, const Module& module, const WeightSource& source,
                 const Progress& progress, const Stream& stream)
    : entries_(layout.entries()),
      device_(MemoryPlace::kDevice, std::max<std::int64_t>(layout.device_bytes(), 1), "weights"),
      host_(MemoryPlace::kPinned, std::max<std::int64_t>(layout.host_bytes(), 1),
            "weights in host memory") {
  Stagings stagings(stream, stream, kStagingBytes);
  std::uint64_t total = 0;
  for (const Weight& weight : module.weights) total += weight.bytes;
  std::uint64_t done = 0;
  const Report report = [&](std::int64_t bytes) {
    done += static_cast<std::uint64_t>(bytes);
    progress.report(std::min(done, total), total);
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const std::span<const std::byte> stored = source.map(i);
    const StoredRows rows{entry, stored.data()};
    if (stored.size() < static_cast<std::size_t>(entry.all_rows() * rows.file_row_bytes())) {
      throw Error(VERNAL_INVALID_ARGUMENT, "weight " + module.weights[i].name + ": found " +
                                               std::to_string(stored.size()) +
                                               " bytes, its shape needs more");
    }
    if (entry.matrix_at >= 0) {
      for (std::int64_t e = 0; e < entry.num_matrices; ++e) {
        load_matrix(rows, e, device_.data(), stagings, stream, report);
      }
    }
    if (entry.table_at >= 0) rows.copy(0, entry.all_rows(), host_.data() + entry.table_at);
    if (entry.numbers_at >= 0) load_numbers(rows, device_.data(), stagings, stream);
    source.unmap(i);
  }
  stream.wait();
  progress.report(total, total);
}

DeviceMatrix Weights::matrix(std::uint32_t index, std::int64_t expert) const {
  const Entry& entry = entries_[index];
  DeviceMatrix out;
  out.data = device_.as<const unsigned char>(entry.matrix_at + expert * entry.matrix_bytes());
  if (entry.row_scales_at >= 0) {
    out.row_scales = device_.as<const float>(entry.row_scales_at) + expert * entry.padded_rows();
  }
  out.num_rows = static_cast<std::int32_t>(entry.num_rows);
  out.num_columns = static_cast<std::int32_t>(entry.num_columns);
  return out;
}

const unsigned char* Weights::table(std::uint32_t index) const {
  return host_.as<const unsigned char>(entries_[index].table_at);
}

const float* Weights::numbers(std::int64_t index) const {
  if (index < 0) return nullptr;
  return device_.as<const float>(entries_[static_cast<std::size_t>(index)].numbers_at);
}

}  // namespace vernal::cuda_sm86
