// A step of 1 to 8 rows reads the codes of each matrix once, whichever kernel multiplies it: what the plan
// counts is what the kernels load. Scales, less than a ninth of the bytes, are loaded through the cache
// and are not counted here.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "device/memory.hpp"
#include "emulator/testing.hpp"
#include "kernels/matmul/matmul.hpp"

namespace vernal::cuda_sm86 {
namespace {

constexpr std::int32_t kOutputs = 64;
constexpr std::int32_t kColumns = 2560;

struct Format {
  const char* name;
  const MatrixKernels* kernels;
  std::int64_t code_bits;
  std::int64_t block_columns;
  std::int64_t block_bytes;  // in a file
};

class WeightReads : public ::testing::TestWithParam<Format> {
 protected:
  WeightReads() {
    emulator::reset();
    matrices_ = Buffer(MemoryPlace::kPinned, 2 * matrix_bytes(), "matrices");
    row_scales_ = Buffer(MemoryPlace::kPinned, kOutputs * 4, "row scales");
    x_ = Buffer(MemoryPlace::kPinned, activation_bytes(8, kColumns), "x");
    y_ = Buffer(MemoryPlace::kPinned, 8 * 2 * kOutputs * 4, "y");
    counts_ = Buffer(MemoryPlace::kPinned, sizeof(StepCounts), "counts");
    for (Buffer* const zeros : {&matrices_, &row_scales_, &x_}) {
      std::memset(zeros->data(), 0, static_cast<std::size_t>(zeros->bytes()));
    }
  }

  static std::int64_t matrix_bytes() {
    return kOutputs / kTileRows * GetParam().kernels->row_tile_bytes(kColumns);
  }
  static std::uint64_t code_bytes() {
    return static_cast<std::uint64_t>(kOutputs * std::int64_t{kColumns} * GetParam().code_bits / 8);
  }

  /// Products of so many rows with both matrices.
  Multiply both(std::int32_t num_rows) {
    *counts_.as<StepCounts>() = {num_rows, 0, 1, 0};
    Multiply multiply;
    for (int i = 0; i < 2; ++i) {
      Product product;
      product.matrix = {matrices_.as<unsigned char>() + i * matrix_bytes(), row_scales_.as<float>(),
                        kOutputs, kColumns};
      product.y = y_.as<float>() + i * 8 * kOutputs;
      product.codec = GetParam().kernels->codec;
      multiply.add(product);
    }
    multiply.blocks = activation_blocks(x_.data(), kColumns);
    multiply.rows = {&counts_.as<StepCounts>()->num_tokens, 1};
    return multiply;
  }

  /// What kernels have loaded past the first cache while `launch` ran.
  template <class Launch>
  static std::uint64_t loaded(const Launch& launch) {
    const std::uint64_t before = emulator::counters().load_once_bytes;
    EXPECT_EQ(launch(), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess) << emulator::last_fault();
    return emulator::counters().load_once_bytes - before;
  }

  GatedUnit unit() {
    GatedUnit unit{};
    unit.y = y_.as<float>();
    unit.num_columns = kOutputs;
    return unit;
  }

 private:
  Buffer matrices_;
  Buffer row_scales_;
  Buffer x_;
  Buffer y_;
  Buffer counts_;
};

TEST_P(WeightReads, AreOneForEachCodeInSmallSteps) {
  for (const std::int32_t rows : {1, 3, 8}) {
    const LaunchSize size{nullptr, rows, 0, 1};
    const Multiply multiply = both(rows);
    EXPECT_EQ(loaded([&] { return GetParam().kernels->multiply(multiply, rows, size); }),
              2 * code_bytes())
        << rows;
    EXPECT_EQ(loaded([&] { return launch_multiply_mixed(multiply, size); }), 2 * code_bytes());
    EXPECT_EQ(loaded([&] {
                return GetParam().kernels->multiply_gated({multiply, unit()}, size);
              }),
              2 * code_bytes());
  }
}

TEST_P(WeightReads, PassOverTheBytesOfTheFile) {
  EXPECT_EQ(matrix_bytes(),
            kOutputs * (kColumns / GetParam().block_columns) * GetParam().block_bytes);
}

INSTANTIATE_TEST_SUITE_P(Formats, WeightReads,
                         ::testing::Values(Format{"q4_0", &kQ4_0Kernels, 4, 32, 18},
                                           Format{"q8_0", &kQ8_0Kernels, 8, 32, 34},
                                           Format{"q4_k", &kQ4KKernels, 4, 256, 144},
                                           Format{"q5_k", &kQ5KKernels, 5, 256, 176},
                                           Format{"q6_k", &kQ6KKernels, 6, 256, 210},
                                           Format{"iq4_xs", &kIq4XsKernels, 4, 256, 136},
                                           Format{"iq4_ks", &kIq4KsKernels, 4, 256, 136}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace vernal::cuda_sm86
