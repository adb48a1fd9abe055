// Products with weights that stay in the file: slices of any size give the same bits, in any order of
// matrices, on the emulated device, whose streams run nothing before somebody waits for it.
#include "weight_stream/weight_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "emulator/testing.hpp"
#include "faulty_kernels.hpp"
#include "unit/cpu_avx2/random_data.hpp"
#include "vernal/block_types.hpp"

namespace vernal {

/// There is no host here; nothing that a test does reaches it.
Host& plugin_host() noexcept {
  static Host host;
  return host;
}

}  // namespace vernal

namespace vernal::cuda_sm86 {
namespace {

using cpu_avx2::random_floats;
using cpu_avx2::random_weights;
using ::testing::ElementsAre;

constexpr std::int64_t kMostRows = 40;  // enough for the kernels of many rows
constexpr std::int64_t kOneTile = 1;    // of a slice: as little as there can be

struct Matrix {
  const char* format;
  std::int64_t num_rows;  // none of them a whole number of tiles but the last
  std::int64_t num_columns;
};

const std::vector<Matrix> kMatrices = {
    {"ggml.iq4_ks/1", 72, 512},
    {"ggml.q8_0/1", 37, 96},
    {"ggml.q4_k/1", 50, 256},
    {"ggml.q6_k/1", 7, 768},
    {"f16", 20, 96},
    {"bf16", 33, 40},
    {"f32", 16, 24},
};

/// "main" multiplies with all matrices but the last two, with the first one twice.
class Model {
 public:
  Model() {
    for (const Matrix& matrix : kMatrices) add(matrix);
    add({"ggml.iq2_xs/1", 32, 256});  // would have to be converted
    add({"f16", 16, 32});             // of another function
    std::vector<std::uint32_t> order(kMatrices.size() + 1);
    std::iota(order.begin(), order.end(), 0U);
    order.push_back(0);
    module_.functions.push_back(function("main", order));
    module_.functions.push_back(function("other", {static_cast<std::uint32_t>(order.size() - 1)}));
  }

  const Module& module() const { return module_; }
  std::vector<std::vector<std::byte>>& stored() { return stored_; }

  WeightSource source() {
    vernal_weight_source out{};
    out.struct_size = sizeof(out);
    out.user = this;
    out.map = [](void* user, std::uint64_t index, const void** data, std::uint64_t* bytes) {
      auto& model = *static_cast<Model*>(user);
      *data = model.stored_[index].data();
      *bytes = model.stored_[index].size();
      ++model.num_mapped_[index];
      return std::int32_t{VERNAL_OK};
    };
    out.unmap = [](void* user, std::uint64_t index) {
      --static_cast<Model*>(user)->num_mapped_[index];
      return std::int32_t{VERNAL_OK};
    };
    return WeightSource(&out);
  }
  int num_mapped() const {
    return std::accumulate(num_mapped_.begin(), num_mapped_.end(), 0,
                           [](int sum, const auto& entry) { return sum + entry.second; });
  }

  /// x W^T in double.
  std::vector<double> expected(std::size_t index, const std::vector<float>& x) const {
    const Weight& weight = module_.weights[index];
    const BlockType& type = *find_block_type(std::string_view(weight.format));
    const auto columns = static_cast<std::size_t>(weight.shape[1]);
    const std::size_t num_x = x.size() / columns;
    std::vector<float> row(columns);
    std::vector<double> out(num_x * static_cast<std::size_t>(weight.shape[0]));
    for (std::size_t n = 0; n < out.size() / num_x; ++n) {
      dequantize_row(type, stored_[index].data() + n * type.row_bytes(columns), columns,
                     row.data());
      for (std::size_t r = 0; r < num_x; ++r) {
        double sum = 0;
        for (std::size_t k = 0; k < columns; ++k) {
          sum += static_cast<double>(row[k]) * static_cast<double>(x[r * columns + k]);
        }
        out[r * (out.size() / num_x) + n] = sum;
      }
    }
    return out;
  }

 private:
  void add(const Matrix& matrix) {
    Weight weight;
    weight.name = "w" + std::to_string(module_.weights.size());
    weight.format = matrix.format;
    weight.shape = {{matrix.num_rows, matrix.num_columns}, 2};
    const auto seed = static_cast<std::uint32_t>(module_.weights.size() + 1);
    stored_.push_back(random_weights(*find_block_type(std::string_view(weight.format)),
                                     matrix.num_rows, matrix.num_columns, seed));
    weight.bytes = stored_.back().size();
    module_.weights.push_back(weight);
  }
  static Function function(const char* name, const std::vector<std::uint32_t>& weights) {
    Function out;
    out.name = name;
    for (const std::uint32_t index : weights) {
      Node node;
      node.op = "vernal.linear/1";
      node.operands = {{VERNAL_OPERAND_VALUE, 0}, {VERNAL_OPERAND_WEIGHT, index}};
      out.nodes.push_back(node);
    }
    return out;
  }

  Module module_;
  std::vector<std::vector<std::byte>> stored_;  // by weight
  std::map<std::uint64_t, int> num_mapped_;
};

/// A stream of a model.
struct Open {
  explicit Open(Model& from, std::int64_t slice_bytes = kStagingBytes)
      : model(from),
        layout(from.module(), static_cast<std::uint64_t>(kMostRows), slice_bytes),
        stream(layout, from.source()) {}

  std::vector<float> multiply(std::size_t index, const std::vector<float>& x) {
    const Weight& weight = model.module().weights[index];
    const auto num_rows = static_cast<std::int64_t>(x.size()) / weight.shape[1];
    std::vector<float> y(static_cast<std::size_t>(num_rows * weight.shape[0]), NAN);
    stream.multiply(index, x.data(), num_rows, y.data());
    return y;
  }

  Model& model;
  StreamLayout layout;
  WeightStream stream;
};

std::vector<float> some_x(std::size_t index, std::int64_t num_rows) {
  const auto count = static_cast<std::size_t>(num_rows * kMatrices[index].num_columns);
  return random_floats(count, static_cast<std::uint32_t>(70 + index));
}

/// sum((y - expected)^2) / sum(expected^2)
double error_of(const std::vector<float>& y, const std::vector<double>& expected) {
  double error = 0;
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double difference = static_cast<double>(y[i]) - expected[i];
    error += difference * difference;
    sum += expected[i] * expected[i];
  }
  return std::isfinite(error) ? error / sum : INFINITY;
}

class WeightStreams : public ::testing::Test {
 protected:
  void SetUp() override { restart({}, emulator::Pace::kLazy); }
  void TearDown() override { restart({}, emulator::Pace::kLazy); }

  static void restart(const emulator::Schedule& schedule, emulator::Pace pace) {
    emulator::reset();
    emulator::set_schedule(schedule);
    emulator::set_pace(pace);
  }

  static std::size_t free_bytes() {
    std::size_t free = 0;
    std::size_t total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  }

  Model model_;
};

TEST_F(WeightStreams, CoverTheMatricesOfMainThatNeedNoConversion) {
  const StreamLayout layout(model_.module(), 1);
  EXPECT_THAT(layout.order(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 0));
  for (std::uint64_t i = 0; i < model_.module().weights.size() + 2; ++i) {
    EXPECT_EQ(layout.covers(i), i < kMatrices.size()) << i;
  }
}

TEST_F(WeightStreams, MultiplyWithMatricesOfEveryKind) {
  Open open(model_, kOneTile);
  for (std::size_t index = 0; index < kMatrices.size(); ++index) {
    for (const std::int64_t num_rows : {std::int64_t{1}, std::int64_t{13}, kMostRows}) {
      const std::vector<float> x = some_x(index, num_rows);
      const bool is_float = !open.layout.matrix(index).format->kernels->is_quantised();
      EXPECT_LE(error_of(open.multiply(index, x), model_.expected(index, x)),
                is_float ? 1e-10 : 4e-4)
          << kMatrices[index].format << ", " << num_rows << " rows";
    }
  }
  EXPECT_EQ(emulator::last_fault(), "");
}

TEST_F(WeightStreams, GiveTheSameBitsForSlicesOfAnySizeInAnyOrderOfThreads) {
  using emulator::Order;
  std::vector<std::vector<float>> whole;
  for (const emulator::Pace pace : {emulator::Pace::kLazy, emulator::Pace::kEager}) {
    for (const emulator::Schedule& schedule :
         {emulator::Schedule{Order::kForward, 1}, {Order::kReverse, 1}, {Order::kRandom, 5}}) {
      restart(schedule, pace);
      for (const std::int64_t slice_bytes : {kStagingBytes, std::int64_t{10'000}, kOneTile}) {
        Open open(model_, slice_bytes);
        for (std::size_t i = 0; i < 2 * kMatrices.size(); ++i) {  // twice round
          const std::size_t index = i % kMatrices.size();
          const std::vector<float> y = open.multiply(index, some_x(index, 11));
          if (whole.size() == index) whole.push_back(y);
          ASSERT_EQ(y, whole[index]) << kMatrices[index].format << ", slices of " << slice_bytes;
        }
      }
    }
  }
}

TEST_F(WeightStreams, FindEachMatrixWhoeverComesNext) {
  Open open(model_, kOneTile);
  Open whole(model_);
  for (const std::size_t index : {3U, 3U, 0U, 6U, 0U, 1U, 5U, 2U, 2U, 4U, 0U}) {
    const std::vector<float> x = some_x(index, 5);
    ASSERT_EQ(open.multiply(index, x), whole.multiply(index, x)) << index;
  }
}

TEST_F(WeightStreams, ReadTheNextMatrixWhileTheDeviceIsAtWork) {
  Open open(model_);
  const std::vector<float> x = some_x(2, 3);
  const std::vector<float> before = open.multiply(2, x);
  open.multiply(1, some_x(1, 3));
  std::ranges::fill(model_.stored()[2], std::byte{0});
  EXPECT_EQ(open.multiply(2, x), before) << "it was not read ahead";
  EXPECT_NE(open.multiply(2, x), before) << "it is not read for each product";
}

TEST_F(WeightStreams, TakeWhatTheirPlanSaysAndNothingLater) {
  for (const std::int64_t slice_bytes : {kStagingBytes, kOneTile}) {
    Open open(model_, slice_bytes);
    const std::vector<MemoryRow> report = open.stream.memory_report("cuda:0");
    const std::vector<MemoryRow> plan =
        stream_rows(open.layout.device_bytes(), open.layout.pinned_bytes(), "cuda:0");
    ASSERT_EQ(report.size(), 2U);
    ASSERT_EQ(plan.size(), 2U);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      EXPECT_EQ(report[i].bytes, plan[i].bytes) << i;
      EXPECT_EQ(report[i].device, i == 0 ? "cuda:0" : "cpu");
      EXPECT_EQ(report[i].category, i == 0 ? VERNAL_MEMORY_WORKSPACE : VERNAL_MEMORY_PINNED_HOST);
    }
    const std::size_t free = free_bytes();
    for (std::size_t index = 0; index < kMatrices.size(); ++index) {
      open.multiply(index, some_x(index, kMostRows));
    }
    EXPECT_EQ(free_bytes(), free);
  }
}

TEST_F(WeightStreams, CountProductsAndGiveTheWeightsBack) {
  {
    Open open(model_);
    EXPECT_EQ(model_.num_mapped(), static_cast<int>(kMatrices.size()));
    EXPECT_EQ(open.stream.stats().products, 0U);
    open.multiply(0, some_x(0, 2));
    open.multiply(1, some_x(1, 2));
    EXPECT_EQ(open.stream.stats().products, 2U);
    EXPECT_EQ(open.stream.stats().weight_bytes,
              model_.stored()[0].size() + model_.stored()[1].size());
  }
  EXPECT_EQ(model_.num_mapped(), 0);
}

TEST_F(WeightStreams, RefuseWhatTheyWereNotPlannedFor) {
  EXPECT_THROW(StreamLayout(model_.module(), 0), Error);
  Open open(model_);
  const std::vector<float> x = some_x(0, kMostRows + 1);
  std::vector<float> y(static_cast<std::size_t>((kMostRows + 1) * kMatrices[0].num_rows));
  EXPECT_THROW(open.stream.multiply(0, x.data(), kMostRows + 1, y.data()), Error);
  EXPECT_THROW(open.stream.multiply(0, x.data(), 0, y.data()), Error);
  EXPECT_THROW(open.stream.multiply(kMatrices.size(), x.data(), 1, y.data()), Error);
  model_.stored()[2].pop_back();
  EXPECT_THROW(Open{model_}, Error);
}

TEST_F(WeightStreams, SayThatTheDeviceIsLost) {
  Open open(model_);
  const std::vector<float> x = some_x(0, 2);
  open.multiply(0, x);
  const Buffer numbers(MemoryPlace::kPinned, kFaultyThreads * 4, "numbers");
  ASSERT_EQ(faulty_kernel(nullptr, FaultyKernel::kTrap, numbers.as<float>(), numbers.as<float>()),
            cudaSuccess);
  EXPECT_NE(cudaStreamSynchronize(nullptr), cudaSuccess);
  EXPECT_THROW(open.multiply(0, x), Error);
}

}  // namespace
}  // namespace vernal::cuda_sm86
