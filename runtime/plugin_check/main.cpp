// vernal-plugin-check: what a plugin promises, tested from outside, each promise in a process of
// its own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>

#include "plugin_check/report.hpp"
#include "plugin_check/runner.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "vernal/error.hpp"

namespace {

using vernal::check::Options;
using vernal::check::Outcome;
using vernal::check::Result;
using vernal::check::Test;

using vernal::check::kUnfitTable;

constexpr int kUsageError = 2;

constexpr const char* kHelp =
    "Tests whether a plugin keeps the promises of the interface (vernal/abi/*.h, sdk/spec).\n\n"
    "Every test runs in a process of its own with a time limit: a crash, an exit or a hang is a\n"
    "finding of that test, and the others still run. Numbers are compared with the reference\n"
    "operations within the bounds of sdk/spec/operations.md.\n";
constexpr const char* kFooter =
    "\nGroups: manifest, binary, negotiation, lifecycle, errors, operations, state, step, model,\n"
    "frontend.\n"
    "Exit status: 0 everything passed or is waived, 1 there are findings, 2 wrong usage.\n\n"
    "Examples:\n"
    "  vernal-plugin-check acme.so --set threads=2\n"
    "  vernal-plugin-check acme.so --level 1 --json report.json\n"
    "  vernal-plugin-check acme.so --only state.fork_full\n"
    "  vernal-plugin-check acme.so --waive \"lifecycle.cancel=the driver loads in one call\"";

struct CommandLine {
  Options options;
  std::vector<std::string> waivers;  // "TEST=REASON"
  bool list = false;
  bool print_module = false;
  std::string run;
  int report = -1;
};

void add_options(CLI::App& app, CommandLine& line) {
  Options& options = line.options;
  app.footer(kFooter);
  app.add_option("PLUGIN", options.plugin, "the plugin, NAME.so");
  app.add_option("--level", options.level,
                 "operations tested: 0 every backend's, 1 hybrid models' too, 2 experts' too")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  app.add_option("--group", options.group, "tests of one group alone");
  app.add_option("--only", options.only, "one test alone; may be given again")
      ->allow_extra_args(false);
  app.add_option("--set", options.settings,
                 "KEY=VALUE of the plugin's table in a deployment, value as TOML or text")
      ->allow_extra_args(false);
  app.add_option("--waive", line.waivers,
                 "TEST=REASON: its finding does not count; the reason is in the report")
      ->allow_extra_args(false);
  app.add_option("--model", options.model,
                 "a model file (GGUF) for architectures that have no built-in sample")
      ->check(CLI::ExistingFile);
  app.add_option("--limit", options.limit_s, "seconds a test may take, instead of its own limit")
      ->check(CLI::Range(1, 3600));
  app.add_option("--json", options.json, "writes the report to this file too");
  app.add_flag("--list", line.list,
               "lists the tests and ends; of one plugin's kinds if it is given");
  app.add_flag("--print-module", line.print_module,
               "prints the module that an architecture builds of its sample or of --model, and "
               "ends: whatever compiler made the plugin, it must be the same");
  app.add_option("--run", line.run, "runs one test in this process, for a debugger");
  app.add_option("--report", line.report)->group("");
}

/// The tests that are asked for. Throws Error(INVALID_ARGUMENT) for a name that none has.
std::vector<Test> chosen_tests(const Options& options) {
  const std::vector<Test> all = vernal::check::all_tests();
  const auto require = [&](std::string_view name) {
    if (std::ranges::find(all, name, &Test::name) != all.end()) return;
    throw vernal::Error(VERNAL_INVALID_ARGUMENT,
                        fmt::format("no test is called \"{}\"; --list shows them", name));
  };
  for (const std::string& name : options.only) require(name);
  for (const auto& [name, reason] : options.waivers) require(name);
  const std::uint32_t kinds =
      options.plugin.empty() ? vernal::check::kEveryKind : vernal::check::kinds_of(options.plugin);
  std::vector<Test> chosen;
  for (const Test& test : all) {
    if ((test.kinds & kinds) == 0 || test.level > options.level) continue;
    if (!options.group.empty() && test.group() != options.group) continue;
    if (!options.only.empty() && std::ranges::find(options.only, test.name) == options.only.end()) {
      continue;
    }
    chosen.push_back(test);
  }
  if (chosen.empty()) {
    throw vernal::Error(
        VERNAL_INVALID_ARGUMENT,
        "no test is left: the group is unknown, its tests need a higher --level, or "
        "they are for plugins of another kind");
  }
  return chosen;
}

void read_waivers(CommandLine& line) {
  for (const std::string& waiver : line.waivers) {
    const std::size_t equals = waiver.find('=');
    if (equals == waiver.npos || equals + 1 == waiver.size()) {
      throw vernal::Error(VERNAL_INVALID_ARGUMENT,
                          fmt::format("--waive {}: expected TEST=REASON", waiver));
    }
    line.options.waivers.emplace_back(waiver.substr(0, equals), waiver.substr(equals + 1));
  }
}

int run_one(const CommandLine& line) {
  const Test& settings = vernal::check::settings_test();
  if (line.run == settings.name) {
    return vernal::check::run_here(settings, line.options, line.report);
  }
  for (const Test& test : vernal::check::all_tests()) {
    if (test.name == line.run) return vernal::check::run_here(test, line.options, line.report);
  }
  throw vernal::Error(VERNAL_INVALID_ARGUMENT, fmt::format("no test is called \"{}\"", line.run));
}

int run_all(const Options& options, const std::vector<std::string>& arguments) {
  const std::vector<Test> chosen = chosen_tests(options);
  const Result settings =
      vernal::check::run_apart(vernal::check::settings_test(), options, arguments);
  // A plugin that ends the process is a finding of the tests; a table that does not fit is not.
  if (settings.found.starts_with(kUnfitTable)) {
    throw vernal::Error(VERNAL_INVALID_ARGUMENT, settings.found);
  }
  std::vector<Result> results;
  for (const Test& test : chosen) {
    results.push_back(vernal::check::run_apart(test, options, arguments));
    fmt::print("{}", vernal::check::result_text(results.back()));
    std::fflush(stdout);
  }
  fmt::print("\n{}", vernal::check::summary_text(options, results));
  if (!options.json.empty()) vernal::check::write_json(options.json, options, results);
  const bool has_finding =
      std::ranges::find(results, Outcome::kFinding, &Result::outcome) != results.end();
  return has_finding ? 1 : 0;
}

int check(CommandLine& line, const std::vector<std::string>& arguments) {
  read_waivers(line);
  if (line.list) {
    fmt::print("{}", vernal::check::list_text(chosen_tests(line.options)));
    return 0;
  }
  if (!std::filesystem::is_regular_file(line.options.plugin)) {
    throw vernal::Error(VERNAL_NOT_FOUND, fmt::format("\"{}\": expected a plugin, NAME.so",
                                                      line.options.plugin.string()));
  }
  if (line.print_module) {
    fmt::print("{}", vernal::check::module_text(line.options));
    return 0;
  }
  if (!line.run.empty()) return run_one(line);
  return run_all(line.options, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kHelp, "vernal-plugin-check");
  CommandLine line;
  add_options(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  try {
    return check(line, {argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "vernal-plugin-check: {}\n", error.what());
    return kUsageError;
  }
}
