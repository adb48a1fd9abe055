#include "support/operations_under_test.hpp"

#include <cstring>
#include <numeric>

#include "module/problem.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

constexpr std::uint64_t kRoom = 512;
constexpr std::uint64_t kSequences = 4;

}  // namespace

void MadeUpWeights::set(const std::string& name, const Dims& dims,
                        const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  set_stored(name, "f32", dims, {bytes.begin(), bytes.end()});
}

void MadeUpWeights::set_stored(const std::string& name, std::string_view format, const Dims& dims,
                               std::vector<std::byte> bytes) {
  StoredWeight weight{std::string(format), {}, bytes.size()};
  weight.shape.rank = static_cast<std::uint32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), weight.shape.dims.begin());
  directory_.insert_or_assign(name, std::move(weight));
  bytes_.insert_or_assign(name, std::move(bytes));
}

void MadeUpWeights::bind(const Module& module) {
  for (const Weight& weight : module.weights) by_index_.push_back(&bytes_.at(weight.name));
}

const StoredWeight* MadeUpWeights::find(std::string_view name) const {
  const auto found = directory_.find(name);
  return found == directory_.end() ? nullptr : &found->second;
}

std::vector<std::string> MadeUpWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, weight] : directory_) names.push_back(name);
  return names;
}

void MadeUpWeights::read(std::uint64_t index, std::uint64_t offset,
                         std::span<std::byte> destination) {
  const auto bytes = map(index).subspan(offset, destination.size());
  std::memcpy(destination.data(), bytes.data(), bytes.size());
}

std::span<const std::byte> MadeUpWeights::map(std::uint64_t index) { return *by_index_.at(index); }

OperationsUnderTest::OperationsUnderTest(const std::string& backend, bool fuses_nodes)
    : log_(LogLevel::kWarning),
      host_(log_),
      registry_(host_, {VERNAL_PLUGIN_DIR}),
      module_builder_("test", weights_),
      builder_(module_builder_.ref()),
      backend_name_(backend) {
  builder_.begin_function("main");
  if (!fuses_nodes) settings_.entries["fuse_nodes"] = {VERNAL_CONFIG_BOOL, false, "test"};
}

WeightRef OperationsUnderTest::weight(const std::string& name, const Dims& dims,
                                      const std::vector<float>& values) {
  weights_.set(name, dims, values);
  return builder_.weight(name, dims);
}

WeightRef OperationsUnderTest::stored_weight(const std::string& name, std::string_view format,
                                             const Dims& dims, std::vector<std::byte> bytes) {
  weights_.set_stored(name, format, dims, std::move(bytes));
  return builder_.weight(name, dims);
}

void OperationsUnderTest::output(Tensor x) {
  const Shape shape = builder_.shape(x);
  columns_ = 1;
  for (std::uint32_t i = 1; i < shape.rank; ++i) columns_ *= shape[i];
  // An output must be f32, but the backend's activations may have another type. A sum with f32 is
  // f32.
  const Tensor zero = input("zero", {kTokens, 1});
  builder_.output("hidden", builder_.add(builder_.reshape(x, {kTokens, columns_}), zero), "all");
  builder_.end_function();
  module_ = std::make_shared<const Module>(module_builder_.finish());
  if (!module_builder_.problems().empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT, list_problems(module_builder_.problems()));
  }
  weights_.bind(*module_);
  view_ = std::make_unique<ModuleView>(module_);
  plugin::PluginLibrary& library = registry_.open(backend_name_, VERNAL_KIND_BACKEND);
  registry_.init_all();
  settings_.table = "backends.test";
  backend_.emplace(library.backend(), "test", config_view(settings_));
  PlanOptions plan;
  plan.context_length = kRoom;
  plan.max_tokens_per_step = kRoom;
  plan.max_rows = kRoom;
  plan.max_sequences = kSequences;
  plan.kv_tokens = kRoom * kSequences;
  plan_.emplace(backend_->plan(view_->ref(), plan));
  program_.emplace(plan_->build(weights_, {}));
  pool_.emplace(program_->create_pool());
}

vernal_sequence_id OperationsUnderTest::sequence() {
  const auto id = pool_->seq_create();
  if (!id || !pool_->seq_reserve(*id, kRoom)) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the pool has no room for the test's sequence");
  }
  return *id;
}

std::vector<float> OperationsUnderTest::step(const std::vector<Part>& parts) {
  std::vector<StepSequence> sequences;
  std::uint64_t num_tokens = 0;
  for (const Part& part : parts) {
    sequences.push_back(
        {part.sequence, num_tokens, part.count, pool_->seq_length(part.sequence, 0)});
    num_tokens += part.count;
  }
  feed("zero", std::vector<float>(num_tokens));
  std::vector<plugin::StepInput> inputs;
  for (const auto& [name, values] : inputs_) {
    inputs.push_back(plugin::StepInput::host<float>(name, values));
  }
  for (const auto& [name, values] : integers_) {
    inputs.push_back(plugin::StepInput::host<std::int32_t>(name, values));
  }
  std::vector<std::int32_t> rows(num_tokens);
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<std::string_view> outputs{"hidden"};
  plugin::BackendStep step = pool_->submit({0, num_tokens, sequences, rows, inputs, outputs});
  if (!step.wait(0)) throw Error(VERNAL_DEADLINE, "the step did not finish");
  const StepOutput out = step.output("hidden", num_tokens, static_cast<std::uint64_t>(columns_));
  return {out.data, out.data + out.rows * out.columns};
}

}  // namespace vernal::test
