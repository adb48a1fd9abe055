// Runs a few operations on a real backend plugin, without a model file: from values to values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/plugin_settings.hpp"
#include "module/builder.hpp"
#include "module/module_view.hpp"
#include "module/weight_directory.hpp"
#include "observe/log.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/core_host.hpp"
#include "plugin/plugin_registry.hpp"
#include "plugin/weight_store.hpp"
#include "vernal/builder.hpp"

namespace vernal::test {

/// Weights that a test makes up, in f32 or in a storage format. They are a directory for the builder and
/// a store for the backend.
class MadeUpWeights final : public WeightDirectory, public plugin::WeightStore {
 public:
  void set(const std::string& name, const Dims& dims, const std::vector<float>& values);
  void set_stored(const std::string& name, std::string_view format, const Dims& dims,
                  std::vector<std::byte> bytes);
  /// Finds the weights of a module by their index from now on.
  void bind(const Module& module);

  const StoredWeight* find(std::string_view name) const override;
  std::vector<std::string> names() const override;
  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> destination) override;
  std::span<const std::byte> map(std::uint64_t index) override;
  void unmap(std::uint64_t) override {}

 private:
  std::map<std::string, StoredWeight, std::less<>> directory_;
  std::map<std::string, std::vector<std::byte>, std::less<>> bytes_;
  std::vector<const std::vector<std::byte>*> by_index_;
};

/// One function "main". A test adds its operations through b(); output() ends the function and
/// loads it.
///
///   OperationsUnderTest ops("reference");
///   const Tensor x = ops.input("x", {kTokens, 8});
///   ops.output(ops.b().l2norm(x, 1e-6));
///   const auto a = ops.sequence();
///   ops.feed("x", ...);
///   const std::vector<float> y = ops.step({{a, 3}});
class OperationsUnderTest {
 public:
  ///   fuses_nodes  false: cuda_sm86 launches each operation by itself
  explicit OperationsUnderTest(const std::string& backend, bool fuses_nodes = true);

  const Builder& b() const { return builder_; }
  Tensor input(std::string_view name, const Dims& dims, Element element = Element::kF32) {
    return builder_.input(name, element, dims);
  }
  WeightRef weight(const std::string& name, const Dims& dims, const std::vector<float>& values);
  /// The same in a storage format, "ggml.q4_k/1", as files have it.
  WeightRef stored_weight(const std::string& name, std::string_view format, const Dims& dims,
                          std::vector<std::byte> bytes);
  /// Makes x [T, ...] the result and builds the program. Throws with the builder's problems.
  void output(Tensor x);

  /// Makes a sequence with room for 512 tokens.
  vernal_sequence_id sequence();
  /// Sets the values of an input for the next step.
  void feed(const std::string& name, std::vector<float> values) {
    inputs_.insert_or_assign(name, std::move(values));
  }
  void feed_integers(const std::string& name, std::vector<std::int32_t> values) {
    integers_.insert_or_assign(name, std::move(values));
  }

  /// A part of a step: the number of tokens of a sequence.
  struct Part {
    vernal_sequence_id sequence;
    std::uint64_t count;
  };
  /// Runs a step and returns the results of all tokens.
  std::vector<float> step(const std::vector<Part>& parts);

 private:
  Log log_;
  plugin::CoreHost host_;
  plugin::PluginRegistry registry_;
  PluginSettings settings_;
  MadeUpWeights weights_;
  ModuleBuilder module_builder_;
  Builder builder_;
  std::shared_ptr<const Module> module_;
  std::unique_ptr<ModuleView> view_;
  std::optional<plugin::BackendInstance> backend_;
  std::optional<plugin::BackendPlan> plan_;
  std::optional<plugin::BackendProgram> program_;
  std::optional<plugin::BackendPool> pool_;
  std::map<std::string, std::vector<float>, std::less<>> inputs_;
  std::map<std::string, std::vector<std::int32_t>, std::less<>> integers_;
  std::string backend_name_;
  std::int64_t columns_ = 0;
};

}  // namespace vernal::test
