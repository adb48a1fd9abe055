#include <algorithm>
#include <fstream>

#include "runner/acceptance.hpp"

namespace vernal::acceptance {
namespace {

namespace fs = std::filesystem;

/// What a GoogleTest program said so far.
struct TestCounts {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  std::string running;
  boost::json::array failures;
  std::vector<std::string> notes;  // lines that tests print of themselves

  void read(std::string_view line) {
    // A result is followed by its time, a failure by the parameter too.
    const auto name_behind = [&](std::string_view mark) {
      const std::string_view name = line.substr(mark.size());
      return std::string(name.substr(0, std::min(name.find(" ("), name.find(", where"))));
    };
    // Behind the summary failures are listed once more.
    if (line.starts_with("[==========]") && !running.empty()) is_over_ = true;
    if (is_over_) return;
    if (line.starts_with("[ RUN      ] ")) {
      running = name_behind("[ RUN      ] ");
      text_.clear();
    } else if (line.starts_with("[       OK ] ")) {
      ++passed;
    } else if (line.starts_with("[  SKIPPED ] ")) {
      ++skipped;
    } else if (line.starts_with("[  FAILED  ] ")) {
      ++failed;
      failures.push_back({{"test", name_behind("[  FAILED  ] ")}, {"text", text_}});
    } else if (!running.empty()) {
      if (text_.size() < 2000) text_ += std::string(line) + "\n";
      if (line.find("NMSE") != std::string_view::npos)
        notes.push_back(running + ": " + std::string(line));
    }
  }

 private:
  std::string text_;
  bool is_over_ = false;
};

StepResult judged(const TestCounts& counts, const ChildResult& child) {
  StepResult result;
  result.details = {{"passed", counts.passed},
                    {"failed", counts.failed},
                    {"not_for_this_device", counts.skipped}};
  if (!counts.failures.empty()) result.details["failures"] = counts.failures;
  if (!counts.notes.empty()) result.details["notes"] = boost::json::value_from(counts.notes);
  if (counts.failed > 0) {
    result.outcome = Outcome::kFailed;
    result.reason = std::to_string(counts.failed) + " tests found a difference";
  } else if (child.is_cut) {
    result.outcome = Outcome::kCut;
    result.reason = "its time was up in " + counts.running;
  } else if (child.status != 0) {
    result.outcome = Outcome::kFailed;
    result.reason = "status " + std::to_string(child.status) + " in " + counts.running + ": " +
                    last_line(child.errors);
  } else if (counts.passed == 0) {
    result.outcome = Outcome::kFailed;
    result.reason = "no test ran";
  }
  return result;
}

/// Writes the tiny models of shapes/.
std::string make_tiny_models(const Acceptance& a) {
  // Shapes name the tokenizer beside their folder.
  const fs::path shapes = a.bundle.root() / "shapes";
  for (const char* name : {"dense", "windowed", "experts", "hybrid", "hybrid-experts"}) {
    const fs::path file = a.bundle.made() / (std::string(name) + ".gguf");
    if (fs::exists(file)) continue;
    if (a.options.is_dry_run && std::string_view(name) != "dense") continue;
    const ChildResult made = run_child(
        a.bundle.command(
            "vernal",
            {"make-model", (shapes / (std::string(name) + ".toml")).string(), file.string()},
            a.bundle.work()),
        std::chrono::seconds(60), [](std::string_view) {});
    if (made.status != 0) return last_line(made.errors);
  }
  return {};
}

std::string find_program(const std::string& name) {
  for (const char* folder :
       {"/usr/local/cuda/bin", "/opt/cuda/bin", "/usr/local/bin", "/usr/bin"}) {
    const fs::path file = fs::path(folder) / name;
    std::error_code error;
    if (fs::exists(file, error)) return file.string();
  }
  return {};
}

}  // namespace

StepResult run_tests(const Acceptance& a, const TestWish& wish, double limit) {
  ChildCommand command =
      a.bundle.command_under(wish.wrapper, "gpu_tests", {"--gtest_filter=" + wish.filter},
                             a.bundle.stage(wish.build, a.capability()));
  command.environment["VERNAL_TEST_BACKENDS"] = Bundle::plugin_name(wish.build);
  if (wish.build == Build::kCompiled) command.environment["CUDA_FORCE_PTX_JIT"] = "1";
  TestCounts counts;
  const ChildResult child = run_child(command, std::chrono::duration<double>(limit),
                                      [&](std::string_view line) { counts.read(line); });
  StepResult result = judged(counts, child);
  result.details["build"] = build_name(wish.build);
  return result;
}

StepResult step_instructions(Acceptance& a) {
  const char* const probe = a.build == Build::kEmulated ? "gpu_probe_emu" : "gpu_probe";
  const JsonLines found =
      run_for_json(a.bundle.command(probe, {"checks"}, a.bundle.work()), a.budget(40, 120));
  StepResult result;
  boost::json::array checks;
  int num_wrong = 0;
  for (const boost::json::object& line : found.lines) {
    num_wrong += line.at("passed").as_bool() ? 0 : 1;
    checks.push_back(line);
  }
  result.details["checks"] = std::move(checks);
  if (num_wrong > 0) {
    result.outcome = Outcome::kFailed;
    result.reason = std::to_string(num_wrong) + " instructions do not do what kernels expect";
  } else if (found.child.is_cut) {
    result.outcome = Outcome::kCut;
    result.reason = "its time was up";
  } else if (found.child.status != 0 || found.lines.empty()) {
    result.outcome = Outcome::kFailed;
    result.reason = last_line(found.child.errors);
  }
  return result;
}

StepResult step_kernels(Acceptance& a) {
  if (a.options.is_dry_run) {
    return run_tests(a,
                     {a.build,
                      "*/Operations.*:*/Rotation.*:*/DeltaRule.*:*/Routing.*:*/Experts.*:"
                      "*WeightFormats*iq4_ks:*WeightFormats*q4_K:*WeightFormats*q8_0"},
                     a.budget(120, 60));
  }
  // All but models. A pool need not promise what it does after a failed step.
  return run_tests(a,
                   {a.build, "-*/EqualToCpu.*:*/ModelLogits.*:*/BatchInvariance.*:*AFailedStep*"},
                   a.budget(130, 240));
}

StepResult step_models(Acceptance& a) {
  if (const std::string problem = make_tiny_models(a); !problem.empty()) {
    return {Outcome::kFailed, problem, {}};
  }
  if (a.options.is_dry_run) {
    return run_tests(a, {a.build, "*/EqualToCpu.*/dense_f16_*"}, a.budget(120, 60));
  }
  return run_tests(a, {a.build, "*/EqualToCpu.*:*/ModelLogits.*:*/BatchInvariance.*"},
                   a.budget(90, 200));
}

StepResult step_sanitizer(Acceptance& a) {
  if (a.options.is_dry_run) return {Outcome::kSkipped, "the device is emulated", {}};
  const std::string checker = find_program("compute-sanitizer");
  if (checker.empty()) return {Outcome::kSkipped, "this machine has no compute-sanitizer", {}};
  StepResult result = run_tests(
      a,
      {a.build,
       "*/EqualToCpu.*/dense_f16_*:*/EqualToCpu.*/hybrid_q4_0_*",
       {checker, "--tool", "memcheck", "--target-processes", "all", "--error-exitcode", "86"}},
      a.budget(60, 170));
  result.details["program"] = boost::json::value_from(checker);
  return result;
}

}  // namespace vernal::acceptance
