// The results, for people and for programs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugin_check/runner.hpp"

namespace vernal::check {

/// One line of the table, and below it what was expected and found if that matters.
std::string result_text(const Result& result);
/// The last lines: counts, and the sentence of conformance if nothing was found.
std::string summary_text(const Options& options, const std::vector<Result>& results);
/// Writes {"plugin", "interface", "level", "tests": [{"name", "outcome", "expects", "found",
/// "reason", "output", "seconds"}]}. Throws Error(UNAVAILABLE) if the file cannot be written.
void write_json(const std::filesystem::path& file, const Options& options,
                const std::vector<Result>& results);
/// The tests themselves, one a line, for --list.
std::string list_text(const std::vector<Test>& tests);

}  // namespace vernal::check
