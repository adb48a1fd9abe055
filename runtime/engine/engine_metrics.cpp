#include <fmt/format.h>

#include <array>
#include <string>

#include "engine/engine.hpp"
#include "engine/metrics.hpp"

namespace vernal {
namespace {

constexpr double kSecondsPerMicrosecond = 1e-6;

struct Row {
  std::string_view name;
  std::string_view help;
  std::atomic<std::uint64_t> EngineMetrics::*value;
  std::uint32_t type;
  double scale = 1.0;
};

constexpr std::array<Row, 17> kRows = {{
    {"vernal_requests_running", "Requests that hold a slot.", &EngineMetrics::running_requests,
     VERNAL_METRIC_GAUGE},
    {"vernal_prompt_tokens_total", "Tokens of prompts that were processed.",
     &EngineMetrics::prompt_tokens, VERNAL_METRIC_COUNTER},
    {"vernal_cached_prompt_tokens_total", "Tokens of prompts that were reused.",
     &EngineMetrics::cached_tokens, VERNAL_METRIC_COUNTER},
    {"vernal_generated_tokens_total", "Tokens that were generated.",
     &EngineMetrics::generated_tokens, VERNAL_METRIC_COUNTER},
    {"vernal_forced_tokens_total",
     "Generated tokens that were not drawn, because a grammar left no other.",
     &EngineMetrics::forced_tokens, VERNAL_METRIC_COUNTER},
    {"vernal_draft_tokens_total",
     "Tokens that were guessed ahead and computed with the newest one.",
     &EngineMetrics::guessed_tokens, VERNAL_METRIC_COUNTER},
    {"vernal_accepted_draft_tokens_total", "Guessed tokens that became part of an answer.",
     &EngineMetrics::accepted_guesses, VERNAL_METRIC_COUNTER},
    {"vernal_steps_total", "Steps that were run.", &EngineMetrics::steps, VERNAL_METRIC_COUNTER},
    {"vernal_shortened_steps_total",
     "Steps that took fewer tokens of prompts, so that others' answers go on (max_step_time).",
     &EngineMetrics::shortened_steps, VERNAL_METRIC_COUNTER},
    {"vernal_step_busy_seconds_total", "Time spent in steps and sampling.", &EngineMetrics::busy_us,
     VERNAL_METRIC_COUNTER, kSecondsPerMicrosecond},
    {"vernal_streamed_products_total",
     "Matrix products of layers in host memory that a device computed (stream_weights).",
     &EngineMetrics::streamed_products, VERNAL_METRIC_COUNTER},
    {"vernal_preemptions_total", "Sequences that were put back because the KV pool was full.",
     &EngineMetrics::preemptions, VERNAL_METRIC_COUNTER},
    {"vernal_checkpoints", "States of prompts that are kept for later ones.",
     &EngineMetrics::checkpoints, VERNAL_METRIC_GAUGE},
    {"vernal_kv_tokens_capacity", "Positions that the KV pool holds.",
     &EngineMetrics::kv_capacity_tokens, VERNAL_METRIC_GAUGE},
    {"vernal_kv_tokens_used", "Positions of the KV pool that are taken.",
     &EngineMetrics::kv_used_tokens, VERNAL_METRIC_GAUGE},
    {"vernal_prefix_cache_queries_total", "Tokens of prompts that were looked for in what is kept.",
     &EngineMetrics::prefix_queries, VERNAL_METRIC_COUNTER},
    {"vernal_prefix_cache_hits_total", "Tokens of prompts that were found in what is kept.",
     &EngineMetrics::cached_tokens, VERNAL_METRIC_COUNTER},
}};

struct HistogramRow {
  std::string_view name;
  std::string_view help;
  Histogram EngineMetrics::*values;
};

constexpr std::array kHistograms = {
    HistogramRow{"vernal_time_to_first_token_seconds", "From submission to the first token.",
                 &EngineMetrics::first_token_times},
    HistogramRow{"vernal_inter_token_latency_seconds", "From one token of an answer to the next.",
                 &EngineMetrics::token_times},
    HistogramRow{"vernal_e2e_request_latency_seconds", "From submission to the end.",
                 &EngineMetrics::request_times},
    HistogramRow{"vernal_request_queue_time_seconds", "From submission to the first slot.",
                 &EngineMetrics::queue_times},
    HistogramRow{"vernal_request_prefill_time_seconds", "From the first slot to the first token.",
                 &EngineMetrics::prefill_times},
    HistogramRow{"vernal_request_decode_time_seconds", "From the first token to the last.",
                 &EngineMetrics::decode_times},
    HistogramRow{"vernal_request_prompt_tokens", "Tokens of the prompts of finished requests.",
                 &EngineMetrics::prompt_lengths},
    HistogramRow{"vernal_request_generation_tokens", "Tokens of the answers of finished requests.",
                 &EngineMetrics::answer_lengths},
    HistogramRow{"vernal_iteration_tokens", "Tokens in a step.", &EngineMetrics::step_tokens},
    HistogramRow{"vernal_iteration_sequences", "Sequences in a step.",
                 &EngineMetrics::step_sequences},
};

// A label's value in quotes.
std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      result += '\\';
    }
    result += c == '\n' ? ' ' : c;
  }
  return result + "\"";
}

using VisitMetric = std::function<void(const MetricSample&)>;

// The series of one histogram: buckets with a label of their own, sum and count.
void visit_histogram(const HistogramRow& row, const Histogram& values, const std::string& label,
                     const VisitMetric& visit) {
  const std::string bucket = fmt::format("{}_bucket", row.name);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= values.bounds().size(); ++i) {
    count += values.count(i);
    const bool is_last = i == values.bounds().size();
    const std::string labels = fmt::format(
        "{},le=\"{}\"", label, is_last ? "+Inf" : fmt::format("{}", values.bounds()[i]));
    visit({bucket, row.help, labels, static_cast<double>(count), VERNAL_METRIC_HISTOGRAM});
  }
  visit({fmt::format("{}_sum", row.name), row.help, label, values.sum(), VERNAL_METRIC_HISTOGRAM});
  visit({fmt::format("{}_count", row.name), row.help, label, static_cast<double>(count),
         VERNAL_METRIC_HISTOGRAM});
}

void visit_model(const EngineMetrics& metrics, const std::string& label,
                 const std::function<void(const MetricSample&)>& visit) {
  for (const Row& row : kRows) {
    const auto value = static_cast<double>((metrics.*row.value).load());
    visit({row.name, row.help, label, value * row.scale, row.type});
  }
  const std::uint64_t open = metrics.open_requests;
  const std::uint64_t running = metrics.running_requests;
  visit({"vernal_requests_queued", "Requests that wait for a slot.", label,
         static_cast<double>(open > running ? open - running : 0), VERNAL_METRIC_GAUGE});
  const std::uint64_t capacity = metrics.kv_capacity_tokens;
  const std::uint64_t used = metrics.kv_used_tokens;
  const double ratio =
      capacity == 0 ? 0 : static_cast<double>(used) / static_cast<double>(capacity);
  visit({"vernal_kv_cache_usage_ratio", "Part of the KV pool that is taken, 0 to 1.", label, ratio,
         VERNAL_METRIC_GAUGE});
  for (const HistogramRow& row : kHistograms) {
    visit_histogram(row, metrics.*row.values, label, visit);
  }
  for (std::size_t i = 0; i < kNumOutcomes; ++i) {
    const std::string labels =
        fmt::format("{},reason=\"{}\"", label, outcome_name(static_cast<RequestOutcome>(i)));
    visit({"vernal_requests_total", "Requests that have ended, by how.", labels,
           static_cast<double>(metrics.outcomes[i].load()), VERNAL_METRIC_COUNTER});
  }
}

void visit_memory(const MemoryUse& memory, const std::string& label,
                  const std::function<void(const MetricSample&)>& visit) {
  const std::string labels = fmt::format("{},device={}", label, quote(memory.device));
  visit({"vernal_memory_planned_bytes", "Memory that the plan of a model says it takes.", labels,
         static_cast<double>(memory.planned), VERNAL_METRIC_GAUGE});
  visit({"vernal_memory_allocated_bytes", "Memory that the backends of a model have allocated.",
         labels, static_cast<double>(memory.allocated), VERNAL_METRIC_GAUGE});
}

}  // namespace

const char* outcome_name(RequestOutcome outcome) noexcept {
  switch (outcome) {
    case RequestOutcome::kStop:
      return "stop";
    case RequestOutcome::kLength:
      return "length";
    case RequestOutcome::kToolCalls:
      return "tool_calls";
    case RequestOutcome::kCancelled:
      return "cancelled";
    case RequestOutcome::kClientError:
      return "client_error";
    case RequestOutcome::kError:
      return "error";
  }
  return "error";
}

void Engine::visit_metrics(const std::function<void(const MetricSample&)>& visit) const {
  for_each_engine([&](const std::shared_ptr<ModelEngine>& engine) {
    visit_model(*engine->metrics(), "model=" + quote(engine->model().id), visit);
  });
  const std::shared_lock lock(models_mutex_);
  for (const Model& model : models_) {
    const std::string label = "model=" + quote(model.description.id);
    for (const MemoryUse& memory : model.memory) visit_memory(memory, label, visit);
  }
}

}  // namespace vernal
