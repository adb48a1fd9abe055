#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "runner/acceptance.hpp"

namespace vernal::acceptance {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string list(const std::vector<std::uint64_t>& numbers) {
  std::string out;
  for (const std::uint64_t number : numbers)
    out += (out.empty() ? "" : ",") + std::to_string(number);
  return out;
}

/// The shape of the bundle with another number of layers and the tokenizer of the bundle.
void write_shape(const Acceptance& a, const LargeModel& large, const fs::path& to) {
  std::ifstream from(a.bundle.root() / "shapes" / "large" / "shape.toml");
  std::ofstream out(to);
  for (std::string line; std::getline(from, line);) {
    if (line.starts_with("layers = ")) line = "layers = " + std::to_string(large.layers);
    if (line.starts_with("from = ")) {
      line =
          "from = \"" + (a.bundle.root() / "golden/models/tiny-llama-q4_k_m.gguf").string() + "\"";
    }
    if (a.options.is_dry_run) {
      for (const auto& [key, value] : {std::pair{"tokens = ", "500"},
                                       {"hidden_size = ", "256"},
                                       {"feed_forward_size = ", "512"},
                                       {"heads = ", "4"},
                                       {"kv_heads = ", "2"},
                                       {"key_heads = ", "2"},
                                       {"value_heads = ", "4"}}) {
        if (line.starts_with(key)) line = key + std::string(value);
      }
    }
    out << line << '\n';
  }
}

fs::path write_deployment(const Acceptance& a, Build build, const fs::path& model,
                          const LargeModel& large) {
  const fs::path file = a.bundle.work() / ("large-" + std::string(Bundle::plugin_name(build)) +
                                           (build == Build::kNative ? "-native" : "") + ".toml");
  std::ofstream(file) << "schema = 1\n[runtime]\nplugin_paths = [\""
                      << (a.bundle.stage(build, a.capability()) / "plugins").string()
                      << "\"]\n[backends.gpu]\nplugin = \"" << Bundle::plugin_name(build)
                      << "\"\n[models.large]\npath = \"" << model.string()
                      << "\"\nbackend = \"gpu\"\ncontext_length = " << large.context_length()
                      << "\nslots = 1\nmax_checkpoints = 1\nmax_tokens_per_step = 512\n"
                         "kv_cache = { keys = \"q4_0\", values = \"q4_0\", rotate = true }\n";
  return file;
}

/// Whether the device holds the model at these depths, by `vernal plan` for its free memory.
bool does_fit(Acceptance& a, const LargeModel& large) {
  const fs::path shape = a.bundle.work() / "plan.toml";
  const fs::path header = a.bundle.work() / "plan.gguf";
  write_shape(a, large, shape);
  std::error_code ignored;
  fs::remove(header, ignored);
  const ChildResult made = run_child(
      a.bundle.command("vernal", {"make-model", "--header-only", shape.string(), header.string()},
                       a.bundle.work()),
      std::chrono::seconds(30), [](std::string_view) {});
  if (made.status != 0) throw std::runtime_error(last_line(made.errors));
  const std::uint64_t free_bytes = a.device.at("free_bytes").to_number<std::uint64_t>();
  const JsonLines plan =
      run_for_json(a.bundle.command("vernal",
                                    {"plan", write_deployment(a, a.build, header, large).string(),
                                     "--json", "--device-memory", std::to_string(free_bytes) + "B"},
                                    a.bundle.work()),
                   30);
  if (plan.lines.empty()) throw std::runtime_error(last_line(plan.child.errors));
  a.large_model_plan = plan.lines.front().at("models").at(0).as_object();
  a.large_model_plan["context_length"] = large.context_length();
  a.large_model_plan.erase("file");
  return plan.lines.front().at("fits").as_bool();
}

/// The largest of some sizes that disk and device hold; nothing: none.
std::optional<LargeModel> choose(Acceptance& a, std::string& note) {
  if (a.options.is_dry_run) {
    LargeModel tiny;
    tiny.layers = 4;
    tiny.depths = {0, 64};
    tiny.prefills = {32, 64};
    tiny.decode_steps = 1;
    return does_fit(a, tiny) ? std::optional(tiny) : std::nullopt;
  }
  const std::uint64_t disk = fs::space(a.bundle.work()).available;
  for (const int layers : {64, 48, 32, 16, 8}) {
    LargeModel large;
    large.layers = layers;
    // A layer takes 197 MiB, embedding and output 645 MiB each.
    if (disk < (static_cast<std::uint64_t>(layers) * 197 + 2 * 645 + 512) * kMiB) {
      note = "smaller, because the disk has room for " + std::to_string(disk / kMiB) + " MiB";
      continue;
    }
    for (; large.depths.size() > 1; large.depths.pop_back()) {
      if (does_fit(a, large)) return large;
      note = "less deep or smaller, because the device lacks memory";
    }
  }
  return std::nullopt;
}

struct BenchWish {
  Build build;
  std::vector<std::uint64_t> depths;
  std::vector<std::uint64_t> prefills;
  std::string columns;
};

/// Rows of `vernal bench` with clocks, and what it says of itself.
StepResult bench(Acceptance& a, const BenchWish& wish, double limit) {
  const LargeModel& large = *a.large_shape;
  ChildCommand command = a.bundle.command(
      "vernal",
      {"bench", write_deployment(a, wish.build, a.large_model_file, large).string(), "--json-lines",
       "--depths", list(wish.depths), "--prefill", list(wish.prefills), "--prefill-depth", "0",
       "--columns", wish.columns, "--decode", std::to_string(large.decode_steps), "--repetitions",
       a.options.is_dry_run ? "1" : "3", "--bandwidth", std::to_string(a.read_bandwidth / 1e9)},
      a.bundle.work());
  if (wish.build == Build::kCompiled) command.environment["CUDA_FORCE_PTX_JIT"] = "1";
  if (a.clocks) a.clocks->take();
  StepResult result;
  boost::json::array rows;
  const JsonLines found = run_for_json(command, limit, [&](boost::json::object& line) {
    if (!line.contains("depth")) {
      if (a.clocks) a.clocks->take();  // those of loading
      result.details["load_seconds"] = line.at("load_seconds");
      result.details["columns"] = line.at("columns");
      result.details["prefill_tokens"] = line.at("prefill_tokens");
      return;
    }
    if (a.clocks) line["clocks"] = a.clocks->take();
    boost::json::array percents;
    for (const auto& share : line.at("bandwidth_share").as_array()) {
      percents.emplace_back(100 * share.to_number<double>());
    }
    line["percent_of_read_bandwidth"] = std::move(percents);
    line.erase("bandwidth_share");
    rows.push_back(line);
  });
  result.details["build"] = build_name(wish.build);
  const std::size_t num_rows = rows.size();
  result.details["rows"] = std::move(rows);
  if (found.child.is_cut) {
    result.outcome = Outcome::kCut;
    result.reason = "its time was up behind " + std::to_string(num_rows) + " of " +
                    std::to_string(wish.depths.size()) + " depths";
  } else if (found.child.status != 0 || num_rows != wish.depths.size()) {
    result.outcome = Outcome::kFailed;
    result.reason =
        "status " + std::to_string(found.child.status) + ": " + last_line(found.child.errors);
  }
  return result;
}

/// Speed with one column at the first and at the last depth, and how much of it is lost between.
void add_drop(boost::json::object& details) {
  const boost::json::array& rows = details.at("rows").as_array();
  if (rows.size() < 2) return;
  const auto speed = [](const boost::json::value& row) {
    return row.at("decode_tokens_per_second").at(0).to_number<double>();
  };
  details["drop_percent"] = 100 * (1 - speed(rows.back()) / speed(rows.front()));
  details["drop_from_to"] = {rows.front().at("depth"), rows.back().at("depth")};
}

}  // namespace

StepResult step_bandwidth(Acceptance& a) {
  const bool is_emulated = a.build == Build::kEmulated;
  const JsonLines found =
      run_for_json(a.bundle.command(is_emulated ? "gpu_probe_emu" : "gpu_probe",
                                    {"bandwidth", is_emulated ? "1" : "1024"}, a.bundle.work()),
                   a.budget(20, 150));
  if (found.child.is_cut) return {Outcome::kCut, "its time was up", {}};
  if (found.lines.empty()) return {Outcome::kFailed, last_line(found.child.errors), {}};
  StepResult result;
  result.details = found.lines.front();
  a.read_bandwidth = result.details.at("read_bandwidth_bytes_per_second").to_number<double>();
  const double datasheet = a.device.at("datasheet_bandwidth_bytes_per_second").to_number<double>();
  if (datasheet > 0) result.details["percent_of_datasheet"] = 100 * a.read_bandwidth / datasheet;
  if (a.clocks) result.details["clocks"] = a.clocks->take();
  return result;
}

void begin_large_model(Acceptance& a) {
  std::string note;
  a.large_shape = choose(a, note);
  if (!a.large_shape) return;
  if (!note.empty()) a.large_model_plan["note"] = note;
  a.large_model_plan["layers"] = a.large_shape->layers;
  const fs::path shape = a.bundle.work() / "large.toml";
  write_shape(a, *a.large_shape, shape);
  a.large_model_file = a.bundle.work() / "large.gguf";
  a.large_model = std::make_unique<BackgroundChild>(
      a.bundle.command("vernal", {"make-model", shape.string(), a.large_model_file.string()},
                       a.bundle.work()),
      a.bundle.work() / "large.errors");
}

StepResult step_large_model(Acceptance& a) {
  if (!a.large_model)
    return {Outcome::kSkipped, "disk or device is too small for any size of it", {}};
  if (a.read_bandwidth == 0) return {Outcome::kSkipped, "the read bandwidth is not known", {}};
  const std::optional<int> status =
      a.large_model->wait(std::chrono::duration<double>(a.budget(200, 90)));
  if (!status) return {Outcome::kCut, "its file was not written in time", {}};
  if (*status != 0) {
    std::ostringstream text;
    text << std::ifstream(a.bundle.work() / "large.errors").rdbuf();
    return {Outcome::kFailed, "make-model: " + last_line(text.str()), {}};
  }
  StepResult result = bench(a, {a.build, a.large_shape->depths, a.large_shape->prefills, "1,2,4,8"},
                            a.budget(330, a.options.is_dry_run ? 5 : 60));
  result.details["plan"] = a.large_model_plan;
  result.details["write_seconds"] = a.large_model->seconds();
  result.details["read_bandwidth_bytes_per_second"] = a.read_bandwidth;
  if (!a.clocks || !a.clocks->problem().empty()) {
    result.details["no_clocks"] = a.clocks ? a.clocks->problem() : "the device is emulated";
  }
  add_drop(result.details);
  return result;
}

StepResult step_other_build(Acceptance& a) {
  if (a.options.is_dry_run) return {Outcome::kSkipped, "the device is emulated", {}};
  if (!a.large_model || a.large_model->wait(std::chrono::seconds(0)) != 0 ||
      a.read_bandwidth == 0) {
    return {Outcome::kSkipped, "there is no large model to compare with", {}};
  }
  // The steps before ran on the native build, or on a device for which the one that ships is native,
  // or on PTX compiled by the driver, and then there is nothing beside it.
  if (a.build == Build::kOwn && a.capability() != "8.6") {
    return {Outcome::kSkipped,
            "the bundle has no native build for " + a.capability() +
                ", so everything above ran on PTX that the driver compiled",
            {}};
  }
  const StepResult models =
      run_tests(a, {Build::kCompiled, "*/EqualToCpu.*/dense_f16_*:*/EqualToCpu.*/hybrid_q4_0_*"},
                a.budget(60, 30));
  StepResult speed = bench(a, {Build::kCompiled, {0}, {512}, "1,8"}, a.budget(120, 3));
  speed.details["tiny_models"] = models.details;
  if (models.outcome != Outcome::kPassed) {
    speed.outcome = models.outcome;
    speed.reason = models.reason;
  }
  return speed;
}

}  // namespace vernal::acceptance
