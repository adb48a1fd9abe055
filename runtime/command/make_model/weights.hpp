// The numbers in a made-up model.
#pragma once

#include <cstdint>

#include "command/make_model/tensors.hpp"
#include "model/gguf_file_writer.hpp"

namespace vernal {

/// One row of a tensor, [tensor.columns()] floats, out of seed, tensor name and row alone: the same
/// on every machine, whatever else the file holds. Normal numbers are sums of four uniform ones,
/// within 3.5 deviations: exact in integers, and four times as fast as a logarithm.
void fill_row(const TensorPlan& tensor, std::uint64_t seed, std::uint64_t row, float* out);

/// Makes, quantises and writes all rows of one tensor, some megabytes at a time, on every core.
void write_weights(const TensorPlan& tensor, std::uint64_t seed, GgufFileWriter& writer);

}  // namespace vernal
