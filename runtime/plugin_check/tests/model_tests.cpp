// Group model: whole models. A backend runs a small Llama; an architecture builds the samples of
// what it provides, or the file of --model.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "model/gguf_file.hpp"
#include "module/build_module.hpp"
#include "module/gguf_source.hpp"
#include "module/metadata_view.hpp"
#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "plugin_check/subject/process_state.hpp"
#include "plugin_check/test.hpp"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal::check {
namespace {

// ---- backends: a Llama of two layers ------------------------------------------------------------

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
      const Tensor a = b.attention(b.rope(heads("attn_q", u, kHeads), positions, rope),
                                   b.rope(heads("attn_k", u, kKvHeads), positions, rope),
                                   heads("attn_v", u, kKvHeads), kv, {.scale = 0.25});
      x = b.add(x, linear("attn_output", a, kHeads * kHeadSize, kWidth));
      const Tensor w = norm("ffn_norm", x);
      const Tensor hidden =
          b.glu(linear("ffn_gate", w, kWidth, kInner), linear("ffn_up", w, kWidth, kInner));
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

/// Teacher-forced: both are told the reference's choice, so that one near tie does not count twice.
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

// ---- architectures ------------------------------------------------------------------------------

/// A model an architecture is tried on: a sample in memory, or a file.
class TriedModel {
 public:
  TriedModel(const Options& options, const plugin::Manifest& manifest) {
    if (!options.model.empty()) {
      file_ = std::make_unique<GgufFile>(GgufFile::open(options.model));
      file_metadata_ = std::make_unique<GgufMetadataSource>(*file_);
      file_weights_ = std::make_unique<GgufWeightDirectory>(*file_);
      return;
    }
    const auto name = sample_architecture(manifest);
    if (!name) {
      throw Skipped(fmt::format("no sample is known of what it provides ({}); give --model",
                                fmt::join(manifest.provides, ", ")));
    }
    sample_ = std::make_unique<SampleModel>(std::move(*sample_model(*name)));
  }

  ArchitectureInput input() const {
    if (file_) return {*file_metadata_, *file_weights_};
    return {sample_->metadata, sample_->weights};
  }
  /// Null with a file.
  const SampleModel* sample() const { return sample_.get(); }

 private:
  std::unique_ptr<SampleModel> sample_;
  std::unique_ptr<GgufFile> file_;
  std::unique_ptr<GgufMetadataSource> file_metadata_;
  std::unique_ptr<GgufWeightDirectory> file_weights_;
};

ArchitecturePlugin architecture_of(PluginUnderTest& plugin) {
  return {plugin.library().name(), plugin.library().architecture(),
          [] { return plugin_host().last_error(); }};
}

const ModuleOptions kBuild{.context_length = 64, .functions = {}};

void test_probe(const Options& options) {
  PluginUnderTest plugin(options);
  const ArchitecturePlugin architecture = architecture_of(plugin);
  const TriedModel model(options, plugin.manifest());
  const ArchitectureProbe own = probe_architecture(architecture, model.input());
  expect(own.score > 0 && own.score <= 100,
         "probe of its own model: expected 1 to 100, found {}: {}", own.score, own.reason);
  expect(!own.reason.empty(), "probe: a score without a reason");
  SampleMetadata foreign;
  foreign.values["general.architecture"] = std::string("unheard_of");
  const MadeWeights none;
  const ArchitectureProbe other = probe_architecture(architecture, {foreign, none});
  expect(other.score == 0,
         "probe of a model of the architecture \"unheard_of\": expected 0, found {}", other.score);
}

void test_describe(const Options& options) {
  PluginUnderTest plugin(options);
  const TriedModel model(options, plugin.manifest());
  const std::string text = describe_architecture(architecture_of(plugin), model.input());
  expect(!text.empty(), "describe: expected lines \"name = value\", found nothing");
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    expect(line.empty() || line.find(" = ") != line.npos,
           "describe: expected \"name = value\", found \"{}\"", line);
    begin = end + 1;
  }
}

void test_build(const Options& options) {
  PluginUnderTest plugin(options);
  const TriedModel model(options, plugin.manifest());
  const std::uint64_t threads = count_threads();
  const std::uint64_t descriptors = count_descriptors();
  const BuiltModule built = build_module(architecture_of(plugin), model.input(), kBuild);
  const auto unused = unused_tensors({built.module}, model.input().weights);
  expect(unused.empty(), "the module leaves tensors of the file unused: {}",
         fmt::join(unused, ", "));
  expect(count_threads() == threads && count_descriptors() == descriptors,
         "build started threads or opened descriptors: an architecture is pure");
  const bool has_logits =
      std::ranges::any_of(built.module->functions[0].nodes, [](const Node& node) {
        return node.op == "vernal.output/1" && node.text("name", "") == "logits";
      });
  expect(has_logits, "the function \"main\" has no output \"logits\"");
}

/// Whether the plugin answers a model it may not like by a status; the text must say why.
void check_answer(const ArchitecturePlugin& architecture, const std::string& what,
                  const SampleMetadata& metadata, const WeightDirectory& weights) {
  MetadataView view(metadata, weights);
  ModuleBuilder builder(architecture.name, weights);
  vernal_build_options build{};
  build.struct_size = sizeof(build);
  build.context_length = 64;
  build.last_layer = -1;
  std::string text;
  const vernal_sink sink = append_to(text);
  std::uint32_t score = 0;
  const auto check = [&](const char* name, const std::function<std::int32_t()>& function) {
    plugin_host().set_error(VERNAL_OK, {});
    const std::int32_t status = call(fmt::format("{} of {}", name, what), function);
    expect(status == VERNAL_OK || !plugin_host().last_error().empty(),
           "{} of {}: {} without a text that says why", name, what, status_name(status));
    expect(status_name(status) != "UNKNOWN", "{} of {}: status {}", name, what, status);
  };
  check("probe", [&] { return architecture.api.probe(view.ref(), &score, &sink); });
  check("describe", [&] { return architecture.api.describe(view.ref(), &sink); });
  check("build", [&] { return architecture.api.build(view.ref(), &build, builder.ref()); });
}

/// Values that no model has, for each key.
std::vector<MetadataValue> bad_values() {
  return {std::int64_t{0},
          std::int64_t{-1},
          std::int64_t{7},
          std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min(),
          0.0,
          std::numeric_limits<double>::quiet_NaN(),
          std::numeric_limits<double>::infinity(),
          true,
          std::string("nonsense"),
          std::vector<std::int64_t>{},
          std::vector<std::int64_t>(3, -5)};
}

void test_bad_metadata(const Options& options) {
  PluginUnderTest plugin(options);
  const ArchitecturePlugin architecture = architecture_of(plugin);
  const TriedModel model(options, plugin.manifest());
  if (model.sample() == nullptr) throw Skipped("only a built-in sample is changed key by key");
  const SampleModel& sample = *model.sample();
  for (const auto& [key, value] : sample.metadata.values) {
    SampleMetadata without = sample.metadata;
    without.values.erase(key);
    check_answer(architecture, fmt::format("a model without \"{}\"", key), without, sample.weights);
    int index = 0;
    for (const MetadataValue& bad : bad_values()) {
      SampleMetadata changed = sample.metadata;
      changed.values[key] = bad;
      check_answer(architecture, fmt::format("a model whose \"{}\" is bad value {}", key, index++),
                   changed, sample.weights);
    }
  }
  const MadeWeights none;
  check_answer(architecture, "a model without tensors", sample.metadata, none);
}

constexpr Test kTests[] = {
    {"model.llama", "a small Llama gives the reference's logits over 41 tokens", test_llama,
     kBackends},
    {"model.memory", "what is allocated is what the plan says", test_memory, kBackends},
    {"model.probe", "knows its own model, and no other", test_probe, kArchitectures},
    {"model.describe", "lines \"name = value\"", test_describe, kArchitectures},
    {"model.build", "a sound module that uses every tensor, the same for the same model",
     test_build, kArchitectures},
    {"model.bad_metadata", "missing and senseless keys are answered with a status and a text",
     test_bad_metadata, kArchitectures},
};

}  // namespace

std::span<const Test> model_tests() { return kTests; }

}  // namespace vernal::check
