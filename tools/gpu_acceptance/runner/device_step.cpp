#include "runner/acceptance.hpp"

#include <algorithm>
#include <fstream>

namespace vernal::acceptance {
namespace {

/// The sentence of the plugin's own check of drivers and devices; empty: one can be used.
std::string sentence(Acceptance& a) {
  const std::filesystem::path file = a.bundle.work() / "device.toml";
  std::ofstream(file) << "schema = 1\n[runtime]\nplugin_paths = [\""
                      << (a.bundle.stage(Build::kOwn, "") / "plugins").string()
                      << "\"]\n[backends.gpu]\nplugin = \"cuda_sm86\"\n[models.tiny]\npath = \""
                      << (a.bundle.root() / "golden/models/tiny-llama-q4_k_m.gguf").string()
                      << "\"\nbackend = \"gpu\"\ncontext_length = 64\nslots = 1\n";
  const JsonLines plan = run_for_json(
      a.bundle.command("vernal", {"plan", file.string(), "--json"}, a.bundle.work()), 30);
  if (plan.lines.empty()) return "vernal plan says: " + last_line(plan.child.errors);
  const auto* unavailable = plan.lines.front().if_contains("unavailable");
  if (unavailable == nullptr) return {};
  return unavailable->at(0).at("reason").as_string().c_str();
}

}  // namespace

// What still runs ends before its files are removed.
Acceptance::~Acceptance() {
  clocks.reset();
  large_model.reset();
  std::error_code ignored;
  if (!options.keeps_work) std::filesystem::remove_all(options.work, ignored);
}

std::string Acceptance::capability() const {
  const auto* found = device.if_contains("capability");
  return found != nullptr ? found->as_string().c_str() : "";
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return "it says nothing";
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

JsonLines run_for_json(const ChildCommand& command, double limit,
                       const std::function<void(boost::json::object&)>& on_line) {
  JsonLines out;
  out.child = run_child(command, std::chrono::duration<double>(limit), [&](std::string_view line) {
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(line, error);
    if (error || !value.is_object()) return;
    if (on_line) on_line(value.get_object());
    out.lines.push_back(std::move(value.get_object()));
  });
  return out;
}

StepResult step_device(Acceptance& a) {
  StepResult result;
  a.no_device = sentence(a);
  if (!a.no_device.empty()) result.details["sentence"] = a.no_device;
  if (!a.no_device.empty() && !a.options.is_dry_run) {
    result.outcome = Outcome::kSkipped;
    result.reason = a.no_device;
    return result;
  }
  if (a.options.is_dry_run) a.build = Build::kEmulated;
  const JsonLines probe =
      run_for_json(a.bundle.command(a.options.is_dry_run ? "gpu_probe_emu" : "gpu_probe",
                                    {"device"}, a.bundle.work()),
                   30);
  if (probe.lines.empty()) {
    result.outcome = Outcome::kFailed;
    result.reason = last_line(probe.child.errors);
    a.no_device = result.reason;
    return result;
  }
  a.device = probe.lines.front();
  if (!a.options.is_dry_run && a.bundle.has_native(a.capability())) a.build = Build::kNative;
  a.report.set("device", a.device);
  a.clocks = std::make_unique<ClockWatch>(
      a.options.is_dry_run ? "" : a.device.at("pci_bus").as_string().c_str());
  if (a.clocks->problem().empty()) {
    a.report.set("limits", a.clocks->limits());
  } else {
    result.details["no_clocks"] = a.clocks->problem();
  }
  result.details["build"] = build_name(a.build);
  result.reason = a.no_device;
  const std::vector<std::string>& only = a.options.only;
  if (only.empty() || std::ranges::count_if(only, [](const std::string& name) {
                        return name == "large-model" || name == "other-build";
                      }) > 0) {
    begin_large_model(a);
  }
  return result;
}

}  // namespace vernal::acceptance
