#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "command/bench.hpp"
#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/load_model.hpp"
#include "command/read_bandwidth.hpp"
#include "loading/open_deployment.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct BenchArguments {
  std::filesystem::path file;
  std::string model;
  BenchOptions options;
  double gigabytes_per_second = 0;  // 0: those of this machine's memory, measured
  bool json = false;
  bool json_lines = false;
};

/// Threads that read memory at once to find its bandwidth: as many as the device has workers, but not
/// more than this machine has processors.
std::uint32_t reading_threads(OpenDeployment& open, const ResidentModel& model) {
  const std::uint32_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::uint32_t workers = open.num_workers(model.settings());
  return workers == 0 ? processors : std::min(workers, processors);
}

boost::json::array to_json(const std::vector<double>& values) {
  boost::json::array out;
  for (const double value : values) {
    value == 0 ? out.emplace_back(nullptr) : out.emplace_back(value);
  }
  return out;
}

boost::json::object to_json(const BenchRow& row) {
  return {{"depth", row.depth},
          {"approach_tokens_per_second", to_json(std::vector{row.approach_tokens_per_second})[0]},
          {"prefill_tokens_per_second", to_json(row.prefill_tokens_per_second)},
          {"decode_tokens_per_second", to_json(row.decode_tokens_per_second)},
          {"bytes_per_step", row.bytes_per_step},
          {"bandwidth_share", to_json(row.bandwidth_share)}};
}

/// The first line of a report, as text or JSON.
struct BenchTitle {
  std::string file;
  std::uint32_t threads = 0;  // that measured the bandwidth; 0: it was given
  double bandwidth = 0;
  double load_seconds = 0;

  std::string text(const BenchOptions& options) const {
    const std::string reading = threads == 0 ? "" : fmt::format("{} threads, ", threads);
    return fmt::format("{}: {}read bandwidth {:.1f} GB/s, {} decode steps, median of {}\n", file,
                       reading, bandwidth / 1e9, options.decode_steps, options.repetitions);
  }
  boost::json::object json(const BenchOptions& options) const {
    boost::json::object out{{"model", file},
                            {"read_bandwidth_bytes_per_second", bandwidth},
                            {"load_seconds", load_seconds},
                            {"prefill_tokens", boost::json::value_from(options.prefill_tokens)},
                            {"columns", boost::json::value_from(options.columns)},
                            {"decode_steps", options.decode_steps},
                            {"repetitions", options.repetitions}};
    if (threads != 0) out["threads"] = threads;
    return out;
  }
};

/// The model of the deployment with room for the logits of the widest step.
std::unique_ptr<ResidentModel> plan_for_bench(OpenDeployment& open,
                                              const BenchArguments& arguments) {
  ModelSettings settings = open.model(arguments.model).settings();
  settings.rows = std::max(settings.slots, std::ranges::max(arguments.options.columns));
  auto model = open.plan_again(settings);
  const ResidentModel* const loaded_alone[] = {model.get()};
  open.require_memory(loaded_alone);
  return model;
}

void print_now(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

int bench(const BenchArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.price_models();
  const std::unique_ptr<ResidentModel> model = plan_for_bench(open, arguments);
  BenchTitle title{model->settings().path.filename().string(), 0,
                   arguments.gigabytes_per_second * 1e9, 0};
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel loaded = load_with_progress(log, *model);
  title.load_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (title.bandwidth == 0) {
    title.threads = reading_threads(open, *model);
    title.bandwidth = measure_read_bandwidth(title.threads);
  }
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  loaded.steps->open();
  const BenchOptions& options = arguments.options;
  const bool is_text = !arguments.json && !arguments.json_lines;
  if (is_text) print_now(title.text(options) + bench_header(options));
  if (arguments.json_lines) print_now(boost::json::serialize(title.json(options)) + "\n");
  const auto rows =
      run_bench(loaded, {model->plan_info(), title.bandwidth}, options, [&](const BenchRow& row) {
        if (is_text) print_now(bench_line(row));
        if (arguments.json_lines) print_now(boost::json::serialize(to_json(row)) + "\n");
      });
  loaded.steps.reset();
  if (arguments.json) {
    boost::json::object document = title.json(options);
    boost::json::array list;
    for (const BenchRow& row : rows) list.push_back(to_json(row));
    document["rows"] = std::move(list);
    print_now(boost::json::serialize(document) + "\n");
  }
  return 0;
}

/// Options of what is measured.
void add_measures(CLI::App& command, BenchOptions& options) {
  command.add_option("-d,--depths", options.depths, "tokens in the context before measuring")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--prefill", options.prefill_tokens, "tokens of the measured prefills; 0: none")
      ->delimiter(',')
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  command.add_option("--prefill-depth", options.most_prefill_depth,
                     "the greatest depth at which prefills are measured; default: all");
  command
      .add_option("--columns", options.columns,
                  "tokens of one sequence in a decode step; more than 1: as drafts are verified")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--decode", options.decode_steps, "decode steps measured")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command.add_option("-r,--repetitions", options.repetitions, "the median of so many is reported")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

}  // namespace

void add_bench_command(CommandLine& line) {
  const auto arguments = std::make_shared<BenchArguments>();
  CLI::App& command =
      line.add("bench", "Measure prefill and decode speed over depths", [arguments] {
        std::erase(arguments->options.prefill_tokens, 0U);
        return bench(*arguments);
      });
  add_deployment_file(command, arguments->file);
  command.add_option("-m,--model", arguments->model, "model; default: the first");
  add_measures(command, arguments->options);
  command
      .add_option(
          "--bandwidth", arguments->gigabytes_per_second,
          "read bandwidth in GB/s that decode is related to; default: that of this machine's "
          "memory, measured")
      ->check(CLI::PositiveNumber);
  command.add_flag("--json", arguments->json, "print JSON");
  command.add_flag("--json-lines", arguments->json_lines,
                   "print JSON, a line for each depth as soon as it is measured");
}

}  // namespace vernal
