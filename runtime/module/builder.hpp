// Builds a Module from the calls of an architecture plugin, checking each of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "module/problem.hpp"
#include "module/weight_directory.hpp"
#include "vernal/abi/architecture.h"
#include "vernal/module.hpp"

namespace vernal {

/// A key and value for core services, from the architecture.
struct Hint {
  std::string key;
  std::string value;
  friend bool operator==(const Hint&, const Hint&) = default;
};

/// Behind vernal_builder_api. Control thread; for one build. Nothing throws for what a plugin does
/// wrong: each problem is kept with its path and building goes on, results that it leaves unknown
/// being passed over, until finish() reports all of them.
class ModuleBuilder {
 public:
  /// `architecture`: name of the plugin; `weights`: of the model file, borrowed.
  ModuleBuilder(std::string architecture, const WeightDirectory& weights);
  ModuleBuilder(const ModuleBuilder&) = delete;
  ModuleBuilder& operator=(const ModuleBuilder&) = delete;

  /// For the plugin's build call.
  vernal_builder_ref ref() noexcept;

  // The table's functions (abi/architecture.h), in C++.
  void begin_function(std::string_view name);
  void end_function();
  void push_scope(std::string_view name);
  void pop_scope();
  vernal_operand weight(std::string_view name, const Shape& shape);
  vernal_operand state(const vernal_state_desc& desc);
  /// Returns `num_outputs` value operands, unknown ones if there is a problem.
  std::vector<vernal_operand> add_op(Node node, std::string_view name, std::uint64_t num_outputs);
  /// Errors   VERNAL_INVALID_ARGUMENT: no such value, or an earlier problem left it unknown.
  const Value& value(vernal_operand operand) const;
  void hint(std::string_view key, std::string_view value);

  /// Notes a problem at the current path, or at `path`.
  void problem(std::string text);
  void problem(std::string path, std::string text);

  /// What was found so far; finish() adds what concerns the whole.
  const std::vector<Problem>& problems() const noexcept { return problems_; }
  const std::vector<Hint>& hints() const noexcept { return hints_; }

  /// Ends the build and adds problems of the whole to problems(). The module is sound, and has its
  /// fingerprint, if there are none.
  Module finish();

 private:
  Function* current();
  std::string scope_path() const;
  std::string node_path(std::string_view name);

  const WeightDirectory& weights_;
  Module module_;
  bool in_function_ = false;
  std::vector<std::string> scopes_;
  std::map<std::string, std::uint32_t, std::less<>> paths_;  // of the current function: times used
  std::map<std::string, std::uint32_t, std::less<>> weight_index_;
  std::vector<Hint> hints_;
  std::vector<Problem> problems_;
};

}  // namespace vernal
