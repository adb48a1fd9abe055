// Which step fails, and how: the deployment table of the fault backend.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "vernal/config.hpp"

namespace fault {

/// One planned fault. Steps are counted from 1, in all pools of the instance together.
struct Script {
  std::string kind = "none";
  std::uint64_t first_step = 1;
  std::uint64_t num_steps = 1;            // 0: every step from the first on
  std::uint64_t hang_ms = 0;              // the time that a hanging step or a slow build takes
  std::filesystem::path until_file = {};  // a slow build ends as soon as this file exists

  bool strikes(std::uint64_t step) const {
    return kind != "none" && step >= first_step &&
           (num_steps == 0 || step < first_step + num_steps);
  }
};

inline Script read_script(const vernal::Config& config) {
  Script script;
  script.kind = config.find_string("fault").value_or("none");
  script.first_step = static_cast<std::uint64_t>(config.find_int("first_step").value_or(1));
  script.num_steps = static_cast<std::uint64_t>(config.find_int("num_steps").value_or(1));
  script.hang_ms = config.find_duration_ms("hang").value_or(0);
  script.until_file = config.find_string("until_file").value_or("");
  return script;
}

}  // namespace fault
