// The table of one console frontend in the deployment file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vernal/config.hpp"

namespace vernal::stdin_repl {

/// The name of the plugin in the log.
inline constexpr std::string_view kComponent = "stdin_repl";

/// The rows of the plugin's schema.
std::span<const vernal_config_row> settings_rows() noexcept;

/// The default of the key `stats`.
inline constexpr bool kShowsStats = true;

/// The values of the table.
struct Settings {
  std::string model = {};                        // empty: the first one of the deployment
  std::string system = {};                       // system message of each conversation; empty: none
  std::string history_file = {};                 // absolute; empty: lines are forgotten at the end
  std::optional<std::uint64_t> max_tokens = {};  // of an answer; absent: the model's limits hold
  bool shows_stats = kShowsStats;                // shows the speed after each answer, on a terminal
};

/// Reads the validated table. Control thread.
Settings read_settings(const Config& config);

/// read_settings, and a warning where the history could not be kept. Control thread.
/// Errors   those of the table's own getters; a history that is lost stops nobody
void check_settings(const Config& config);

}  // namespace vernal::stdin_repl
