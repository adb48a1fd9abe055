#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "command/bench/comparison.hpp"
#include "command/bench/picture.hpp"
#include "command/bench/read_bandwidth.hpp"
#include "command/bench/result.hpp"
#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/load_model.hpp"
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
  std::filesystem::path picture;                // written; empty: none
  std::vector<std::filesystem::path> compared;  // two results instead of a measurement
};

/// Threads that read memory at once to find its bandwidth: as many as the device has workers, but not
/// more than this machine has processors.
std::uint32_t reading_threads(OpenDeployment& open, const ResidentModel& model) {
  const std::uint32_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::uint32_t workers = open.num_workers(model.settings());
  return workers == 0 ? processors : std::min(workers, processors);
}

/// Tokens that a sequence of the sweep takes, with the page that it may begin.
std::uint64_t longest(const BenchOptions& options, const ModelSettings& settings) {
  constexpr std::uint64_t kPage = 256;  // no backend has larger ones
  std::uint64_t most = 0;
  for (const std::uint64_t depth : options.depths) {
    const std::uint64_t tokens = depth + options.most_tokens_behind(depth);
    if (settings.context_length == 0 || tokens <= settings.context_length)
      most = std::max(most, tokens);
  }
  return most + kPage;
}

/// The model of the deployment with room for the sequences, and for the logits of the widest step.
std::unique_ptr<ResidentModel> plan_for_bench(OpenDeployment& open,
                                              const BenchArguments& arguments) {
  ModelSettings settings = open.model(arguments.model).settings();
  const BenchOptions& options = arguments.options;
  settings.rows = std::max(settings.slots, options.most_rows());
  if (const std::uint64_t sequences = options.most_sequences(); sequences > 1) {
    settings.slots = std::max(settings.slots, sequences);
    settings.max_checkpoints = std::max(settings.max_checkpoints, sequences);
    settings.kv_tokens = std::max(settings.kv_tokens, sequences * longest(options, settings));
  }
  auto model = open.plan_again(settings);
  const ResidentModel* const loaded_alone[] = {model.get()};
  open.require_memory(loaded_alone);
  return model;
}

void print_now(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: cannot be written", path.string()));
  }
}

std::string title_text(const BenchResult& result) {
  std::string out = fmt::format("{}: {}\n", result.model, cores_text(result.machine));
  for (const OpenDeployment::BackendText& backend : result.backends) {
    out += fmt::format("{}: {}\n", backend.backend, backend.text);
  }
  const std::string reading =
      result.is_bandwidth_given ? "" : fmt::format("{} threads, ", result.reading_threads);
  return out + fmt::format("{}read bandwidth {:.1f} GB/s, {} decode steps, median of {}\n", reading,
                           result.read_bandwidth / 1e9, result.options.decode_steps,
                           result.options.repetitions);
}

/// What the machine is, and how fast it reads, if nobody said it.
void measure_machine(const BenchArguments& arguments, std::uint32_t threads, BenchResult& result) {
  result.machine = describe_machine();
  result.machine.compute_scaling = measure_compute_scaling(result.machine.num_threads);
  result.is_bandwidth_given = arguments.gigabytes_per_second != 0;
  if (result.is_bandwidth_given) {
    result.read_bandwidth = arguments.gigabytes_per_second * 1e9;
    return;
  }
  result.reading_threads = threads;
  result.machine.one_thread_bandwidth = measure_read_bandwidth(1);
  result.read_bandwidth =
      threads == 1 ? result.machine.one_thread_bandwidth : measure_read_bandwidth(threads);
  result.machine.all_threads_bandwidth = result.read_bandwidth;
}

OperationTimer timer_of(ResidentModel& model) {
  return {[&model](bool is_on) { model.set_timing(is_on); },
          [&model] { return model.operation_times(); }};
}

int bench(const BenchArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.price_models();
  const std::unique_ptr<ResidentModel> model = plan_for_bench(open, arguments);
  BenchResult result;
  result.model = model->settings().path.filename().string();
  result.options = arguments.options;
  result.backends = open.describe_backends();
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel loaded = load_with_progress(log, *model);
  result.load_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  measure_machine(arguments, reading_threads(open, *model), result);
  if (arguments.options.times_operations && !model->times_operations()) {
    throw Error(VERNAL_UNSUPPORTED, "--operations: a backend of this model does not time them");
  }
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  loaded.steps->open();
  const bool is_text = !arguments.json && !arguments.json_lines;
  if (is_text) print_now(title_text(result) + bench_header(result.options));
  if (arguments.json_lines) print_now(boost::json::serialize(title_json(result)) + "\n");
  result.rows = run_bench(loaded, {model->plan_info(), result.read_bandwidth}, result.options,
                          timer_of(*model), [&](const BenchRow& row) {
                            if (is_text) print_now(bench_line(row));
                            if (arguments.json_lines) {
                              print_now(boost::json::serialize(row_json(row)) + "\n");
                            }
                          });
  loaded.steps.reset();
  if (arguments.json) print_now(boost::json::serialize(to_json(result)) + "\n");
  if (!arguments.picture.empty()) {
    write_file(arguments.picture, bench_picture(result.model, curves_of(result)));
  }
  return 0;
}

int compare(const BenchArguments& arguments) {
  const BenchResult first = read_bench_result(arguments.compared[0]);
  const BenchResult second = read_bench_result(arguments.compared[1]);
  print_now(comparison_text(first, second));
  if (!arguments.picture.empty()) {
    const std::string title = fmt::format("A: {}, B: {}", arguments.compared[0].filename().string(),
                                          arguments.compared[1].filename().string());
    write_file(arguments.picture, bench_picture(title, curves_of(first, second)));
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
  command
      .add_option("--sequences", options.sequences,
                  "sequences that decode together, each at the depth: 2,4,8; default: none")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  command.add_flag("--operations", options.times_operations,
                   "says how long each kind of operation takes, in one more prefill and decode");
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
        if (arguments->compared.empty() && arguments->file.empty()) {
          throw Error(VERNAL_INVALID_ARGUMENT, "bench: FILE is required");
        }
        return arguments->compared.empty() ? bench(*arguments) : compare(*arguments);
      });
  CLI::Option* const file = command.add_option("FILE", arguments->file, "deployment file (TOML)");
  CLI::Option* const compared =
      command
          .add_option("--compare", arguments->compared,
                      "puts two results side by side, as --json printed them; measures nothing")
          ->expected(2)
          ->type_name("A.json B.json");
  file->excludes(compared);
  command.add_option("-m,--model", arguments->model, "model; default: the first");
  add_measures(command, arguments->options);
  command
      .add_option(
          "--bandwidth", arguments->gigabytes_per_second,
          "read bandwidth in GB/s that decode is related to; default: that of this machine's "
          "memory, measured")
      ->check(CLI::PositiveNumber);
  command.add_option("--svg", arguments->picture, "writes a picture of speed over depth");
  command.add_flag("--json", arguments->json, "print JSON");
  command.add_flag("--json-lines", arguments->json_lines,
                   "print JSON, a line for each depth as soon as it is measured");
}

}  // namespace vernal
