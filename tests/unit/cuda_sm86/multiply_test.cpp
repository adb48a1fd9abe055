// Products with quantised weights: the kernel for many rows gives the bits of the one for few, for
// every codec, on the emulated device and in every order of its threads.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "device/memory.hpp"
#include "emulator/testing.hpp"
#include "kernels/matmul/matmul.hpp"

namespace vernal::cuda_sm86 {
namespace {

/// A format as files have it. Scales are overwritten, so that made-up bytes are numbers.
struct Format {
  const char* name;
  const MatrixKernels* kernels;
  int header;  // bytes of f32 in front of a row
  int columns;
  int bytes;
  std::vector<int> halves;  // where f16 stand in a block
  std::vector<int> floats;  // where f32 stand
};

const std::vector<Format>& formats() {
  static const std::vector<Format> kFormats = {
      {"q4_0", &kQ4_0Kernels, 0, 32, 18, {0}, {}},
      {"q8_0", &kQ8_0Kernels, 0, 32, 34, {0}, {}},
      {"iq4_nl", &kIq4NlKernels, 0, 32, 18, {0}, {}},
      {"affine_32", &kAffine32Kernels, 0, 32, 40, {}, {0, 4}},
      {"q4_k", &kQ4KKernels, 0, 256, 144, {0, 2}, {}},
      {"q5_k", &kQ5KKernels, 0, 256, 176, {0, 2}, {}},
      {"q6_k", &kQ6KKernels, 0, 256, 210, {208}, {}},
      {"iq4_xs", &kIq4XsKernels, 0, 256, 136, {0}, {}},
      {"iq4_ks", &kIq4KsKernels, 4, 256, 136, {}, {}},
      {"eight_bit", &kEightBitKernels, 0, 256, 276, {}, {0}},
      {"affine_256", &kAffine256Kernels, 0, 256, 296, {}, {0, 4}},
  };
  return kFormats;
}

constexpr std::int32_t kOutputs = 72;  // of two matrices: neither is whole blocks of threads
constexpr std::int32_t kFewOutputs = 7;
constexpr std::int64_t kRows = 70;

/// A small number of either sign, as f16 and as f32.
std::uint16_t some_half(std::mt19937& random) {
  return static_cast<std::uint16_t>((random() & 0x83FFU) | 0x2400U);
}
float some_float(std::mt19937& random) {
  return std::uniform_real_distribution<float>(-0.03F, 0.03F)(random);
}

struct Case {
  Format format;
  std::int64_t num_columns;
};

std::string name_of(const Case& tested) {
  return std::string(tested.format.name) + "_" + std::to_string(tested.num_columns);
}

void PrintTo(const Case& tested, std::ostream* out) { *out << name_of(tested); }

/// Blocks of 32 end in the middle of a tile; of 256 there are more tiles than parts of a sum. Of 96
/// columns, what the last tile has no block for is shared memory that nothing was copied to.
std::vector<Case> cases() {
  std::vector<Case> out;
  for (const Format& format : formats()) {
    out.push_back({format, format.columns == 32 ? 1120 : 2560});
    if (format.columns == 32) out.push_back({format, 96});
  }
  return out;
}

class ManyRows : public ::testing::TestWithParam<Case> {
 protected:
  const Format& tested() const { return GetParam().format; }
  std::int64_t num_columns() const { return GetParam().num_columns; }

  /// A matrix of so many rows on the device.
  DeviceMatrix matrix(std::int32_t num_rows) {
    const Format& format = tested();
    const std::int64_t blocks = num_columns() / format.columns;
    const std::int64_t row_bytes = format.header + blocks * format.bytes;
    Buffer stored(MemoryPlace::kPinned, num_rows * row_bytes, "stored");
    for (std::int64_t i = 0; i < num_rows * row_bytes; ++i) {
      stored.data()[i] = static_cast<std::byte>(random_());
    }
    for (std::int64_t row = 0; row < num_rows; ++row) {
      if (format.header != 0) put(stored.data() + row * row_bytes, some_float(random_));
      for (std::int64_t block = 0; block < blocks; ++block) {
        std::byte* const at =
            stored.data() + row * row_bytes + format.header + block * format.bytes;
        for (const int half : format.halves) put(at + half, some_half(random_));
        for (const int number : format.floats) put(at + number, some_float(random_));
      }
    }
    const std::int64_t tile_rows = (num_rows + kTileRows - 1) / kTileRows;
    const Buffer& tiles = keep(Buffer(
        MemoryPlace::kDevice, tile_rows * format.kernels->row_tile_bytes(num_columns()), "tiles"));
    const Buffer& scales = keep(Buffer(MemoryPlace::kDevice, tile_rows * kTileRows * 4, "scales"));
    Repack repack;
    repack.stored = reinterpret_cast<const unsigned char*>(stored.data());
    repack.tiles = tiles.as<unsigned char>();
    repack.row_scales = scales.as<float>();
    repack.num_rows = num_rows;
    repack.num_columns = static_cast<std::int32_t>(num_columns());
    EXPECT_EQ(format.kernels->repack(repack, nullptr), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
    return {tiles.as<unsigned char>(), scales.as<float>(), num_rows, repack.num_columns};
  }

  /// The outputs of both matrices for rows [first, first + count) of x, in a step of `most` rows.
  std::vector<float> multiplied(std::int64_t first, std::int64_t count, std::int64_t most) {
    const Buffer counts(MemoryPlace::kPinned, sizeof(StepCounts), "counts");
    *counts.as<StepCounts>() = {static_cast<std::int32_t>(count), 0, 1, 0};
    const DeviceRows rows{&counts.as<StepCounts>()->num_tokens, 1};
    const Buffer x(MemoryPlace::kPinned, count * num_columns() * 4, "x");
    std::memcpy(x.data(), x_.data() + first * num_columns(),
                static_cast<std::size_t>(count * num_columns() * 4));
    const Buffer blocks(MemoryPlace::kDevice, activation_bytes(count, num_columns()), "blocks");
    const Buffer y(MemoryPlace::kPinned, count * (kOutputs + kFewOutputs) * 4, "y");
    Quantize quantize{};
    quantize.x = x.as<float>();
    quantize.blocks = activation_blocks(blocks.data(), num_columns());
    quantize.rows = rows;
    quantize.num_columns = num_columns();
    const LaunchSize size{nullptr, static_cast<std::int32_t>(most), 0, 1};
    EXPECT_EQ(launch_quantize(quantize, most, size), cudaSuccess);
    Multiply multiply;
    Product product;
    product.matrix = large_;
    product.y = y.as<float>();
    multiply.add(product);
    product.matrix = small_;
    product.y = y.as<float>() + count * kOutputs;
    multiply.add(product);
    multiply.blocks = quantize.blocks;
    multiply.rows = rows;
    EXPECT_EQ(tested().kernels->multiply(multiply, most, size), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess) << emulator::last_fault();
    return {y.as<float>(), y.as<float>() + count * (kOutputs + kFewOutputs)};
  }

  void SetUp() override {
    emulator::reset();
    large_ = matrix(kOutputs);
    small_ = matrix(kFewOutputs);
    for (std::int64_t i = 0; i < kRows * num_columns(); ++i) x_.push_back(some_float(random_));
  }
  void TearDown() override {
    kept_.clear();
    emulator::set_schedule({});
  }

 private:
  template <class T>
  static void put(std::byte* at, T value) {
    std::memcpy(at, &value, sizeof value);
  }
  const Buffer& keep(Buffer buffer) {
    kept_.push_back(std::move(buffer));
    return kept_.back();
  }

  std::mt19937 random_{7};
  std::deque<Buffer> kept_;
  DeviceMatrix large_;
  DeviceMatrix small_;
  std::vector<float> x_;
};

/// Output n of row `row`, of `count` rows: first those of the large matrix, then those of the small.
float output(const std::vector<float>& y, std::int64_t count, std::int64_t row, std::int64_t n) {
  const std::int64_t at =
      n < kOutputs ? row * kOutputs + n : count * kOutputs + row * kFewOutputs + n - kOutputs;
  return y[static_cast<std::size_t>(at)];
}

TEST_P(ManyRows, GiveTheBitsOfFew) {
  std::vector<std::vector<float>> alone;
  const std::vector<std::int64_t> looked_at = {0, 9, 63, 64, kRows - 1};
  for (const std::int64_t row : looked_at) alone.push_back(multiplied(row, 1, 1));
  ASSERT_NE(output(alone[0], 1, 0, 0), output(alone[1], 1, 0, 0)) << "nothing to compare";
  for (const emulator::Order order : emulator::kAllOrders) {
    emulator::set_schedule({order, 1});
    const std::vector<float> together = multiplied(0, kRows, kRows);
    const std::vector<float> some = multiplied(0, 20, 20);
    for (std::size_t i = 0; i < looked_at.size(); ++i) {
      for (std::int64_t n = 0; n < kOutputs + kFewOutputs; ++n) {
        const float expected = output(alone[i], 1, 0, n);
        ASSERT_EQ(output(together, kRows, looked_at[i], n), expected)
            << "row " << looked_at[i] << ", output " << n << ", order " << static_cast<int>(order);
        if (looked_at[i] < 20) {
          ASSERT_EQ(output(some, 20, looked_at[i], n), expected);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ManyRows, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace vernal::cuda_sm86
