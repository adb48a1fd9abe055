// Whether a device does what the emulator takes for granted.
#pragma once

#include <string>
#include <vector>

namespace vernal::probe {

/// One instruction or a few, compared with arithmetic of the host.
struct CheckResult {
  std::string name;
  std::string difference;  ///< the first one found; empty: none
};

/// All checks. Throws std::runtime_error if the device fails.
std::vector<CheckResult> run_checks();

}  // namespace vernal::probe
