// Group operations: the numbers of a backend against the reference operations.
#include <algorithm>
#include <set>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/test.hpp"
#include "vernal/block_types.hpp"

namespace vernal::check {
namespace {

/// Runs all cases of one operation, the first of them through long steps too.
void compare(const Options& options, std::vector<OperationCase> cases) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  cases.front().is_long = true;
  for (const OperationCase& tested : cases) compare_with_oracle(backend, tested);
}
template <auto kCases>
void compare(const Options& options) {
  compare(options, kCases());
}

// ---- attributes ---------------------------------------------------------------------------------

Attribute attribute(std::string name) {
  Attribute made;
  made.name = std::move(name);
  made.type = VERNAL_ATTR_INT;
  made.integer = 1;
  return made;
}

/// Expects one node to be refused with an attribute nobody knows, and taken with a hint.
void check_attributes(plugin::BackendInstance& backend, const MadeModule& made,
                      const std::string& op) {
  const MadeModule changed =
      change_node(made, op, [](Node& node) { node.attributes.push_back(attribute("unheard_of")); });
  expect(!refusal_of(backend, changed).empty(),
         "{} with the attribute \"unheard_of\" is accepted: what it means would be lost", op);
  bool is_planned = true;
  try {
    backend.plan(changed.ref(), small_plan());
  } catch (const Error&) {
    is_planned = false;
  }
  expect(!is_planned, "op_support refuses {} with an unknown attribute, plan takes it", op);
  const MadeModule hinted = change_node(
      made, op, [](Node& node) { node.attributes.push_back(attribute("hint:unheard_of")); });
  const std::string refusal = refusal_of(backend, hinted);
  expect(refusal.empty(), "{} with the attribute \"hint:unheard_of\" is refused: {}", op, refusal);
}

void test_unknown_attribute(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  std::set<std::string> seen;
  using Cases = std::vector<OperationCase> (*)();
  std::vector<Cases> all{embed_cases,      override_rows_cases, rmsnorm_cases, linear_cases,
                         rope_cases,       attention_cases,     act_cases,     glu_cases,
                         arithmetic_cases, softcap_cases,       layout_cases,  row_choice_cases};
  if (options.level >= 1) {
    all.insert(all.end(), {l2norm_cases, convolution_cases, delta_rule_cases});
  }
  if (options.level >= 2) all.push_back(expert_cases);
  for (const Cases cases : all) {
    for (const OperationCase& tested : cases()) {
      if (!refusal_of(backend, tested.made).empty()) continue;
      for (const Node& node : tested.made.module->functions[0].nodes) {
        if (seen.insert(node.op).second) check_attributes(backend, tested.made, node.op);
      }
    }
  }
}

// ---- formats ------------------------------------------------------------------------------------

OperationCase format_case(const std::string& format, bool is_embedding) {
  constexpr std::int64_t kIn = 512;
  const std::int64_t rows = is_embedding ? 31 : 24;
  RandomNumbers random(21);
  MadeWeights weights;
  weights.add("w", {rows, kIn}, random, 0.5, format);
  OperationCase made;
  made.label = fmt::format("{} of a weight in {}", is_embedding ? "embed" : "linear", format);
  made.accuracy = is_embedding ? Accuracy::kElement : Accuracy::kLinear;
  made.made = make_module(std::move(weights), [&](const Builder& b) {
    const WeightRef w = b.weight("w", {rows, kIn});
    if (is_embedding) {
      b.output("hidden", b.embed(b.input("ids", Element::kI32, {kTokens}), w), "all");
    } else {
      const Tensor x = b.input("x", Element::kF32, {kTokens, kIn});
      b.output("hidden", b.linear("w", x, w, {}, Element::kF32), "all");
    }
  });
  return made;
}

/// Formats the plugin says it reads and this program can judge.
std::vector<std::string> claimed_formats(plugin::BackendInstance& backend) {
  std::vector<std::string> formats;
  for (const FormatSupport& row : backend.formats()) {
    if (row.support == VERNAL_FORMAT_REFUSED) continue;
    const BlockType* type = find_block_type(std::string_view(row.format));
    if (type == nullptr || !type->is_readable()) {
      note(fmt::format("{} is claimed; this program cannot read it to compare", row.format));
      continue;
    }
    formats.push_back(row.format);
  }
  return formats;
}

void test_formats(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const std::vector<std::string> formats = claimed_formats(backend);
  expect(std::ranges::find(formats, "f32") != formats.end(), "formats: f32 is missing");
  for (const std::string& format : formats) {
    OperationCase linear = format_case(format, false);
    compare_with_oracle(backend, linear);
    OperationCase embed = format_case(format, true);
    embed.is_optional = true;  // a head may be read where an embedding is not
    compare_with_oracle(backend, embed);
  }
}

void test_refused_formats(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  std::set<std::string> claimed;
  for (const FormatSupport& row : backend.formats()) {
    expect(row.support >= VERNAL_FORMAT_NATIVE && row.support <= VERNAL_FORMAT_REFUSED,
           "formats: {}: support {} is not known", row.format, row.support);
    if (row.support != VERNAL_FORMAT_REFUSED) claimed.insert(row.format);
  }
  for (const BlockType& type : kBlockTypes) {
    if (!type.is_readable() || claimed.contains(std::string(type.id))) continue;
    const OperationCase tested = format_case(std::string(type.id), false);
    expect(!refusal_of(backend, tested.made).empty(),
           "{} is not among the formats it says it reads, and accepted in a linear map", type.id);
  }
}

// ---- rows ---------------------------------------------------------------------------------------

/// select_rows takes whole rows [3,8] of [T,3,8]: what comes out is copied from what went in.
void test_row_choice(const Options& options) {
  constexpr std::size_t kRowSize = 24;
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  for (OperationCase& tested : row_choice_cases()) {
    tested.is_long = true;
    compare_with_oracle(backend, tested);
  }
  const MadeModule made = make_module({}, [](const Builder& b) {
    const Tensor x = b.reshape(b.input("x", Element::kF32, {kTokens, 24}), {kTokens, 3, 8});
    const Tensor chosen = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
    b.output("hidden", b.reshape(chosen, {kRows, 24}));
  });
  expect(refusal_of(backend, made).empty(), "select_rows of [T,3,8]: refused: {}",
         refusal_of(backend, made));
  Session session(backend, made);
  RandomNumbers random(5);
  const StepData data = make_data(made, {7}, {0}, random);
  const auto found = session.step({{session.start(8), 7}}, data, "hidden");
  std::vector<float> wanted;
  const auto& x = data.floats.at("x");
  for (const std::int32_t row : data.rows) {
    const auto begin = x.begin() + row * static_cast<std::ptrdiff_t>(kRowSize);
    wanted.insert(wanted.end(), begin, begin + kRowSize);
  }
  expect_close("select_rows of [T,3,8]", found, wanted, kRowSize, 1e-10);
}

// ---- values at the edge -------------------------------------------------------------------------

/// One step of four rows over a made module, the second and the last of them zeros.
void compare_zero_rows(plugin::BackendInstance& backend, const OperationCase& tested) {
  if (!refusal_of(backend, tested.made).empty()) return;
  Session session(backend, tested.made);
  const auto oracle = make_oracle(tested.made);
  RandomNumbers random(5);
  StepData data = make_data(tested.made, {4}, {0}, random);
  auto& x = data.floats.at("x");
  const std::size_t width = x.size() / 4;
  std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(width), width, 0.0F);
  std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(3 * width), width, 0.0F);
  const auto reference = oracle->step({{oracle->start(8), 4}}, data, "hidden");
  const auto found = session.step({{session.start(8), 4}}, data, "hidden");
  expect_close(tested.label + ", rows of zeros", found, reference, reference.size() / 4,
               bound_of(tested.accuracy, session.plan().info().activation_element));
}

void test_zero_rows(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  for (const auto cases : {rmsnorm_cases, linear_cases, attention_cases, glu_cases, act_cases}) {
    for (const OperationCase& tested : cases()) compare_zero_rows(backend, tested);
  }
  for (const std::string& format : claimed_formats(backend)) {
    compare_zero_rows(backend, format_case(format, false));
  }
  if (options.level < 1) return;
  for (const auto cases : {l2norm_cases, delta_rule_cases}) {
    for (const OperationCase& tested : cases()) compare_zero_rows(backend, tested);
  }
}

/// Rows so long that sums of 8-bit products leave 32 bits: 127 * 127 * 2^18 > 2^31.
void test_long_rows(const Options& options) {
  constexpr std::int64_t kLong = std::int64_t{1} << 18;
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const std::vector<std::string> claimed = claimed_formats(backend);
  for (const char* format : {"f32", "f16", "ggml.q8_0/1"}) {
    if (std::ranges::find(claimed, format) == claimed.end()) continue;
    MadeWeights weights;
    const BlockType& type = *find_block_type(std::string_view(format));
    std::vector<std::byte> bytes(2 * type.row_bytes(kLong));
    const std::vector<float> ones(kLong, 1.0F);
    for (std::size_t row = 0; row < 2; ++row) {
      std::byte* target = bytes.data() + row * type.row_bytes(kLong);
      if (type.name == "f32") std::memcpy(target, ones.data(), ones.size() * sizeof(float));
      if (type.name == "f16") {
        const std::vector<std::uint16_t> halves(kLong, f16_from_float(1.0F));
        std::memcpy(target, halves.data(), halves.size() * sizeof(std::uint16_t));
      }
      if (type.name == "q8_0") quantize_row_q8_0(ones.data(), kLong, target);
    }
    weights.add_bytes("map", {2, kLong}, format, std::move(bytes));
    const MadeModule made = make_module(std::move(weights), [](const Builder& b) {
      const Tensor x = b.input("x", Element::kF32, {kTokens, kLong});
      b.output("hidden", b.linear("map", x, b.weight("map", {2, kLong}), {}, Element::kF32), "all");
    });
    PlanOptions plan = small_plan();
    plan.max_tokens_per_step = 2;
    plan.max_rows = 2;
    Session session(backend, made, plan);
    const auto oracle = make_oracle(made, plan);
    StepData data;
    data.num_tokens = 1;
    data.rows = {0};
    data.floats["x"] = ones;
    const auto reference = oracle->step({{oracle->start(1), 1}}, data, "hidden");
    const auto found = session.step({{session.start(1), 1}}, data, "hidden");
    expect_close(fmt::format("linear over {} columns in {}", kLong, format), found, reference, 2,
                 bound_of(Accuracy::kLinear, session.plan().info().activation_element));
  }
}

constexpr Test kTests[] = {
    {"operations.embed", "rows of the embedding, scaled", compare<embed_cases>, kBackends},
    {"operations.override_rows", "rows replaced by external ones", compare<override_rows_cases>,
     kBackends},
    {"operations.rmsnorm", "rmsnorm within the bound of operations.md", compare<rmsnorm_cases>,
     kBackends},
    {"operations.linear", "linear within the bound of operations.md, steps of 1 to 513 tokens",
     compare<linear_cases>, kBackends, 0, 60},
    {"operations.rope", "every style, scaling, attribute and axis of rope", compare<rope_cases>,
     kBackends},
    {"operations.attention",
     "grouped heads of every size, softcap, up to 771 keys and nine sequences in a step",
     compare<attention_cases>, kBackends, 0, 60},
    {"operations.window", "query i sees key j iff 0 <= i - j < window", compare<window_cases>,
     kBackends, 0, 60},
    {"operations.arithmetic", "add, mul and scale with every broadcast", compare<arithmetic_cases>,
     kBackends},
    {"operations.act", "every activation, small and large", compare<act_cases>, kBackends},
    {"operations.glu", "every gated unit", compare<glu_cases>, kBackends},
    {"operations.softcap", "c * tanh(x / c)", compare<softcap_cases>, kBackends},
    {"operations.layout", "reshape, slice, split and concat", compare<layout_cases>, kBackends},
    {"operations.row_choice", "select_rows and outputs of the rows wanted", test_row_choice,
     kBackends},
    {"operations.formats", "weights of every format it claims, as dequantize reads them",
     test_formats, kBackends, 0, 120},
    {"operations.refused_formats", "no format is taken that it does not claim",
     test_refused_formats, kBackends},
    {"operations.unknown_attribute", "refuses attributes it does not know, takes hints",
     test_unknown_attribute, kBackends, 0, 60},
    {"operations.zero_rows", "rows of zeros give finite numbers", test_zero_rows, kBackends, 0, 60},
    {"operations.long_rows", "sums over long rows do not overflow", test_long_rows, kBackends},
    {"operations.l2norm", "l2norm within the bound of operations.md", compare<l2norm_cases>,
     kBackends, 1},
    {"operations.conv1d_state", "convolution with its state over steps", compare<convolution_cases>,
     kBackends, 1},
    {"operations.gated_delta_rule", "the delta rule with its state over steps",
     compare<delta_rule_cases>, kBackends, 1, 60},
    {"operations.experts", "choice of experts and their sum", compare<expert_cases>, kBackends, 2,
     60},
};

}  // namespace

std::span<const Test> operations_tests() { return kTests; }

}  // namespace vernal::check
