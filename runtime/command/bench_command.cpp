#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <thread>

#include "command/bench.hpp"
#include "command/commands.hpp"
#include "command/read_bandwidth.hpp"
#include "loading/open_deployment.hpp"
#include "observe/progress_line.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

/// Threads the model's backend computes with: its own `threads` key, else all the machine has.
std::uint32_t threads_of(const Deployment& deployment, const ModelSettings& model) {
  for (const PluginInstance& backend : deployment.backends) {
    if (backend.name != model.layers[0].backend) continue;
    const auto entry = backend.settings.entries.find("threads");
    if (entry == backend.settings.entries.end()) continue;
    if (const auto* threads = std::get_if<std::int64_t>(&entry->second.value);
        threads && *threads > 0) {
      return static_cast<std::uint32_t>(*threads);
    }
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

boost::json::value to_json(const BenchRow& row) {
  return {{"depth", row.depth},
          {"prefill_tokens_per_second", row.prefill_tokens_per_second},
          {"decode_tokens_per_second", row.decode_tokens_per_second},
          {"bytes_per_token", row.bytes_per_token},
          {"bandwidth_share", row.bandwidth_share}};
}

}  // namespace

int command_bench(const BenchArguments& arguments) {
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
  const std::uint32_t threads = threads_of(open.deployment(), model.settings());
  const double bandwidth = measure_read_bandwidth(threads);
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  loaded.steps->open();
  const BenchOptions options{arguments.depths, arguments.prefill_tokens, arguments.decode_tokens,
                             arguments.repetitions};
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

}  // namespace vernal
