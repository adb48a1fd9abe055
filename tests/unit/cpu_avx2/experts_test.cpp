// moe_glu/1 as a whole operation: its own memory, weights and threads around it.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "kernels/elementwise/elementwise.hpp"
#include "program.hpp"
#include "random_data.hpp"
#include "state/pool.hpp"
#include "tolerance.hpp"
#include "vernal/block_types.hpp"
#include "vernal/host.hpp"

namespace vernal {

/// There is no host here; nothing that a test does reaches it.
Host& plugin_host() noexcept {
  static Host host;
  return host;
}

}  // namespace vernal

namespace vernal::cpu_avx2 {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

constexpr std::int64_t kExperts = 7;
constexpr std::int64_t kOuter = 256;  // D
constexpr std::int64_t kInner = 512;  // F

struct Case {
  const char* gate;  ///< id of the storage format
  const char* up;
  const char* down;
  bool has_bias;
  bool weights_input;
  Glu kind;
};

const Case kCases[] = {
    {"f32", "f32", "f32", false, false, Glu::kSwiglu},
    {"f16", "bf16", "f32", true, true, Glu::kGegluTanh},
    {"ggml.q4_k/1", "ggml.q4_k/1", "ggml.q6_k/1", false, false, Glu::kSwiglu},
    {"ggml.q4_k/1", "ggml.q8_0/1", "ggml.q8_0/1", true, true, Glu::kSwigluOai},
    {"ggml.iq4_ks/1", "f16", "f16", true, false, Glu::kReglu},
};

/// Stored weights, as a loader would give them.
class Store {
 public:
  Store(const Case& c, Module& module) {
    add(module, c.gate, {kExperts, kInner, kOuter}, 1);
    add(module, c.up, {kExperts, kInner, kOuter}, 2);
    add(module, c.down, {kExperts, kOuter, kInner}, 3);
    if (!c.has_bias) return;
    add(module, "f32", {kExperts, kInner}, 4);
    add(module, "f32", {kExperts, kInner}, 5);
    add(module, "f32", {kExperts, kOuter}, 6);
  }

  vernal_weight_source source() const {
    vernal_weight_source out{};
    out.struct_size = sizeof(out);
    out.user = const_cast<Store*>(this);
    out.map = [](void* user, std::uint64_t index, const void** data, std::uint64_t* bytes) {
      const auto& weight = static_cast<const Store*>(user)->stored_[index];
      *data = weight.data();
      *bytes = weight.size();
      return std::int32_t{VERNAL_OK};
    };
    out.unmap = [](void*, std::uint64_t) { return std::int32_t{VERNAL_OK}; };
    return out;
  }

  /// Row `row` of weight `index`, as numbers.
  std::vector<float> row(const Module& module, std::size_t index, std::int64_t row) const {
    const Weight& weight = module.weights[index];
    const std::int64_t columns = weight.shape.last();
    const WeightFormat& format = *find_weight_format(weight.format);
    std::vector<float> out(size(columns));
    dequantize_row(*find_block_type(weight.format),
                   stored_[index].data() + row * stored_row_bytes(format, columns), size(columns),
                   out.data());
    return out;
  }

 private:
  void add(Module& module, const char* format, const std::vector<std::int64_t>& dims,
           std::uint32_t seed) {
    Weight weight;
    weight.name = "w" + std::to_string(seed);
    weight.format = format;
    std::int64_t rows = 1;
    for (const std::int64_t dim : dims) weight.shape.dims[weight.shape.rank++] = dim;
    for (std::size_t d = 0; d + 1 < dims.size(); ++d) rows *= dims[d];
    stored_.push_back(random_weights(*find_block_type(weight.format), rows, dims.back(), seed));
    weight.bytes = stored_.back().size();
    module.weights.push_back(weight);
  }

  std::vector<std::vector<std::byte>> stored_;
};

/// The choices and weights of some tokens.
struct Choices {
  std::vector<std::int32_t> ids;
  std::vector<float> weights;
};

Choices random_choices(std::int64_t tokens, std::int64_t used, std::uint32_t seed) {
  std::mt19937 generator(seed);
  Choices out;
  for (std::int64_t t = 0; t < tokens; ++t) {
    std::vector<std::int32_t> experts{0, 1, 2, 3, 4, 6};  // nobody chooses 5
    std::shuffle(experts.begin(), experts.end(), generator);
    out.ids.insert(out.ids.end(), experts.begin(), experts.begin() + used);
  }
  out.weights = random_floats(out.ids.size(), seed);
  return out;
}

/// A module of one function: inputs x, ids and weights, the operation, its result.
Module moe_module(const Case& c, std::int64_t used) {
  Module module;
  Function function;
  const auto value = [&](std::vector<std::int64_t> dims, std::uint32_t element) {
    Value v;
    v.element = element;
    for (const std::int64_t dim : dims) v.shape.dims[v.shape.rank++] = dim;
    function.values.push_back(v);
    return static_cast<std::uint32_t>(function.values.size() - 1);
  };
  const auto input = [&](const char* name, std::uint32_t index) {
    Node node;
    node.op = "vernal.input/1";
    node.outputs = {index};
    Attribute attribute;
    attribute.name = "name";
    attribute.type = VERNAL_ATTR_STRING;
    attribute.text = name;
    node.attributes = {attribute};
    function.nodes.push_back(node);
  };
  input("hidden", value({VERNAL_DIM_TOKENS, kOuter}, VERNAL_ELEMENT_F32));
  input("experts", value({VERNAL_DIM_TOKENS, used}, VERNAL_ELEMENT_I32));
  input("shares", value({VERNAL_DIM_TOKENS, used}, VERNAL_ELEMENT_F32));
  Node node;
  node.op = "vernal.moe_glu/1";
  for (std::uint32_t i = 0; i < 3; ++i) node.operands.push_back({VERNAL_OPERAND_VALUE, i});
  for (std::uint32_t i = 0; i < (c.has_bias ? 6U : 3U); ++i) {
    node.operands.push_back({VERNAL_OPERAND_WEIGHT, i});
  }
  const auto text = [&](const char* name, const char* value_text) {
    Attribute attribute;
    attribute.name = name;
    attribute.type = VERNAL_ATTR_STRING;
    attribute.text = value_text;
    node.attributes.push_back(attribute);
  };
  constexpr const char* kNames[] = {"swiglu", "geglu_tanh", "geglu_erf", "reglu", "swiglu_oai"};
  text("kind", kNames[static_cast<std::size_t>(c.kind)]);
  text("weight_on", c.weights_input ? "in" : "out");
  node.outputs = {value({VERNAL_DIM_TOKENS, kOuter}, VERNAL_ELEMENT_ACT)};
  function.nodes.push_back(node);
  Node output;
  output.op = "vernal.output/1";
  output.operands = {{VERNAL_OPERAND_VALUE, node.outputs[0]}};
  Attribute name;
  name.name = "name";
  name.type = VERNAL_ATTR_STRING;
  name.text = "hidden";
  output.attributes = {name};
  function.nodes.push_back(output);
  module.functions.push_back(function);
  return module;
}

/// A program over that module with its pool.
class Runner {
 public:
  Runner(const Case& c, std::int64_t used, std::int32_t threads, std::int64_t max_tokens,
         Repack repack = Repack::kAuto)
      : used_(used), module_(moe_module(c, used)), store_(c, module_) {
    PlanOptions options;
    options.context_length = options.kv_tokens = 2048;
    options.max_sequences = 1;
    options.max_tokens_per_step = options.max_rows = static_cast<std::uint64_t>(max_tokens);
    const InstructionSet set = best_instruction_set();
    auto compiled = std::make_shared<CompiledModule>(std::make_shared<Module>(module_), options,
                                                     threads, set, repack);
    const vernal_weight_source source = store_.source();
    program_.emplace(std::move(compiled),
                     std::make_shared<Instance>(threads, std::span<const std::int64_t>{}, set),
                     WeightSource(&source), Progress(nullptr));
    pool_ = program_->create_pool();
  }

  std::vector<float> run(std::span<const float> x, const Choices& choices) {
    const std::size_t tokens = x.size() / size(kOuter);
    const vernal_sequence_id sequence = pool_->seq_create();
    pool_->seq_reserve(sequence, tokens);
    StepBatch batch;
    batch.num_tokens = tokens;
    batch.sequences = {{sequence, 0, tokens, 0}};
    batch.inputs = {input("hidden", x.data(), x.size()),
                    input("experts", choices.ids.data(), tokens * size(used_)),
                    input("shares", choices.weights.data(), tokens * size(used_))};
    const vernal_ticket ticket = pool_->step_submit(batch);
    const StepOutput y = pool_->step_output(ticket, "hidden");
    std::vector<float> out(y.data, y.data + y.rows * y.columns);
    pool_->step_release(ticket);
    pool_->seq_release(sequence);
    return out;
  }

  const Module& module() const { return module_; }
  const Store& store() const { return store_; }
  std::int64_t copied_bytes() const { return program_->weights().bytes(); }

 private:
  template <class T>
  static vernal_step_input input(std::string_view name, const T* data, std::size_t count) {
    vernal_step_input out{};
    out.struct_size = sizeof(out);
    out.name = to_str(name);
    out.data = data;
    out.bytes = count * sizeof(T);
    out.source = VERNAL_INPUT_HOST;
    return out;
  }

  std::int64_t used_;
  Module module_;
  Store store_;
  std::optional<Program> program_;
  std::unique_ptr<BackendPool> pool_;
};

double gated(Glu kind, double gate, double up) {
  switch (kind) {
    case Glu::kSwiglu:
      return gate / (1.0 + std::exp(-gate)) * up;
    case Glu::kGegluTanh:
      return 0.5 * gate *
             (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (gate + 0.044715 * gate * gate * gate))) * up;
    case Glu::kReglu:
      return std::fmax(gate, 0.0) * up;
    case Glu::kSwigluOai: {
      const double g = std::fmin(gate, 7.0);
      const double u = std::fmin(std::fmax(up, -7.0), 7.0);
      return g / (1.0 + std::exp(-static_cast<double>(1.702F) * g)) * (u + 1.0);
    }
    default:
      return 0.0;
  }
}

/// One expert's answer to a row, from weights as stored, in double.
class Expert {
 public:
  Expert(const Case& c, const Runner& runner, std::int64_t expert)
      : c_(c), runner_(runner), expert_(expert) {}

  std::vector<double> answer(const std::vector<double>& x) const {
    const std::vector<double> gate = product(0, x, kInner);
    const std::vector<double> up = product(1, x, kInner);
    std::vector<double> inner(size(kInner));
    for (std::size_t i = 0; i < inner.size(); ++i) inner[i] = gated(c_.kind, gate[i], up[i]);
    return product(2, inner, kOuter);
  }

 private:
  std::vector<double> product(std::size_t matrix, const std::vector<double>& x,
                              std::int64_t rows) const {
    std::vector<double> out(size(rows));
    if (c_.has_bias) {
      const std::vector<float> bias = runner_.store().row(runner_.module(), matrix + 3, expert_);
      out.assign(bias.begin(), bias.end());
    }
    for (std::int64_t n = 0; n < rows; ++n) {
      const std::vector<float> w =
          runner_.store().row(runner_.module(), matrix, expert_ * rows + n);
      for (std::size_t i = 0; i < x.size(); ++i) out[size(n)] += w[i] * x[i];
    }
    return out;
  }

  const Case& c_;
  const Runner& runner_;
  std::int64_t expert_;
};

TEST(MoeGlu, AgreesWithDoubleArithmetic) {
  constexpr std::int64_t kTokens = 9;
  constexpr std::int64_t kUsed = 3;
  for (const Case& c : kCases) {
    Runner runner(c, kUsed, 2, 16);
    // Gates of the size that models have: the random weights of integer formats are large.
    std::vector<float> x = random_floats(size(kTokens * kOuter), 61);
    if (find_weight_format(c.gate)->activations != ActivationKind::kFloat) {
      for (float& value : x) value *= 0.02F;
    }
    const Choices choices = random_choices(kTokens, kUsed, 62);
    const std::vector<float> y = runner.run(x, choices);
    std::vector<double> expected(y.size());
    for (std::int64_t t = 0; t < kTokens; ++t) {
      for (std::int64_t n = 0; n < kUsed; ++n) {
        const double weight = choices.weights[size(t * kUsed + n)];
        std::vector<double> row(x.begin() + t * kOuter, x.begin() + (t + 1) * kOuter);
        for (double& value : row) value *= c.weights_input ? weight : 1.0;
        const Expert expert(c, runner, choices.ids[size(t * kUsed + n)]);
        const std::vector<double> answer = expert.answer(row);
        for (std::size_t i = 0; i < answer.size(); ++i) {
          expected[size(t * kOuter) + i] += (c.weights_input ? 1.0 : weight) * answer[i];
        }
      }
    }
    const bool is_float = find_weight_format(c.gate)->activations == ActivationKind::kFloat &&
                          find_weight_format(c.down)->activations == ActivationKind::kFloat;
    EXPECT_LE(worst_nmse(y, expected, size(kTokens)), is_float ? 1e-10 : kExpertsNmse) << c.gate;
  }
}

TEST(MoeGlu, GivesTheSameBitsFromWeightsInTheFile) {
  constexpr std::int64_t kTokens = 21;
  constexpr std::int64_t kUsed = 3;
  for (const Case& c : kCases) {
    const std::vector<float> x = random_floats(size(kTokens * kOuter), 71);
    const Choices choices = random_choices(kTokens, kUsed, 72);
    Runner packed(c, kUsed, 2, 32, Repack::kAlways);
    Runner in_place(c, kUsed, 2, 32, Repack::kNever);
    EXPECT_GT(packed.copied_bytes(), in_place.copied_bytes());
    EXPECT_EQ(packed.run(x, choices), in_place.run(x, choices)) << c.gate << " " << c.down;
  }
}

TEST(MoeGlu, GivesATokenTheSameBitsAmongAnyOthersOnAnyThreads) {
  constexpr std::int64_t kTokens = 700;  // two stretches
  constexpr std::int64_t kUsed = 2;
  for (const Case& c : kCases) {
    const std::vector<float> x = random_floats(size(kTokens * kOuter), 63);
    const Choices choices = random_choices(kTokens, kUsed, 64);
    Runner runner(c, kUsed, 3, kTokens);
    const std::vector<float> whole = runner.run(x, choices);
    Runner single(c, kUsed, 1, kTokens);
    for (const auto& [first, count] : {std::pair{0, 1}, {1, 2}, {400, 200}, {511, 3}, {699, 1}}) {
      const std::span<const float> part(x.data() + first * kOuter, size(count * kOuter));
      const Choices some{
          {choices.ids.begin() + first * kUsed, choices.ids.begin() + (first + count) * kUsed},
          {choices.weights.begin() + first * kUsed,
           choices.weights.begin() + (first + count) * kUsed}};
      const std::vector<float> y = single.run(part, some);
      ASSERT_TRUE(std::equal(y.begin(), y.end(), whole.begin() + first * kOuter))
          << c.gate << ", " << count << " tokens from " << first << " on";
    }
  }
}

TEST(MoeGlu, RefusesAnExpertThatDoesNotExist) {
  Runner runner(kCases[0], 2, 1, 4);
  const std::vector<float> x = random_floats(size(kOuter), 65);
  for (const std::int32_t id : {-1, static_cast<int>(kExperts)}) {
    EXPECT_THROW(runner.run(x, {{0, id}, {1.0F, 1.0F}}), Error);
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2
