#include "plugin_check/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>

#include "plugin_check/finding.hpp"
#include "vernal/abi/version.h"
#include "vernal/error.hpp"

namespace vernal::check {
namespace {

constexpr std::string_view kIndent = "         ";

/// Further lines of `text` stand below the first.
std::string indented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += kIndent;
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

std::size_t count(const std::vector<Result>& results, Outcome outcome) {
  return static_cast<std::size_t>(std::ranges::count(results, outcome, &Result::outcome));
}

}  // namespace

std::string result_text(const Result& result) {
  std::string text = fmt::format("{:<8} {:<34} {:5.1f} s\n", outcome_name(result.outcome),
                                 result.test.name, result.seconds);
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{}{} {}\n", kIndent, name, indented(value));
  };
  if (result.outcome == Outcome::kPassed) {
    line("note:    ", result.found);
    return text;
  }
  if (result.outcome != Outcome::kSkipped) line("expected:", result.test.expects);
  line(result.outcome == Outcome::kSkipped ? "because: " : "found:   ", result.found);
  if (result.outcome == Outcome::kWaived) line("waived:  ", result.reason);
  if (result.outcome == Outcome::kFinding) line("it wrote:", result.output);
  return text;
}

std::string summary_text(const Options& options, const std::vector<Result>& results) {
  const std::size_t findings = count(results, Outcome::kFinding);
  const std::size_t waived = count(results, Outcome::kWaived);
  std::string text = fmt::format("{}: {} tests, {} passed, {} findings, {} waived, {} skipped\n",
                                 options.plugin.filename().string(), results.size(),
                                 count(results, Outcome::kPassed), findings, waived,
                                 count(results, Outcome::kSkipped));
  for (const auto& [test, reason] : options.waivers) {
    const auto found =
        std::ranges::find(results, test, [](const Result& r) { return r.test.name; });
    if (found == results.end() || found->outcome != Outcome::kPassed) continue;
    text += fmt::format("the waiver of {} is not needed any more\n", test);
  }
  const bool is_whole = options.only.empty() && options.group.empty();
  const bool has_device =
      std::ranges::none_of(results, [](const Result& r) { return r.found.starts_with(kNoDevice); });
  if (findings == 0 && !has_device) {
    text += "this machine has no device for it: nothing is known of what it computes\n";
  } else if (findings == 0 && is_whole) {
    text += fmt::format("conforms to plugin interface {}.{}, operations up to level {}{}\n",
                        VERNAL_ABI_MAJOR, VERNAL_ABI_MINOR, options.level,
                        waived > 0 ? ", but for what is waived" : "");
  }
  return text;
}

void write_json(const std::filesystem::path& file, const Options& options,
                const std::vector<Result>& results) {
  boost::json::array tests;
  for (const Result& r : results) {
    boost::json::object test{{"name", r.test.name},
                             {"outcome", outcome_name(r.outcome)},
                             {"expects", r.test.expects},
                             {"found", r.found},
                             {"seconds", r.seconds}};
    if (!r.reason.empty()) test["reason"] = r.reason;
    if (!r.output.empty()) test["output"] = r.output;
    tests.push_back(std::move(test));
  }
  const boost::json::object whole{
      {"plugin", options.plugin.string()},
      {"interface", fmt::format("{}.{}", VERNAL_ABI_MAJOR, VERNAL_ABI_MINOR)},
      {"level", options.level},
      {"findings", count(results, Outcome::kFinding)},
      {"tests", std::move(tests)}};
  std::ofstream out(file);
  out << boost::json::serialize(whole) << '\n';
  out.close();
  if (!out) throw Error(VERNAL_UNAVAILABLE, file.string() + ": cannot be written");
}

std::string list_text(const std::vector<Test>& tests) {
  std::string text;
  for (const Test& test : tests) {
    text += fmt::format("{:<34} level {}  {}\n", test.name, test.level, test.expects);
  }
  return text;
}

}  // namespace vernal::check
