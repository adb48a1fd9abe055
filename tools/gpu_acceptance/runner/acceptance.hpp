// The steps of an acceptance, and what they share.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/bundle.hpp"
#include "runner/child.hpp"
#include "runner/clocks.hpp"
#include "runner/report.hpp"

namespace vernal::acceptance {

struct Options {
  std::filesystem::path bundle;
  std::filesystem::path work;  ///< an empty folder, removed in the end
  std::filesystem::path report;
  double limit = 480;       ///< seconds for everything
  bool is_dry_run = false;  ///< the device is emulated, and everything small
  bool keeps_work = false;
  std::vector<std::string> only;  ///< names of steps; empty: all
};

/// What the large model is, how deep it is measured, and how: smaller where the machine is smaller.
struct LargeModel {
  int layers = 64;
  std::vector<std::uint64_t> depths{0, 8192, 32768, 65536};
  std::vector<std::uint64_t> prefills{512, 2048, 8192};
  std::uint64_t decode_steps = 32;

  /// Room for the deepest decode, of 32 steps of 8 columns, and for the prefills at depth 0.
  std::uint64_t context_length() const {
    return std::max(depths.back() + 8 * decode_steps, prefills.back()) + 256;
  }
};

/// What later steps read of earlier ones.
struct Acceptance {
  Acceptance(const Options& the_options)
      : options(the_options), bundle(options.bundle, options.work), report(options.report) {}
  ~Acceptance();

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  /// Seconds that a step may take which wants `most` and leaves `later` to those after it.
  double budget(double most, double later) const {
    return std::max(5.0, std::min(most, options.limit - later - seconds()));
  }

  const Options options;
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  Bundle bundle;
  Report report;
  std::string no_device;       ///< why there is no device, in one sentence; empty: there is one
  boost::json::object device;  ///< as gpu_probe prints it
  Build build = Build::kOwn;   ///< that the steps run on
  std::unique_ptr<ClockWatch> clocks;
  std::unique_ptr<BackgroundChild> large_model;  ///< writes it
  std::optional<LargeModel> large_shape;         ///< nothing: no size of it fits
  std::filesystem::path large_model_file;
  boost::json::object large_model_plan;
  double read_bandwidth = 0;  ///< bytes per second; 0: not measured

  std::string capability() const;
  std::filesystem::path stage() const { return bundle.stage(build, capability()); }
};

/// Runs a program of the bundle that prints a line of JSON for each thing it finds. Lines that are no
/// JSON are passed over.
struct JsonLines {
  ChildResult child;
  std::vector<boost::json::object> lines;
};
JsonLines run_for_json(const ChildCommand& command, double limit,
                       const std::function<void(boost::json::object&)>& on_line = {});

/// Tests of gpu_tests on one build of the plugin.
struct TestWish {
  Build build;
  std::string filter;                     ///< as GoogleTest writes it
  std::vector<std::string> wrapper = {};  ///< a program of this machine that runs them
};
/// What the tests say. A test that is skipped is none for this device.
StepResult run_tests(const Acceptance& a, const TestWish& wish, double limit);

/// The last line of an error text that says something.
std::string last_line(const std::string& text);

// ---- steps, in their order. Those that need a device are not called without one.

/// Who is there: the driver's sentence, or the device and its limits.
StepResult step_device(Acceptance& a);
/// Each instruction that kernels are made of: the fragments of a warp's product first.
StepResult step_instructions(Acceptance& a);
/// Every operation and weight format against arithmetic in double, and the state of sequences.
StepResult step_kernels(Acceptance& a);
/// Tiny models against what other engines computed, and against the processor.
StepResult step_models(Acceptance& a);
/// Two models under NVIDIA's checker of memory, where the machine has it.
StepResult step_sanitizer(Acceptance& a);
/// How fast the device reads.
StepResult step_bandwidth(Acceptance& a);
/// The large model: its plan, and speed at depths.
StepResult step_large_model(Acceptance& a);
/// Two tiny models, and the large one at depth 0, with the other build of the plugin.
StepResult step_other_build(Acceptance& a);

/// Plans the large model for the device and starts to write its file beside the other steps.
void begin_large_model(Acceptance& a);

}  // namespace vernal::acceptance
