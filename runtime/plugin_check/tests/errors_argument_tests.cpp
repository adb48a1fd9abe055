// Group errors, part three: arguments out of range, and modules that a backend cannot know.
#include <limits>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "plugin_check/subject/raw_backend.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {
namespace {

// ---- arguments ----------------------------------------------------------------------------------

void test_arguments(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  RawBackend raw(plugin, made);
  const vernal_backend_api& api = raw.api();
  const vernal_sequence_id sequence = raw.create();
  raw.reserve(sequence, 16);
  expect_status("step", VERNAL_OK, raw.run(raw.batch(sequence, {1, 2, 3}, 0)->batch));
  const auto unchanged = [&] {
    expect(raw.length(sequence) == 3, "a refused call changed the length from 3 to {}",
           raw.length(sequence));
  };
  expect_status("seq_truncate beyond the length", VERNAL_INVALID_ARGUMENT,
                call("seq_truncate", [&] { return api.seq_truncate(raw.pool(), sequence, 4); }));
  unchanged();
  std::uint64_t out = 0;
  expect_error("seq_fork of nothing",
               call("seq_fork", [&] { return api.seq_fork(raw.pool(), 0, 0, 0, &out); }));
  expect_error("seq_fork beyond the length",
               call("seq_fork", [&] { return api.seq_fork(raw.pool(), sequence, 0, 9, &out); }));
  expect_error("seq_length of function 99",
               call("seq_length", [&] { return api.seq_length(raw.pool(), sequence, 99, &out); }));
  expect_status("seq_reserve of 2^62 tokens", VERNAL_RESOURCE_EXHAUSTED, call("seq_reserve", [&] {
                  return api.seq_reserve(raw.pool(), sequence, std::uint64_t{1} << 62);
                }));
  unchanged();
  expect_error("a step that leaves out positions", raw.run(raw.batch(sequence, {1}, 7)->batch));
  unchanged();
  const auto batch = raw.batch(sequence, {1}, 3);
  vernal_step_output output{};
  output.struct_size = sizeof(output);
  const vernal_ticket ticket = raw.submit(batch->batch);
  expect_status("step_output of a name that is not", VERNAL_NOT_FOUND, call("step_output", [&] {
                  return api.step_output(raw.pool(), ticket, to_str("unheard_of"), &output);
                }));
  expect_status("step_release", VERNAL_OK, api.step_release(raw.pool(), ticket));
}

void test_token_ids(const Options& options) {
  PluginUnderTest plugin(options);
  const MadeModule made = make_tiny_model(Memory::kFull);
  for (const std::int32_t id :
       {-1, static_cast<std::int32_t>(kVocabulary), std::numeric_limits<std::int32_t>::max(),
        std::numeric_limits<std::int32_t>::min()}) {
    RawBackend raw(plugin, made);
    const vernal_sequence_id sequence = raw.create();
    raw.reserve(sequence, 4);
    expect_error(fmt::format("a step with the token id {} of a vocabulary of {}", id, kVocabulary),
                 raw.run(raw.batch(sequence, {1, id}, 0)->batch));
  }
}

void test_external_rows(const Options& options) {
  constexpr std::int32_t kNumTokens = 3;
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = std::move(override_rows_cases().front().made);
  const std::string refusal = refusal_of(backend, made);
  if (!refusal.empty()) throw Skipped(refusal);
  for (const std::int32_t index : {-1, kNumTokens, std::numeric_limits<std::int32_t>::max(),
                                   std::numeric_limits<std::int32_t>::min()}) {
    Session session(backend, made);
    RandomNumbers random(1);
    StepData data = make_data(made, {kNumTokens}, {0}, random);
    data.integers["ext_index"] = {0, index};
    std::int32_t status = VERNAL_OK;
    try {
      session.step({{session.start(8), kNumTokens}}, data, "hidden");
    } catch (const Error& error) {
      status = error.code();
    }
    expect(status != VERNAL_OK,
           "a step of {} tokens that overrides row {}: expected an error, found OK", kNumTokens,
           index);
    data.integers["ext_index"] = {0, kNumTokens - 1};
    session.step({{session.start(8), kNumTokens}}, data, "hidden");
  }
}

// ---- what a module may not have -----------------------------------------------------------------

/// Whether a node can be compiled, by op_support and by plan, which must agree.
bool is_accepted(plugin::BackendInstance& backend, const MadeModule& made, std::string_view op,
                 std::string& reason) {
  const auto& nodes = made.module->functions[0].nodes;
  std::uint64_t index = 0;
  while (index < nodes.size() && nodes[index].op != op) ++index;
  const plugin::OpSupport support = backend.op_support(made.ref(), 0, index);
  reason = support.reason;
  std::int32_t status = VERNAL_OK;
  std::string text;
  try {
    backend.plan(made.ref(), small_plan());
  } catch (const Error& error) {
    status = error.code();
    text = error.what();
  }
  expect(support.is_supported || !reason.empty(), "op_support refuses {} without a reason", op);
  expect(support.is_supported == (status == VERNAL_OK),
         "op_support says {} of {}, plan answers {}: {}", support.is_supported ? "yes" : "no", op,
         status_name(status), text);
  expect(status == VERNAL_OK || status == VERNAL_UNSUPPORTED,
         "plan of a module with {}: expected UNSUPPORTED, found {}", op, status_name(status));
  return status == VERNAL_OK;
}

void test_unknown_operation(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule sound = make_least_module();
  for (const char* op : {"vernal.unheard_of/1", "vernal.linear/2", "linear", ""}) {
    const MadeModule made =
        change_node(sound, "vernal.linear/1", [&](Node& node) { node.op = op; });
    std::string reason;
    expect(!is_accepted(backend, made, op, reason), "operation \"{}\" is accepted", op);
  }
}

void test_unknown_format(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule sound = make_least_module();
  for (const char* format : {"ggml.unheard_of/1", "ggml.q4_k/99", "f99", ""}) {
    auto module = std::make_shared<Module>(*sound.module);
    for (Weight& weight : module->weights) {
      if (weight.name == "map") weight.format = format;
    }
    MadeModule made;
    made.weights = sound.weights;
    made.module = module;
    made.view = std::make_unique<ModuleView>(made.module);
    std::string reason;
    expect(!is_accepted(backend, made, "vernal.linear/1", reason),
           "a weight of the format \"{}\" is accepted", format);
  }
}

constexpr Test kTests[] = {
    {"errors.arguments", "arguments out of range are refused and change nothing", test_arguments,
     kBackends},
    {"errors.token_ids", "a token id outside the vocabulary fails the step", test_token_ids,
     kBackends},
    {"errors.external_rows", "an index of override_rows outside the step fails it",
     test_external_rows, kBackends},
    {"errors.unknown_operation", "refuses operations it does not know, with a reason",
     test_unknown_operation, kBackends},
    {"errors.unknown_format", "refuses storage formats it does not know, with a reason",
     test_unknown_format, kBackends},
};

}  // namespace

std::span<const Test> errors_argument_tests() { return kTests; }

}  // namespace vernal::check
