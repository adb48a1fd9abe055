// The reference backend. It is scalar, computes in double, and has one function for each operation.
// It says what the operations mean, it is the smallest complete backend, and tests compare other
// backends with it.
#include "vernal/plugin.hpp"

#include "operations.hpp"
#include "program.hpp"
#include "vernal/backend_plugin.hpp"

namespace reference {
namespace {

/// Keeps the options with which a program will be built.
class Plan final : public vernal::BackendPlan {
 public:
  Plan(std::shared_ptr<const vernal::Module> module, vernal::PlanOptions options)
      : module_(std::move(module)), options_(std::move(options)) {}

  vernal_plan_info info() const override { return price(*module_, options_); }
  std::vector<vernal::MemoryRow> rows() const override { return memory_rows(*module_, options_); }

  std::unique_ptr<vernal::BackendProgram> build(const vernal::WeightSource& source,
                                                const vernal::Progress& progress) override {
    std::uint64_t total = 0;
    for (const vernal::Weight& weight : module_->weights) total += weight.bytes;
    std::uint64_t done = 0;
    std::vector<StoredWeight> weights;
    for (std::size_t i = 0; i < module_->weights.size(); ++i) {
      const vernal::Weight& weight = module_->weights[i];
      StoredWeight stored;
      stored.format = vernal::find_block_type(std::string_view(weight.format));
      stored.columns = weight.shape.last();
      stored.num_rows = weight.shape.num_rows();
      stored.bytes = source.map(i);
      weights.push_back(stored);
      done += weight.bytes;
      progress.report(done, total);
    }
    return std::make_unique<Program>(module_, options_, std::move(weights));
  }

 private:
  std::shared_ptr<const vernal::Module> module_;
  vernal::PlanOptions options_;
};

void require_kv_format(const vernal::Module& module, const std::string& format) {
  const bool has_blocks = format == "q8_0" || format == "q4_0";
  if (format != "f32" && format != "f16" && !has_blocks) {
    throw vernal::Error(VERNAL_UNSUPPORTED, "KV format \"" + format +
                                                "\": this backend stores f32, f16, q8_0 and q4_0");
  }
  for (const vernal::State& state : module.states) {
    if (state.kind != VERNAL_STATE_KV) continue;
    if (has_blocks && (state.key_dim % 32 != 0 || state.value_dim % 32 != 0)) {
      throw vernal::Error(
          VERNAL_UNSUPPORTED,
          state.name + ": " + format + " needs head sizes that are multiples of 32, found " +
              std::to_string(state.key_dim) + " and " + std::to_string(state.value_dim));
    }
  }
}

class ReferenceBackend final : public vernal::Backend {
 public:
  explicit ReferenceBackend(const vernal::Config&) {}

  static std::vector<vernal::DeviceInfo> devices() {
    return {{"cpu", "host processor, scalar code", 0, 0, 1}};
  }

  std::optional<std::string> unsupported_reason(const vernal::Module& module,
                                                const vernal::Function&,
                                                const vernal::Node& node) const override {
    return refusal(module, node);
  }

  std::vector<vernal::FormatSupport> formats() const override {
    std::vector<vernal::FormatSupport> out;
    for (const vernal::BlockType& type : vernal::kBlockTypes) {
      out.push_back({std::string(type.id),
                     type.is_readable() ? VERNAL_FORMAT_NATIVE : VERNAL_FORMAT_REFUSED,
                     type.is_readable() ? "" : "no reader"});
    }
    return out;
  }

  std::unique_ptr<vernal::BackendPlan> plan(std::shared_ptr<const vernal::Module> module,
                                            const vernal::PlanOptions& options) override {
    std::string problems;
    for (const vernal::Function& function : module->functions) {
      for (const vernal::Node& node : function.nodes) {
        if (const auto why = refusal(*module, node)) problems += "\n  " + node.path + ": " + *why;
      }
    }
    if (!problems.empty()) {
      throw vernal::Error(VERNAL_UNSUPPORTED,
                          "the module needs what this backend lacks:" + problems);
    }
    require_kv_format(*module, options.kv_keys_format);
    require_kv_format(*module, options.kv_values_format);
    if (options.recurrent_format != "f32") {
      throw vernal::Error(VERNAL_UNSUPPORTED, "recurrent format \"" + options.recurrent_format +
                                                  "\": this backend keeps recurrent states in f32");
    }
    return std::make_unique<Plan>(std::move(module), options);
  }
};

constexpr vernal_backend_api kBackendTable = vernal::backend_table<ReferenceBackend>();

}  // namespace
}  // namespace reference

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &reference::kBackendTable});
