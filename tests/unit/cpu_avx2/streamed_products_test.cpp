// A program that gives large products to a stream of weights: which ones, what becomes of the results,
// and that an answer is right where the stream fails.
#include "streamed_products.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "program.hpp"
#include "random_data.hpp"
#include "state/pool.hpp"
#include "vernal/block_types.hpp"
#include "vernal/host.hpp"

namespace vernal {

namespace {

/// What plugins have logged.
std::vector<std::string>& log_lines() {
  static std::vector<std::string> lines;
  return lines;
}

vernal_host_api logging_host() {
  vernal_host_api api{};
  api.struct_size = sizeof(api);
  api.log = [](vernal_host*, std::uint32_t level, vernal_str component, vernal_str, std::uint32_t,
               vernal_str text) -> std::int32_t {
    log_lines().push_back(std::to_string(level) + " " + std::string(view(component)) + ": " +
                          std::string(view(text)));
    return VERNAL_OK;
  };
  return api;
}

}  // namespace

Host& plugin_host() noexcept {
  static const vernal_host_api api = logging_host();
  static Host host(nullptr, &api);
  return host;
}

}  // namespace vernal

namespace vernal::cpu_avx2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kWidth = 256;
constexpr std::int64_t kOutputs = 40;
constexpr std::uint64_t kLeast = 8;
constexpr std::uint64_t kMost = 24;
constexpr std::uint64_t kQuantised = 0;  // [kWidth, kWidth], with a bias; its result gets x added
constexpr std::uint64_t kBias = 1;
constexpr std::uint64_t kFloats = 2;  // [kOutputs, kWidth]

/// result = linear(linear(x, 0) + bias + x, 2)
class Model {
 public:
  Model() {
    add("ggml.q8_0/1", {kWidth, kWidth});
    add("f32", {kWidth});
    add("f32", {kOutputs, kWidth});
    Function main;
    main.name = "main";
    for (const std::int64_t columns : {kWidth, kWidth, kWidth, kOutputs}) {
      main.values.push_back({{{VERNAL_DIM_TOKENS, columns}, 2}, VERNAL_ELEMENT_F32});
    }
    main.nodes = {node("vernal.input/1", {}, {0}, "x"),
                  node("vernal.linear/1",
                       {{VERNAL_OPERAND_VALUE, 0},
                        {VERNAL_OPERAND_WEIGHT, static_cast<std::uint32_t>(kQuantised)},
                        {VERNAL_OPERAND_WEIGHT, static_cast<std::uint32_t>(kBias)}},
                       {1}),
                  node("vernal.add/1", {{VERNAL_OPERAND_VALUE, 1}, {VERNAL_OPERAND_VALUE, 0}}, {2}),
                  node("vernal.linear/1",
                       {{VERNAL_OPERAND_VALUE, 2},
                        {VERNAL_OPERAND_WEIGHT, static_cast<std::uint32_t>(kFloats)}},
                       {3}),
                  node("vernal.output/1", {{VERNAL_OPERAND_VALUE, 3}}, {}, "result")};
    module_.functions.push_back(main);
  }

  const Module& module() const { return module_; }
  const float* numbers(std::uint64_t index) const {
    return reinterpret_cast<const float*>(stored_[index].data());
  }
  vernal_weight_source source() {
    vernal_weight_source out{};
    out.struct_size = sizeof(out);
    out.user = this;
    out.map = [](void* user, std::uint64_t index, const void** data, std::uint64_t* bytes) {
      const auto& stored = static_cast<const Model*>(user)->stored_[index];
      *data = stored.data();
      *bytes = stored.size();
      return std::int32_t{VERNAL_OK};
    };
    out.unmap = [](void*, std::uint64_t) { return std::int32_t{VERNAL_OK}; };
    return out;
  }

 private:
  static Node node(const char* op, std::vector<vernal_operand> operands,
                   std::vector<std::uint32_t> outputs, const char* name = nullptr) {
    Node out;
    out.op = op;
    out.operands = std::move(operands);
    out.outputs = std::move(outputs);
    if (name == nullptr) return out;
    Attribute attribute;
    attribute.name = "name";
    attribute.type = VERNAL_ATTR_STRING;
    attribute.text = name;
    out.attributes = {attribute};
    return out;
  }
  void add(const char* format, const std::vector<std::int64_t>& dims) {
    Weight weight;
    weight.name = "w" + std::to_string(module_.weights.size());
    weight.format = format;
    for (const std::int64_t dim : dims) weight.shape.dims[weight.shape.rank++] = dim;
    const auto seed = static_cast<std::uint32_t>(module_.weights.size() + 1);
    stored_.push_back(random_weights(*find_block_type(std::string_view(weight.format)),
                                     dims.size() == 2 ? dims[0] : 1, dims.back(), seed));
    weight.bytes = stored_.back().size();
    module_.weights.push_back(weight);
  }

  Module module_;
  std::vector<std::vector<std::byte>> stored_;
};

/// A stream whose products are easily told from true ones: y[r][n] = 100 weight + r + n / 1024.
class FakeStream {
 public:
  struct Call {
    std::uint64_t weight;
    std::uint64_t num_rows;
    bool operator==(const Call&) const = default;
  };

  FakeStream() {
    api_.struct_size = sizeof(api_);
    api_.multiply = [](vernal_weight_stream* handle, std::uint64_t index, const float* x,
                       std::uint64_t num_rows, float* y) -> std::int32_t {
      auto& self = *reinterpret_cast<FakeStream*>(handle);
      self.calls.push_back({index, num_rows});
      self.last_x.assign(x, x + num_rows * static_cast<std::uint64_t>(kWidth));
      const auto columns = static_cast<std::uint64_t>(index == kFloats ? kOutputs : kWidth);
      for (std::uint64_t i = 0; i < num_rows * columns; ++i) {
        y[i] = self.fails ? NAN : product(index, i / columns, i % columns);
      }
      return self.fails ? VERNAL_DEVICE_LOST : VERNAL_OK;
    };
  }

  static float product(std::uint64_t weight, std::uint64_t row, std::uint64_t column) {
    return static_cast<float>(100 * weight + row) + static_cast<float>(column) / 1024.0F;
  }

  vernal_weight_stream_use use(const std::vector<std::uint64_t>& weights) {
    vernal_weight_stream_use out{};
    out.struct_size = sizeof(out);
    out.api = &api_;
    out.stream = reinterpret_cast<vernal_weight_stream*>(this);
    out.weights = weights.data();
    out.num_weights = weights.size();
    out.least_rows = kLeast;
    out.most_rows = kMost;
    return out;
  }

  std::vector<Call> calls;
  std::vector<float> last_x;
  bool fails = false;

 private:
  vernal_weight_stream_api api_{};
};

/// The program, with a stream or without.
class Runner {
 public:
  explicit Runner(const vernal_weight_stream_use* use = nullptr) {
    PlanOptions options;
    options.context_length = options.kv_tokens = 2048;
    options.max_sequences = 1;
    options.max_tokens_per_step = options.max_rows = 64;
    const InstructionSet set = best_instruction_set();
    auto compiled = std::make_shared<CompiledModule>(std::make_shared<Module>(model_.module()),
                                                     options, 3, set, Repack::kAuto);
    const vernal_weight_source source = model_.source();
    program_.emplace(std::move(compiled),
                     std::make_shared<Instance>(3, std::span<const std::int64_t>{}, set),
                     WeightSource(&source), Progress(nullptr));
    if (use != nullptr) program_->use_stream(*use);
    pool_ = program_->create_pool();
  }

  std::vector<float> run(const std::vector<float>& x) {
    const std::size_t tokens = x.size() / static_cast<std::size_t>(kWidth);
    const vernal_sequence_id sequence = pool_->seq_create();
    pool_->seq_reserve(sequence, tokens);
    StepBatch batch;
    batch.num_tokens = tokens;
    batch.sequences = {{sequence, 0, tokens, 0}};
    vernal_step_input input{};
    input.struct_size = sizeof(input);
    input.name = to_str("x");
    input.data = x.data();
    input.bytes = x.size() * sizeof(float);
    input.source = VERNAL_INPUT_HOST;
    batch.inputs = {input};
    const vernal_ticket ticket = pool_->step_submit(batch);
    const StepOutput y = pool_->step_output(ticket, "result");
    std::vector<float> out(y.data, y.data + y.rows * y.columns);
    pool_->step_release(ticket);
    pool_->seq_release(sequence);
    return out;
  }

  const Model& model() const { return model_; }
  std::uint32_t flags() const { return pool_->info().flags; }

 private:
  Model model_;
  std::optional<Program> program_;
  std::unique_ptr<BackendPool> pool_;
};

std::vector<float> rows(std::uint64_t count) {
  return random_floats(static_cast<std::size_t>(count) * static_cast<std::size_t>(kWidth), 9);
}

TEST(StreamedProducts, AreThoseOfManyRowsWithACoveredWeight) {
  FakeStream stream;
  const std::vector<std::uint64_t> weights{kQuantised};
  const vernal_weight_stream_use use = stream.use(weights);
  Runner runner(&use);
  Runner alone;
  for (const std::uint64_t count : {std::uint64_t{1}, kLeast - 1, kMost + 1, std::uint64_t{64}}) {
    EXPECT_EQ(runner.run(rows(count)), alone.run(rows(count))) << count;
  }
  EXPECT_TRUE(stream.calls.empty());
  EXPECT_NE(runner.run(rows(kLeast)), alone.run(rows(kLeast)));
  EXPECT_NE(runner.run(rows(kMost)), alone.run(rows(kMost)));
  EXPECT_THAT(stream.calls, ElementsAre(FakeStream::Call{kQuantised, kLeast},
                                        FakeStream::Call{kQuantised, kMost}));
}

TEST(StreamedProducts, GetTheFloatsOfXAndAreFinishedHere) {
  FakeStream stream;
  const std::vector<std::uint64_t> weights{kQuantised, kFloats};
  const vernal_weight_stream_use use = stream.use(weights);
  Runner runner(&use);
  const std::vector<float> x = rows(kLeast);
  const std::vector<float> y = runner.run(x);
  EXPECT_THAT(stream.calls,
              ElementsAre(FakeStream::Call{kQuantised, kLeast}, FakeStream::Call{kFloats, kLeast}));
  // The second product has the result of the first as its x: with bias and x added.
  const float* const bias = runner.model().numbers(kBias);
  for (std::size_t i = 0; i < stream.last_x.size(); ++i) {
    const std::size_t row = i / static_cast<std::size_t>(kWidth);
    const std::size_t column = i % static_cast<std::size_t>(kWidth);
    const float sum = FakeStream::product(kQuantised, row, column) + bias[column];
    ASSERT_EQ(stream.last_x[i], sum + x[i]) << row << ", " << column;
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto columns = static_cast<std::size_t>(kOutputs);
    ASSERT_EQ(y[i], FakeStream::product(kFloats, i / columns, i % columns)) << i;
  }
}

TEST(StreamedProducts, AreComputedHereIfTheStreamFails) {
  log_lines().clear();
  FakeStream stream;
  stream.fails = true;
  const std::vector<std::uint64_t> weights{kQuantised, kFloats};
  const vernal_weight_stream_use use = stream.use(weights);
  Runner runner(&use);
  Runner alone;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(runner.run(rows(kMost)), alone.run(rows(kMost)));
  EXPECT_EQ(stream.calls.size(), 1U) << "a stream that failed was asked again";
  ASSERT_EQ(log_lines().size(), 1U);
  EXPECT_THAT(log_lines()[0], HasSubstr(std::to_string(VERNAL_LOG_WARNING) + " cpu_avx2: "));
  EXPECT_THAT(log_lines()[0], HasSubstr("DEVICE_LOST"));
}

TEST(StreamedProducts, TakeTheInvarianceOfThePool) {
  constexpr std::uint32_t kInvariant = VERNAL_POOL_BATCH_INVARIANT | VERNAL_POOL_CHUNK_INVARIANT;
  FakeStream stream;
  const std::vector<std::uint64_t> weights{kQuantised};
  const vernal_weight_stream_use use = stream.use(weights);
  EXPECT_EQ(Runner(&use).flags() & kInvariant, 0U);
  EXPECT_EQ(Runner().flags() & kInvariant, kInvariant);
}

TEST(StreamedProducts, RefuseAStreamThatIsNone) {
  FakeStream stream;
  const std::vector<std::uint64_t> weights{3};
  vernal_weight_stream_use use = stream.use(weights);
  EXPECT_THROW(StreamedProducts(use, 3), Error);
  EXPECT_NO_THROW(StreamedProducts(use, 4));
  use.least_rows = 0;
  EXPECT_THROW(StreamedProducts(use, 4), Error);
  use.least_rows = 1;
  use.stream = nullptr;
  EXPECT_THROW(StreamedProducts(use, 4), Error);
}

}  // namespace
}  // namespace vernal::cpu_avx2
