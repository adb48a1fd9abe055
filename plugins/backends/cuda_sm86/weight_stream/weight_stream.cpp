#include "weight_stream/weight_stream.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "device/cuda_error.hpp"
#include "kernels/matmul/matmul.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Of a buffer that formats may do without.
Buffer make_optional(std::int64_t bytes, std::string_view what) {
  return bytes > 0 ? Buffer(MemoryPlace::kDevice, bytes, what) : Buffer();
}

/// Puts the results of a slice, [num_rows][slice_rows], into its columns of y, [num_rows][N].
void place_columns(const float* results, std::int64_t num_rows, std::int64_t slice_rows,
                   std::int64_t first, std::int64_t num_columns, float* y) {
  for (std::int64_t row = 0; row < num_rows; ++row) {
    std::memcpy(y + row * num_columns + first, results + row * slice_rows,
                static_cast<std::size_t>(slice_rows) * sizeof(float));
  }
}

}  // namespace

WeightStream::WeightStream(const StreamLayout& layout, const WeightSource& source)
    : layout_(layout),
      source_(source),
      stagings_(copies_, products_, layout.staging_bytes()),
      tiles_(make_optional(layout.tile_bytes(), "tiles of streamed weights")),
      row_scales_(make_optional(layout.row_scale_bytes(), "row scales of streamed weights")),
      x_(MemoryPlace::kDevice, layout.x_bytes(), "rows for streamed weights"),
      blocks_(make_optional(layout.block_bytes(), "rows for streamed weights")),
      counts_(MemoryPlace::kDevice, sizeof(StepCounts), "counts"),
      result_(MemoryPlace::kDevice, layout.result_bytes(), "results of streamed weights"),
      host_counts_(MemoryPlace::kPinned, sizeof(StepCounts), "counts") {
  for (Buffer& results : host_results_) {
    results = Buffer(MemoryPlace::kPinned, layout.result_bytes(), "results of streamed weights");
  }
  for (const std::uint64_t index : layout.order()) {
    stored_.resize(std::max<std::size_t>(stored_.size(), index + 1));
    if (!stored_[index].empty()) continue;
    stored_[index] = source_.map(index);
    const std::int64_t needed = layout.matrix(index).bytes();
    if (stored_[index].size() >= static_cast<std::size_t>(needed)) continue;
    throw Error(VERNAL_INVALID_ARGUMENT, "weight stream: weight " + std::to_string(index) +
                                             " has " + std::to_string(stored_[index].size()) +
                                             " bytes, its shape needs " + std::to_string(needed));
  }
}

WeightStream::~WeightStream() {
  static_cast<void>(cudaStreamSynchronize(copies_.get()));
  static_cast<void>(cudaStreamSynchronize(products_.get()));
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    if (stored_[i].empty()) continue;
    try {
      source_.unmap(i);
    } catch (const Error&) {
      continue;  // the source keeps it as long as it lives
    }
  }
}

const StreamedMatrix& WeightStream::matrix_of(const Slice& slice) const {
  return layout_.matrix(layout_.order()[slice.place]);
}

WeightStream::Slice WeightStream::after(const Slice& slice) const {
  const StreamedMatrix& matrix = matrix_of(slice);
  const std::int64_t next = slice.first + matrix.rows_from(slice.first);
  if (next < matrix.num_rows) return {slice.place, next};
  return {(slice.place + 1) % layout_.order().size(), 0};
}

/// Makes the first slice of a weight the next one. What was read ahead is kept if that is what it
/// is.
void WeightStream::seek(std::uint64_t index) {
  const std::vector<std::uint64_t>& order = layout_.order();
  if (order[next_.place] == index && next_.first == 0) return;
  stagings_.drop();
  std::size_t place = next_.place;
  do {
    place = (place + 1) % order.size();
  } while (order[place] != index);
  next_ = ahead_ = {place, 0};
}

void WeightStream::read_ahead() {
  while (!stagings_.is_full()) {
    const StreamedMatrix& matrix = matrix_of(ahead_);
    const std::byte* const stored =
        stored_[layout_.order()[ahead_.place]].data() + ahead_.first * matrix.row_bytes;
    const std::int64_t bytes = matrix.rows_from(ahead_.first) * matrix.row_bytes;
    stagings_.put(bytes, [&](std::byte* pinned) {
      std::memcpy(pinned, stored, static_cast<std::size_t>(bytes));
    });
    ahead_ = after(ahead_);
  }
}

void WeightStream::put_x(const StreamedMatrix& matrix, const float* x, std::int64_t num_rows) {
  *host_counts_.as<StepCounts>() = {static_cast<std::int32_t>(num_rows), 0, 0, 0};
  check_cuda(cudaMemcpyAsync(counts_.data(), host_counts_.data(), sizeof(StepCounts),
                             cudaMemcpyHostToDevice, products_.get()),
             "copying counts");
  const auto bytes = static_cast<std::size_t>(num_rows * matrix.num_columns) * sizeof(float);
  check_cuda(cudaMemcpyAsync(x_.data(), x, bytes, cudaMemcpyHostToDevice, products_.get()),
             "copying rows for streamed weights");
  if (!matrix.format->kernels->is_quantised()) return;
  Quantize quantize{};
  quantize.x = x_.as<const float>();
  quantize.blocks = activation_blocks(blocks_.data(), matrix.num_columns);
  quantize.rows = {&counts_.as<StepCounts>()->num_tokens, 1};
  quantize.num_columns = matrix.num_columns;
  check_cuda(launch_quantize(quantize, num_rows, {products_.get(), 0, 0, 0}),
             "quantising rows for streamed weights");
}

/// Multiplies with rows as the file has them.
cudaError_t WeightStream::put_product(const StreamedMatrix& matrix, const std::byte* stored,
                                      std::int64_t slice_rows, std::int64_t num_rows) {
  const MatrixKernels& kernels = *matrix.format->kernels;
  Product product;
  product.matrix.data = reinterpret_cast<const unsigned char*>(stored);
  product.matrix.num_rows = static_cast<std::int32_t>(slice_rows);
  product.matrix.num_columns = static_cast<std::int32_t>(matrix.num_columns);
  product.y = result_.as<float>();
  Multiply multiply;
  multiply.rows = {&counts_.as<StepCounts>()->num_tokens, 1};
  if (kernels.is_quantised()) {
    Repack repack;
    repack.stored = product.matrix.data;
    repack.tiles = tiles_.as<unsigned char>();
    if (kernels.has_row_scales) repack.row_scales = row_scales_.as<float>();
    repack.num_rows = product.matrix.num_rows;
    repack.num_columns = product.matrix.num_columns;
    if (const cudaError_t error = kernels.repack(repack, products_.get()); error != cudaSuccess) {
      return error;
    }
    product.matrix.data = repack.tiles;
    product.matrix.row_scales = repack.row_scales;
    multiply.blocks = activation_blocks(blocks_.data(), matrix.num_columns);
  } else {
    multiply.x = x_.as<const float>();
  }
  multiply.add(product);
  return kernels.multiply(multiply, num_rows, {products_.get(), 0, 0, 0});
}

/// Multiplies with the next slice, and brings what results to pinned memory.
void WeightStream::take_slice(const StreamedMatrix& matrix, std::int64_t num_rows,
                              std::size_t result) {
  const std::int64_t slice_rows = matrix.rows_from(next_.first);
  stagings_.take(
      [&](const std::byte* stored) { return put_product(matrix, stored, slice_rows, num_rows); });
  next_ = after(next_);
  const auto bytes = static_cast<std::size_t>(num_rows * slice_rows) * sizeof(float);
  check_cuda(cudaMemcpyAsync(host_results_[result].data(), result_.data(), bytes,
                             cudaMemcpyDeviceToHost, products_.get()),
             "copying results of streamed weights");
  result_is_there_[result].record(products_);
}

void WeightStream::multiply(std::uint64_t index, const float* x, std::int64_t num_rows, float* y) {
  const StreamedMatrix& matrix = layout_.matrix(index);
  if (num_rows < 1 || num_rows > layout_.most_rows()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                "weight stream: 1 to " + std::to_string(layout_.most_rows()) +
                    " rows are expected, found " + std::to_string(num_rows));
  }
  seek(index);
  put_x(matrix, x, num_rows);
  const auto place = [&](std::int64_t first, std::size_t result) {
    result_is_there_[result].wait();
    place_columns(host_results_[result].as<const float>(), num_rows, matrix.rows_from(first), first,
                  matrix.num_rows, y);
  };
  std::size_t number = 0;
  for (std::int64_t first = 0; first < matrix.num_rows; first += matrix.slice_rows, ++number) {
    read_ahead();
    take_slice(matrix, num_rows, number % host_results_.size());
    read_ahead();
    // The results of the slice before this one, while the device multiplies with this one.
    if (number > 0) place(first - matrix.slice_rows, (number - 1) % host_results_.size());
  }
  place((matrix.num_rows - 1) / matrix.slice_rows * matrix.slice_rows,
        (number - 1) % host_results_.size());
  num_products_.fetch_add(1, std::memory_order_relaxed);
  weight_bytes_.fetch_add(static_cast<std::uint64_t>(matrix.bytes()), std::memory_order_relaxed);
}

std::vector<MemoryRow> WeightStream::memory_report(const std::string& device) const {
  std::int64_t on_device = stagings_.device_bytes();
  for (const Buffer* buffer : {&tiles_, &row_scales_, &x_, &blocks_, &counts_, &result_}) {
    on_device += buffer->bytes();
  }
  std::int64_t pinned = stagings_.pinned_bytes() + host_counts_.bytes();
  for (const Buffer& results : host_results_) pinned += results.bytes();
  return stream_rows(on_device, pinned, device);
}

vernal_weight_stream_stats WeightStream::stats() const {
  vernal_weight_stream_stats out{};
  out.struct_size = sizeof(out);
  out.products = num_products_.load(std::memory_order_relaxed);
  out.weight_bytes = weight_bytes_.load(std::memory_order_relaxed);
  return out;
}

}  // namespace vernal::cuda_sm86
