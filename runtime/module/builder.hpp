// Builds a Module from the calls of an architecture plugin, and checks each call.
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

/// A key and a value that the architecture gives to the core's services.
struct Hint {
  std::string key;
  std::string value;
  friend bool operator==(const Hint&, const Hint&) = default;
};

/// What stands behind vernal_builder_api. Control thread; for one build. A mistake of a plugin
/// throws nothing: the builder keeps the problem with its path and goes on. A result that a problem
/// leaves unknown is not checked further. finish() ends the build; problems() has all of them.
class ModuleBuilder {
 public:
  ///   architecture   name of the plugin
  ///   weights        of the model file, borrowed
  ModuleBuilder(std::string architecture, const WeightDirectory& weights);
  ModuleBuilder(const ModuleBuilder&) = delete;
  ModuleBuilder& operator=(const ModuleBuilder&) = delete;

  /// The table and this object, for the plugin's build call.
  vernal_builder_ref ref() noexcept;

  // The functions of the table in C++; abi/architecture.h says what they do.
  void begin_function(std::string_view name);
  void end_function();
  void push_scope(std::string_view name);
  void pop_scope();
  vernal_operand weight(std::string_view name, const Shape& shape);
  vernal_operand state(const vernal_state_desc& desc);
  /// Returns `num_outputs` values. They are unknown if there is a problem.
  std::vector<vernal_operand> add_op(Node node, std::string_view name, std::uint64_t num_outputs);
  /// Errors   VERNAL_INVALID_ARGUMENT: no such value, or an earlier problem left it unknown
  const Value& value(vernal_operand operand) const;
  void hint(std::string_view key, std::string_view value);

  /// Keeps a problem for the current path, or for `path`.
  void problem(std::string text);
  void problem(std::string path, std::string text);

  /// The problems found so far. finish() adds those of the module as a whole.
  const std::vector<Problem>& problems() const noexcept { return problems_; }
  const std::vector<Hint>& hints() const noexcept { return hints_; }

  /// Ends the build and adds the problems of the module as a whole. If problems() is empty then,
  /// the returned module is sound and has its fingerprint.
  Module finish();

 private:
  Function* current();
  std::string scope_path() const;
  std::string node_path(std::string_view name);

  const WeightDirectory& weights_;
  Module module_;
  bool in_function_ = false;
  std::vector<std::string> scopes_;
  // How often a path was used in the current function.
  std::map<std::string, std::uint32_t, std::less<>> paths_;
  std::map<std::string, std::uint32_t, std::less<>> weight_index_;
  std::vector<Hint> hints_;
  std::vector<Problem> problems_;
};

}  // namespace vernal
