// A test of a plugin, and the list of all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_check/options.hpp"
#include "vernal/abi/plugin.h"

namespace vernal::check {

/// Kinds of plugins as a set.
inline constexpr std::uint32_t kBackends = 1U << VERNAL_KIND_BACKEND;
inline constexpr std::uint32_t kArchitectures = 1U << VERNAL_KIND_ARCHITECTURE;
inline constexpr std::uint32_t kFrontends = 1U << VERNAL_KIND_FRONTEND;
inline constexpr std::uint32_t kEveryKind = kBackends | kArchitectures | kFrontends;

/// One promise of the interface. Runs in a process of its own, once; throws Finding, Skipped, or
/// any other exception, which is a finding too.
struct Test {
  std::string_view name;     ///< "group.what"
  std::string_view expects;  ///< the promise, one line
  void (*run)(const Options& options);
  std::uint32_t kinds = kEveryKind;
  int level = 0;     ///< of the operations it needs
  int limit_s = 30;  ///< a test that takes longer hangs

  std::string_view group() const { return name.substr(0, name.find('.')); }
};

std::span<const Test> manifest_tests();
std::span<const Test> binary_tests();
std::span<const Test> negotiation_tests();
std::span<const Test> negotiation_struct_tests();
std::span<const Test> lifecycle_tests();
std::span<const Test> errors_tests();
std::span<const Test> errors_id_tests();
std::span<const Test> errors_argument_tests();
std::span<const Test> operations_tests();
std::span<const Test> state_tests();
std::span<const Test> state_position_tests();
std::span<const Test> state_copy_tests();
std::span<const Test> state_window_tests();
std::span<const Test> state_room_tests();
std::span<const Test> step_tests();
std::span<const Test> model_tests();
std::span<const Test> architecture_tests();
std::span<const Test> frontend_tests();

/// Checks whether --set fits the plugin's schema. It is not in all_tests().
const Test& settings_test();

/// All tests in the order of the groups.
std::vector<Test> all_tests();

/// The module that an architecture builds of its sample or of --model, as text. Two compilers must
/// make plugins that agree in it. Throws Error or Skipped if there is none.
std::string module_text(const Options& options);

/// The set of kinds a plugin file says it is of; kEveryKind if its manifest cannot be read.
std::uint32_t kinds_of(const std::filesystem::path& plugin);

/// Adds a remark to the report of the running test: what it left out.
void note(const std::string& text);
/// The remarks so far, one a line.
std::string notes();

}  // namespace vernal::check
