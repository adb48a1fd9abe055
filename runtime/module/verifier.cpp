#include "module/verifier.hpp"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "module/node_inference.hpp"
#include "vernal/metadata.hpp"

namespace vernal {
namespace {

class StructureCheck {
 public:
  explicit StructureCheck(const Module& module)
      : module_(module), state_uses_(module.states.size(), 0) {}

  std::vector<Problem> run() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < module_.functions.size(); ++i) {
      const Function& function = module_.functions[i];
      if (!names.insert(function.name).second) {
        add(function_path(function), "a second function of this name");
      }
      check_function(function, i);
    }
    if (!names.contains("main")) add("module", "there is no function \"main\"");
    check_weights();
    check_states();
    return std::move(problems_);
  }

 private:
  static std::string function_path(const Function& function) {
    return fmt::format("function \"{}\"", function.name);
  }

  void add(std::string path, std::string text) {
    problems_.push_back({std::move(path), std::move(text)});
  }

  void check_function(const Function& function, std::size_t index) {
    std::set<std::string_view> inputs;
    std::set<std::string_view> outputs;
    for (const Node& node : function.nodes) {
      const std::string_view name = node.text("name", "");
      if (node.op == "vernal.input/1" && !inputs.insert(name).second) {
        add(node.path, fmt::format("input \"{}\" is declared twice", name));
      }
      if (node.op == "vernal.output/1" && !outputs.insert(name).second) {
        add(node.path, fmt::format("output \"{}\" is declared twice", name));
      }
      check_state_uses(node, index);
    }
    if (outputs.empty()) add(function_path(function), "there is no output");
  }

  void check_state_uses(const Node& node, std::size_t function) {
    for (const vernal_operand operand : node.operands) {
      if (operand.kind != VERNAL_OPERAND_STATE || operand.index >= state_uses_.size()) continue;
      const State& state = module_.states[operand.index];
      if (state.function != function) {
        add(node.path, fmt::format("state \"{}\" belongs to another function", state.name));
      }
      if (++state_uses_[operand.index] == 2) {
        add(node.path, fmt::format("state \"{}\" is used by a second node", state.name));
      }
    }
  }

  void check_weights() {
    std::set<std::string_view> names;
    for (const Weight& weight : module_.weights) {
      const auto path = [&] { return fmt::format("weight \"{}\"", weight.name); };
      if (!names.insert(weight.name).second) add(path(), "declared as two weights");
      if (weight.num_uses == 0) add(path(), "declared, but no operation uses it");
    }
  }

  void check_states() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < module_.states.size(); ++i) {
      const State& state = module_.states[i];
      const std::string path = fmt::format("state \"{}\"", state.name);
      if (state.name.empty() || !names.insert(state.name).second) {
        add(path, "expected a name of its own");
      }
      if (state_uses_[i] == 0) add(path, "declared, but no operation uses it");
      if (state.function >= module_.functions.size()) add(path, "belongs to no function");
      check_state_fields(state, path);
    }
  }

  void check_state_fields(const State& state, const std::string& path) {
    constexpr std::int64_t kMost = 1 << 30;
    const auto positive = [&](std::string_view field, std::int64_t value, std::int64_t least) {
      if (value < least || value > kMost) {
        add(path, fmt::format("{}: expected {} to {}, found {}", field, least, kMost, value));
      }
    };
    positive("layer", state.layer, 0);
    switch (state.kind) {
      case VERNAL_STATE_KV:
      case VERNAL_STATE_RECURRENT:
        positive("num_heads", state.num_heads, 1);
        positive("key_dim", state.key_dim, 1);
        positive("value_dim", state.value_dim, 1);
        if (state.kind == VERNAL_STATE_KV) positive("window", state.window, 0);
        return;
      case VERNAL_STATE_CONV:
        positive("channels", state.channels, 1);
        positive("width", state.width, 2);
        return;
      default:
        add(path, fmt::format("unknown kind {}", state.kind));
    }
  }

  const Module& module_;
  std::vector<std::uint32_t> state_uses_;
  std::vector<Problem> problems_;
};

/// Checks that each value is made once, before it is used, and has the type that its node gives.
class FunctionCheck {
 public:
  FunctionCheck(const Module& module, const Function& function)
      : module_(module), function_(function), made_(function.values.size(), false) {}

  std::vector<Problem> run() {
    for (const Node& node : function_.nodes) {
      if (operands_are_made(node)) check_node(node);
      for (const std::uint32_t output : node.outputs) {
        if (output >= made_.size() || made_[output]) {
          add(node, fmt::format("result %{} is out of range or made twice", output));
        } else {
          made_[output] = true;
        }
      }
    }
    return std::move(problems_);
  }

 private:
  void add(const Node& node, std::string text) {
    problems_.push_back({node.path, std::move(text)});
  }

  bool operands_are_made(const Node& node) {
    for (const vernal_operand operand : node.operands) {
      if (operand.kind != VERNAL_OPERAND_VALUE) continue;
      if (operand.index >= made_.size() || !made_[operand.index]) {
        add(node, fmt::format("uses %{}, which is not made before", operand.index));
        return false;
      }
    }
    return true;
  }

  void check_node(const Node& node) {
    NodeInference inference(module_, function_, node);
    inference.run();
    const auto& found = inference.problems();
    problems_.insert(problems_.end(), found.begin(), found.end());
    if (!found.empty()) return;
    const auto& results = inference.results();
    bool same = results.size() == node.outputs.size();
    for (std::size_t i = 0; same && i < results.size(); ++i) {
      const std::uint32_t output = node.outputs[i];
      same = output < function_.values.size() &&
             function_.values[output].shape == results[i].shape &&
             function_.values[output].element == results[i].element;
    }
    if (!same) add(node, "the stored results differ from what the operation gives");
  }

  const Module& module_;
  const Function& function_;
  std::vector<bool> made_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> verify_structure(const Module& module) { return StructureCheck(module).run(); }

std::vector<Problem> verify_module(const Module& module) {
  std::vector<Problem> problems = verify_structure(module);
  for (const Function& function : module.functions) {
    const std::vector<Problem> found = FunctionCheck(module, function).run();
    problems.insert(problems.end(), found.begin(), found.end());
  }
  return problems;
}

void count_weight_uses(Module& module) {
  for (Weight& weight : module.weights) weight.num_uses = 0;
  for (const Function& function : module.functions) {
    for (const Node& node : function.nodes) {
      for (const vernal_operand operand : node.operands) {
        if (operand.kind == VERNAL_OPERAND_WEIGHT && operand.index < module.weights.size()) {
          ++module.weights[operand.index].num_uses;
        }
      }
    }
  }
}

}  // namespace vernal
