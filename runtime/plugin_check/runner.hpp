// Runs one test in a process of its own, so that whatever a plugin does there is a finding of that
// test alone.
#pragma once

#include <string>

#include "plugin_check/options.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {

enum class Outcome { kPassed, kFinding, kSkipped, kWaived };

/// "passed", "FINDING", "skipped", "waived".
std::string_view outcome_name(Outcome outcome) noexcept;

struct Result {
  Test test;
  Outcome outcome = Outcome::kPassed;
  std::string found;   ///< what a finding or a skip says; of a passed one its remarks
  std::string output;  ///< what the process wrote to standard output and error
  std::string reason;  ///< of a waiver
  double seconds = 0;
};

/// Starts this program again for `test` and waits for it, at most the test's limit. A crash, an
/// exit, a hang and a silent end are findings. Applies the waivers of `options`.
///   arguments  of this program, without its name: the child gets them too
Result run_apart(const Test& test, const Options& options,
                 const std::vector<std::string>& arguments);

/// What the child does: runs the test and writes outcome and text to the descriptor `report`
/// (standard output if negative). Returns the exit status of the process.
int run_here(const Test& test, const Options& options, int report);

}  // namespace vernal::check
