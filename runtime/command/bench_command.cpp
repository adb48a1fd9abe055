#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <thread>

#include "command/bench.hpp"
#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/read_bandwidth.hpp"
#include "loading/open_deployment.hpp"
#include "observe/progress_line.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct BenchArguments {
  std::filesystem::path file;
  std::string model;
  BenchOptions options;
  bool json = false;
};

/// Threads that read memory at once to find its bandwidth: as many as the device has workers, but not
/// more than this machine has processors.
std::uint32_t reading_threads(OpenDeployment& open, const ResidentModel& model) {
  const std::uint32_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::uint32_t workers = open.num_workers(model.settings());
  return workers == 0 ? processors : std::min(workers, processors);
}

boost::json::value to_json(const BenchRow& row) {
  return {{"depth", row.depth},
          {"prefill_tokens_per_second", row.prefill_tokens_per_second},
          {"decode_tokens_per_second", row.decode_tokens_per_second},
          {"bytes_per_token", row.bytes_per_token},
          {"bandwidth_share", row.bandwidth_share}};
}

int bench(const BenchArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.price_models();
  ResidentModel& model = open.model(arguments.model);
  const ResidentModel* const loaded_alone[] = {&model};
  open.require_memory(loaded_alone);
  LoadedModel loaded = [&] {
    ProgressLine progress(log, "loading " + model.settings().name);
    return model.load([&](std::uint64_t done, std::uint64_t total) {
      progress.update(done, total);
      return true;
    });
  }();
  const std::uint32_t threads = reading_threads(open, model);
  const double bandwidth = measure_read_bandwidth(threads);
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  loaded.steps->open();
  const BenchOptions& options = arguments.options;
  if (!arguments.json) {
    fmt::print(
        "{}: {} threads, read bandwidth {:.1f} GB/s, prefill of {}, decode of {} tokens, median of "
        "{}\n{}",
        model.settings().path.filename().string(), threads, bandwidth / 1e9, options.prefill_tokens,
        options.decode_tokens, options.repetitions, bench_header());
  }
  const auto rows =
      run_bench(loaded, model.plan_info(), options, bandwidth, [&](const BenchRow& row) {
        if (!arguments.json) {
          fmt::print("{}", bench_line(row));
          std::fflush(stdout);
        }
      });
  loaded.steps.reset();
  if (arguments.json) {
    boost::json::array list;
    for (const BenchRow& row : rows) list.push_back(to_json(row));
    fmt::print("{}\n", boost::json::serialize(
                           boost::json::object{{"model", model.settings().path.filename().string()},
                                               {"threads", threads},
                                               {"read_bandwidth_bytes_per_second", bandwidth},
                                               {"prefill_tokens", options.prefill_tokens},
                                               {"decode_tokens", options.decode_tokens},
                                               {"rows", std::move(list)}}));
  }
  return 0;
}

}  // namespace

void add_bench_command(CommandLine& line) {
  const auto arguments = std::make_shared<BenchArguments>();
  CLI::App& command = line.add("bench", "Measure prefill and decode speed over depths",
                               [arguments] { return bench(*arguments); });
  add_deployment_file(command, arguments->file);
  command.add_option("-m,--model", arguments->model, "model; default: the first");
  command
      .add_option("-d,--depths", arguments->options.depths,
                  "tokens in the context before measuring")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--prefill", arguments->options.prefill_tokens, "tokens of the measured prefill")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command.add_option("--decode", arguments->options.decode_tokens, "decode steps measured")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command
      .add_option("-r,--repetitions", arguments->options.repetitions,
                  "the median of so many is reported")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_flag("--json", arguments->json, "print JSON");
}

}  // namespace vernal
