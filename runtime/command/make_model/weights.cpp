#include "command/make_model/weights.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include "model/row_quantizer.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kWeightsAtOnce = 1U << 22U;

// Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9U;
  z = (z ^ z >> 27U) * 0x94D049BB133111EBU;
  return z ^ z >> 31U;
}

class Random {
 public:
  Random(std::uint64_t seed, std::string_view name, std::uint64_t row) : state_(mix(seed)) {
    for (const char c : name) state_ = mix(state_ ^ static_cast<unsigned char>(c));
    state_ = mix(state_ + row);
  }

  std::uint64_t bits() { return mix(state_ += 0x9E3779B97F4A7C15U); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11U) * 0x1p-53; }
  /// Mean 0, deviation 1: four uniform numbers of 16 bits have the variance (65536^2 - 1) / 3.
  float normal() {
    const std::uint64_t b = bits();
    const std::uint64_t sum =
        (b & 0xFFFFU) + (b >> 16U & 0xFFFFU) + (b >> 32U & 0xFFFFU) + (b >> 48U);
    constexpr float kDeviation = 37837.227F;
    return (static_cast<float>(sum) - 131070.0F) / kDeviation;
  }

 private:
  std::uint64_t state_;
};

/// b such that softplus(b) is spread evenly over the logarithms from 0.001 to 0.1.
float time_step(double uniform) {
  const double step = std::exp(std::log(0.001) + uniform * std::log(100.0));
  return static_cast<float>(std::log(std::expm1(step)));
}

}  // namespace

void fill_row(const TensorPlan& tensor, std::uint64_t seed, std::uint64_t row, float* out) {
  Random random(seed, tensor.name, row);
  const auto scale = static_cast<float>(tensor.scale);
  for (std::uint64_t i = 0; i < tensor.columns(); ++i) {
    switch (tensor.filling) {
      case Filling::kNormal:
        out[i] = scale * random.normal();
        break;
      case Filling::kOnes:
        out[i] = 1;
        break;
      case Filling::kDecay:
        out[i] = static_cast<float>(-1 - 15 * random.uniform());
        break;
      case Filling::kTimeStep:
        out[i] = time_step(random.uniform());
        break;
    }
  }
}

void write_weights(const TensorPlan& tensor, std::uint64_t seed, GgufFileWriter& writer) {
  const QuantizeRow quantize = find_row_quantizer(*tensor.type);
  const std::uint64_t row_bytes = tensor.type->row_bytes(tensor.columns());
  const std::uint64_t rows_at_once =
      std::clamp<std::uint64_t>(kWeightsAtOnce / tensor.columns(), 1, tensor.rows());
  const std::uint64_t num_threads =
      std::clamp<std::uint64_t>(std::thread::hardware_concurrency(), 1, rows_at_once);
  std::vector<std::byte> bytes(rows_at_once * row_bytes);
  for (std::uint64_t first = 0; first < tensor.rows(); first += rows_at_once) {
    const std::uint64_t count = std::min(rows_at_once, tensor.rows() - first);
    const auto work = [&](std::uint64_t begin) {
      std::vector<float> row(tensor.columns());
      for (std::uint64_t i = begin; i < count; i += num_threads) {
        fill_row(tensor, seed, first + i, row.data());
        quantize(row.data(), tensor.columns(), bytes.data() + i * row_bytes);
      }
    };
    std::vector<std::jthread> others;
    for (std::uint64_t t = 1; t < num_threads; ++t) others.emplace_back(work, t);
    work(0);
    others.clear();
    writer.write({bytes.data(), count * row_bytes});
  }
}

}  // namespace vernal
