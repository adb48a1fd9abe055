// Changes what the sound plugin reads in modules: the base of faults of understanding.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "zoo.hpp"

namespace zoo {

/// A node as it stands in the module, and as the sound plugin will read it.
struct ReadNode {
  std::string_view op;
  std::vector<vernal_attr> attrs;
  std::vector<vernal_operand> operands;
  std::uint64_t function = 0;
  std::uint64_t index = 0;  // 0: a module begins

  vernal_attr* find(std::string_view name);
  std::string_view text(std::string_view name);
  void drop(std::string_view name);
  /// Dimensions of the value that is operand `index`.
  std::vector<std::int64_t> shape(std::size_t index) const;
};

/// The module's own table, while the sound plugin reads it.
const vernal_module_api& true_module();
/// The module that is being read.
const vernal_module* read_module();

/// From now on the sound plugin plans and asks through a module table that `change` has changed.
void read_wrongly(Tables& shown, void (*change)(vernal_module_api& api));
/// The same, node by node.
void change_nodes(Tables& shown, void (*change)(ReadNode& node));
/// The same, state by state; `windows` are those of the module's other states, where they have one.
void change_windows(Tables& shown,
                    void (*change)(vernal_state_desc& state, std::vector<std::int64_t> windows));

}  // namespace zoo
