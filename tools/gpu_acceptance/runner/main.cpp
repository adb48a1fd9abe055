// gpu_acceptance: what a card does with this build, in one report. docs/cuda.md says how to make and run a bundle.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/utsname.h>
#include <unistd.h>

#include "runner/acceptance.hpp"

namespace vernal::acceptance {
namespace {

namespace fs = std::filesystem;

constexpr int kWrong = 1;
constexpr int kUsage = 2;
constexpr int kNoDevice = 3;

constexpr const char* kHelp =
    "usage: run [--limit SECONDS] [--report FILE] [--work FOLDER] [--keep] [--dry-run]\n"
    "  --limit    for everything, default 480\n"
    "  --report   default: acceptance.json in the current folder\n"
    "  --work     for models, 15 GB; default: a new folder beside the bundle, or in the current "
    "folder\n"
    "  --keep     leaves that folder\n"
    "  --dry-run  without a card: on an emulated one, everything small\n"
    "status: 0 nothing is wrong, 1 a result is wrong, 2 wrong arguments, 3 there is no usable "
    "device\n";

/// Nothing: they are wrong.
std::optional<Options> read_arguments(int argc, char** argv) {
  Options o;
  o.report = fs::current_path() / "acceptance.json";
  o.work = fs::current_path();
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--dry-run") {
      o.is_dry_run = true;
      continue;
    }
    if (name == "--keep") {
      o.keeps_work = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    if (name == "--bundle") {
      o.bundle = fs::canonical(argv[i]);
    } else if (name == "--limit") {
      o.limit = std::atof(argv[i]);
    } else if (name == "--report") {
      o.report = fs::absolute(argv[i]);
    } else if (name == "--work") {
      o.work = fs::absolute(argv[i]);
    } else if (name == "--only") {
      o.only.emplace_back(argv[i]);
    } else {
      return std::nullopt;
    }
  }
  if (o.bundle.empty() || o.limit < 10) return std::nullopt;
  return o;
}

/// A new folder in `parent`.
fs::path make_folder(const fs::path& parent) {
  fs::create_directories(parent);
  std::string name = (parent / "vernal-acceptance-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a folder in " + parent.string());
  }
  return name;
}

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

boost::json::object machine() {
  utsname system{};
  ::uname(&system);
  return {{"kernel", system.release},
          {"processors", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"memory_bytes",
           static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE)}};
}

struct Step {
  const char* name;
  StepResult (*run)(Acceptance&);
  bool needs_device = true;
};

// So that a run that is cut off tells most.
constexpr Step kSteps[] = {
    {"device", step_device, false},    {"instructions", step_instructions},
    {"kernels", step_kernels},         {"models", step_models},
    {"sanitizer", step_sanitizer},     {"bandwidth", step_bandwidth},
    {"large-model", step_large_model}, {"other-build", step_other_build},
};

StepResult run_step(const Step& step, Acceptance& a) {
  if (step.needs_device && !a.options.is_dry_run && !a.no_device.empty()) {
    return {Outcome::kSkipped, a.no_device, {}};
  }
  const std::vector<std::string>& only = a.options.only;
  if (step.needs_device && !only.empty() && std::ranges::count(only, step.name) == 0) {
    return {Outcome::kSkipped, "it was not asked for", {}};
  }
  if (a.seconds() > a.options.limit) return {Outcome::kSkipped, "the time of the run was up", {}};
  try {
    return step.run(a);
  } catch (const std::exception& error) {
    return {Outcome::kFailed, error.what(), {}};
  }
}

int run(const Options& options) {
  Acceptance a(options);
  a.report.set("started", boost::json::value_from(time_text()));
  a.report.set("limit_seconds", options.limit);
  a.report.set("dry_run", options.is_dry_run);
  a.report.set("machine", machine());
  for (const Step& step : kSteps) {
    const double begin = a.seconds();
    const StepResult result = run_step(step, a);
    const double seconds = a.seconds() - begin;
    a.report.add_step(step.name, seconds, result);
    std::printf("%-14s %-8s %6.1f s%s%s\n", step.name,
                std::string(outcome_name(result.outcome)).c_str(), seconds,
                result.reason.empty() ? "" : "  ", result.reason.c_str());
    std::fflush(stdout);
  }
  const bool is_whole = !options.is_dry_run && a.no_device.empty() && options.only.empty() &&
                        a.seconds() <= options.limit;
  a.report.finish(a.seconds(), is_whole);
  std::printf("report: %s\n", options.report.c_str());
  if (a.report.has_failed()) return kWrong;
  return a.no_device.empty() || options.is_dry_run ? 0 : kNoDevice;
}

}  // namespace
}  // namespace vernal::acceptance

int main(int argc, char** argv) {
  using namespace vernal::acceptance;  // NOLINT(google-build-using-namespace)
  try {
    std::optional<Options> options = read_arguments(argc, argv);
    if (!options) {
      std::fputs(kHelp, stderr);
      return kUsage;
    }
    options->work = make_folder(options->work);
    return run(*options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_acceptance: %s\n", error.what());
    return kWrong;
  }
}
