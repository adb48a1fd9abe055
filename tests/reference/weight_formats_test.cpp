// Every storage format of weights on each backend: rows of the golden files are looked up in a
// table and multiplied. Results are compared with arithmetic in double.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/plugin_settings.hpp"
#include "loading/gguf_weight_store.hpp"
#include "model/gguf_file.hpp"
#include "module/builder.hpp"
#include "module/gguf_source.hpp"
#include "module/module_view.hpp"
#include "observe/log.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/core_host.hpp"
#include "plugin/plugin_registry.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "vernal/block_types.hpp"
#include "vernal/builder.hpp"

namespace vernal::test {
namespace {

constexpr std::int64_t kRowsOfFile = 8;
constexpr std::int64_t kColumnsOfFile = 1024;

std::vector<std::string> all_formats() {
  std::vector<std::string> names;
  for (const BlockType& type : kBlockTypes) {
    if (type.is_readable() && type.name != "f32") names.emplace_back(type.name);
  }
  return names;
}

/// logits = embed(ids, table) * product^T, for every token.
std::shared_ptr<const Module> build(const GgufFile& file, std::string_view table,
                                    std::string_view product) {
  const GgufWeightDirectory directory(file);
  ModuleBuilder core("test", directory);
  const Builder b(core.ref());
  const Dims shape{kRowsOfFile, kColumnsOfFile};
  b.begin_function("main");
  const Tensor x = b.embed(b.input("ids", Element::kI32, {kTokens}), b.weight(table, shape));
  const Tensor rows = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
  b.output("logits", b.linear("output", rows, b.weight(product, shape), {}, Element::kF32));
  b.end_function();
  auto module = std::make_shared<const Module>(core.finish());
  EXPECT_TRUE(core.problems().empty()) << list_problems(core.problems());
  return module;
}

std::vector<float> floats_of(const GgufTensor& tensor) {
  std::vector<float> values(tensor.num_elements());
  for (std::uint64_t row = 0; row < tensor.rows(); ++row) {
    dequantize_row(*tensor.type, tensor.row(row), tensor.columns(),
                   values.data() + row * tensor.columns());
  }
  return values;
}

std::vector<float> multiply(const std::vector<float>& x, const std::vector<float>& w) {
  std::vector<float> y;
  for (std::int64_t t = 0; t < kRowsOfFile; ++t) {
    for (std::int64_t n = 0; n < kRowsOfFile; ++n) {
      const auto row = x.begin() + t * kColumnsOfFile;
      y.push_back(static_cast<float>(std::inner_product(
          row, row + kColumnsOfFile, w.begin() + n * kColumnsOfFile, 0.0, std::plus<>(),
          [](float a, float b) { return static_cast<double>(a) * static_cast<double>(b); })));
    }
  }
  return y;
}

class WeightFormats : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  WeightFormats()
      : log_(LogLevel::kWarning),
        host_(log_),
        registry_(host_, {VERNAL_PLUGIN_DIR}),
        format_(std::get<1>(GetParam())),
        file_(GgufFile::open(std::filesystem::path(VERNAL_GOLDEN_DIR) / "quants" /
                             (format_ + ".gguf"))) {
    const plugin::PluginLibrary& library = registry_.open(plugin_name(), VERNAL_KIND_BACKEND);
    registry_.init_all();
    settings_.table = "backends.test";
    backend_.emplace(library.backend(), "test", config_view(settings_));
  }

  static const std::string& plugin_name() { return std::get<0>(GetParam()); }
  /// Products of floats are exact up to the rounding of f32 sums. Other backends than the reference
  /// round activations to 8 bits.
  static double bound() { return plugin_name() == "reference" ? 1e-10 : 4e-4; }

  plugin::BackendPlan plan(const ModuleView& view) const {
    PlanOptions options;
    options.context_length = 64;
    options.max_tokens_per_step = options.max_rows = kRowsOfFile;
    options.max_sequences = 1;
    options.kv_tokens = 64;
    options.kv_keys_format = options.kv_values_format = "f16";
    return backend_->plan(view.ref(), options);
  }

  /// The products of all rows of the table.
  std::vector<float> run(std::string_view table, std::string_view product) {
    const auto module = build(file_, table, product);
    const ModuleView view(module);
    GgufWeightStore weights(file_, *module);
    plugin::BackendPlan planned = plan(view);
    plugin::BackendProgram program = planned.build(weights, {});
    plugin::BackendPool pool = program.create_pool();
    const auto id = pool.seq_create();
    EXPECT_TRUE(id && pool.seq_reserve(*id, kRowsOfFile));
    std::vector<std::int32_t> all(kRowsOfFile);
    std::iota(all.begin(), all.end(), 0);
    const std::vector<StepSequence> sequences{{*id, 0, all.size(), 0}};
    const std::vector<plugin::StepInput> inputs{plugin::StepInput::host<std::int32_t>("ids", all)};
    const std::vector<std::string_view> outputs{"logits"};
    plugin::BackendStep step = pool.submit({0, all.size(), sequences, all, inputs, outputs});
    EXPECT_TRUE(step.wait(0));
    const StepOutput logits = step.output("logits", all.size(), kRowsOfFile);
    return {logits.data, logits.data + kRowsOfFile * kRowsOfFile};
  }

  Log log_;
  plugin::CoreHost host_;
  plugin::PluginRegistry registry_;
  PluginSettings settings_;
  std::string format_;
  GgufFile file_;
  std::optional<plugin::BackendInstance> backend_;
};

TEST_P(WeightFormats, MultiplyAsTheirDefinitionSays) {
  const std::vector<float> x = floats_of(file_.require_tensor("x"));
  EXPECT_LE(nmse(run("x", "x"), multiply(x, x)), bound());
}

TEST_P(WeightFormats, AreLookedUpExactly) {
  // The products share one table of floats. Only the rows that were looked up could differ, and
  // they must not.
  const std::vector<float> x = floats_of(file_.require_tensor("x"));
  const std::vector<float> plain = floats_of(file_.require_tensor("x.f32"));
  EXPECT_LE(nmse(run("x", "x.f32"), multiply(x, plain)), 1e-10);
}

TEST_P(WeightFormats, AreListedAndPlannedAsTheyAreHandled) {
  const BlockType& type = *file_.require_tensor("x").type;
  const auto formats = backend_->formats();
  const auto row = std::ranges::find(formats, std::string(type.id), &FormatSupport::format);
  ASSERT_NE(row, formats.end());
  EXPECT_NE(row->support, VERNAL_FORMAT_REFUSED) << row->note;
  const ModuleView view(build(file_, "x", "x"));
  bool is_named = false;
  for (const MemoryRow& memory : plan(view).rows()) {
    is_named |= memory.object == "x, " + format_ + " as 8-bit codes";
  }
  EXPECT_EQ(is_named, row->support == VERNAL_FORMAT_CONVERTED);
}

INSTANTIATE_TEST_SUITE_P(All, WeightFormats,
                         testing::Combine(testing::ValuesIn(backends_under_test()),
                                          testing::ValuesIn(all_formats())),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param);
                         });

}  // namespace
}  // namespace vernal::test
