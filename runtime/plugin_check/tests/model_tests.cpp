// Group model, part one: a backend runs a small Llama.
#include <algorithm>
#include <cmath>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {
namespace {

constexpr std::int64_t kWidth = 64, kInner = 96, kHeads = 4, kKvHeads = 2, kHeadSize = 16;
constexpr std::int64_t kWords = 80;  // vocabulary

MadeModule make_llama() {
  std::optional<SampleModel> model = sample_model("llama");
  return make_module(std::move(model->weights), [](const Builder& b) {
    const Tensor ids = b.input("ids", Element::kI32, {kTokens});
    const Tensor positions = b.input("positions", Element::kI32, {kTokens, 1});
    const WeightRef embedding = b.weight("token_embd.weight", {kWords, kWidth});
    Tensor x = b.embed(ids, embedding);
    for (std::int64_t i = 0; i < 2; ++i) {
      const Scope blk = b.scope("blk", i);
      const auto linear = [&](const char* name, Tensor u, std::int64_t in, std::int64_t out) {
        return b.linear(name, u, b.weight(blk.name(std::string(name) + ".weight"), {out, in}));
      };
      const auto norm = [&](const char* name, Tensor u) {
        return b.rmsnorm(u, b.weight(blk.name(std::string(name) + ".weight"), {kWidth}), 1e-5);
      };
      const auto heads = [&](const char* name, Tensor u, std::int64_t count) {
        return b.reshape(linear(name, u, kWidth, count * kHeadSize), {kTokens, count, kHeadSize});
      };
      const std::string state = blk.name("kv");
      const StateRef kv = b.state(KvState{state, i, kKvHeads, kHeadSize, kHeadSize});
      const RopeOptions rope{.n_rot = kHeadSize, .style = "interleaved"};
      const Tensor u = norm("attn_norm", x);
      const Tensor q = b.rope(heads("attn_q", u, kHeads), positions, rope);
      const Tensor k = b.rope(heads("attn_k", u, kKvHeads), positions, rope);
      const Tensor v = heads("attn_v", u, kKvHeads);
      const Tensor a = b.attention(q, k, v, kv, {.scale = 0.25});
      x = b.add(x, linear("attn_output", a, kHeads * kHeadSize, kWidth));
      const Tensor w = norm("ffn_norm", x);
      const Tensor gate = linear("ffn_gate", w, kWidth, kInner);
      const Tensor up = linear("ffn_up", w, kWidth, kInner);
      const Tensor hidden = b.glu(gate, up);
      x = b.add(x, linear("ffn_down", hidden, kInner, kWidth));
    }
    x = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
    x = b.rmsnorm(x, b.weight("output_norm.weight", {kWidth}), 1e-5);
    b.output("logits", b.linear("output", x, embedding, {}, Element::kF32));
  });
}

/// The next `count` tokens of a machine's sequence; logits of the last.
std::vector<float> last_logits(Machine& machine, vernal_sequence_id sequence,
                               const std::vector<std::int32_t>& ids, std::uint64_t position) {
  StepData data;
  data.num_tokens = ids.size();
  data.integers["ids"] = ids;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    data.integers["positions"].push_back(static_cast<std::int32_t>(position + i));
  }
  data.rows = {static_cast<std::int32_t>(ids.size() - 1)};
  return machine.step({{sequence, ids.size()}}, data, "logits");
}

/// Both get the token that the reference chose, so that one near tie does not count twice.
void test_llama(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_llama();
  const std::string refusal = refusal_of(backend, made);
  expect(refusal.empty(), "a Llama of level 0 is refused: {}", refusal);
  Session session(backend, made);
  const auto oracle = make_oracle(made);
  const vernal_sequence_id sequence = session.start(64);
  const vernal_sequence_id reference = oracle->start(64);
  std::vector<std::int32_t> next{1, 17, 42, 8, 23, 64, 5, 71, 30, 12};
  std::uint64_t position = 0;
  for (int i = 0; i < 32; ++i) {
    const auto wanted = last_logits(*oracle, reference, next, position);
    const auto found = last_logits(session, sequence, next, position);
    expect_close(fmt::format("logits of token {}", position + next.size()), found, wanted,
                 static_cast<std::size_t>(kWords), 1e-3);
    position += next.size();
    next = {static_cast<std::int32_t>(std::ranges::max_element(wanted) - wanted.begin())};
  }
}

std::uint64_t sum_of(const std::vector<MemoryRow>& rows) {
  std::uint64_t sum = 0;
  for (const MemoryRow& row : rows) sum += row.bytes;
  return sum;
}

void test_memory(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_llama();
  Session session(backend, made);
  const std::uint64_t planned = sum_of(session.plan().rows());
  const std::uint64_t allocated = sum_of(session.program().memory_report());
  expect(planned > 0, "plan_rows: expected what the program will allocate, found nothing");
  expect(allocated <= planned + planned / 20,
         "memory_report says {} bytes, the plan {}: a plan is binding", allocated, planned);
}

constexpr Test kTests[] = {
    {"model.llama", "a small Llama gives the reference's logits over 41 tokens", test_llama,
     kBackends},
    {"model.memory", "what is allocated is what the plan says", test_memory, kBackends},
};

}  // namespace

std::span<const Test> model_tests() { return kTests; }

}  // namespace vernal::check
