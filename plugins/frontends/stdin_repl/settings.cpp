#include "stdin_repl/settings.hpp"

#include <array>
#include <filesystem>
#include <system_error>

namespace vernal::stdin_repl {
namespace {

constexpr std::array kRows = {
    to_abi({.path = "model",
            .type = VERNAL_CONFIG_STRING,
            .help = "Model or profile to talk with; without it the first one of the deployment.",
            .flags = VERNAL_CONFIG_MODEL_NAMES}),
    to_abi({.path = "system",
            .type = VERNAL_CONFIG_STRING,
            .help = "System message that every conversation begins with."}),
    to_abi({.path = "history_file",
            .type = VERNAL_CONFIG_PATH,
            .help = "File that keeps the lines typed at a terminal; without it they are forgotten "
                    "at the end."}),
    to_abi({.path = "max_tokens",
            .type = VERNAL_CONFIG_INT,
            .help = "Longest answer in tokens; without it as long as the context length allows.",
            .minimum = 1,
            .maximum = 1e9}),
    to_abi({.path = "stats",
            .type = VERNAL_CONFIG_BOOL,
            .help = "Whether a terminal shows the speed after each answer.",
            .default_value = kShowsStats ? "true" : "false"}),
};

}  // namespace

std::span<const vernal_config_row> settings_rows() noexcept { return kRows; }

Settings read_settings(const Config& config) {
  Settings settings;
  settings.model = config.find_string("model").value_or("");
  settings.system = config.find_string("system").value_or("");
  settings.history_file = config.find_string("history_file").value_or("");
  if (const auto max_tokens = config.find_int("max_tokens")) {
    settings.max_tokens = static_cast<std::uint64_t>(*max_tokens);
  }
  settings.shows_stats = config.find_bool("stats").value_or(kShowsStats);
  return settings;
}

void check_settings(const Config& config) {
  const std::filesystem::path file = read_settings(config).history_file;
  if (file.empty()) return;
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(file, error);
  if (!is_folder && std::filesystem::is_directory(file.parent_path(), error)) return;
  plugin_host().log(
      VERNAL_LOG_WARNING, kComponent,
      config.origin("history_file") + ": history_file " + file.string() +
          (is_folder ? ": expected a file, found a folder" : ": its folder is not there") +
          "; the lines typed will be forgotten");
}

}  // namespace vernal::stdin_repl
