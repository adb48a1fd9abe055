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
  bool is_counter;
  double scale = 1.0;
};

constexpr std::array<Row, 10> kRows = {{
    {"vernal_requests_running", "Requests that hold a slot.", &EngineMetrics::running_requests,
     false},
    {"vernal_prompt_tokens_total", "Tokens of prompts that were processed.",
     &EngineMetrics::prompt_tokens, true},
    {"vernal_cached_prompt_tokens_total", "Tokens of prompts that were reused.",
     &EngineMetrics::cached_tokens, true},
    {"vernal_generated_tokens_total", "Tokens that were generated.",
     &EngineMetrics::generated_tokens, true},
    {"vernal_steps_total", "Steps that were run.", &EngineMetrics::steps, true},
    {"vernal_step_busy_seconds_total", "Time spent in steps and sampling.", &EngineMetrics::busy_us,
     true, kSecondsPerMicrosecond},
    {"vernal_preemptions_total", "Sequences that were put back because the KV pool was full.",
     &EngineMetrics::preemptions, true},
    {"vernal_checkpoints", "States of prompts that are kept for later ones.",
     &EngineMetrics::checkpoints, false},
    {"vernal_kv_tokens_capacity", "Positions that the KV pool holds.",
     &EngineMetrics::kv_capacity_tokens, false},
    {"vernal_kv_tokens_used", "Positions of the KV pool that are taken.",
     &EngineMetrics::kv_used_tokens, false},
}};

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

void visit_model(const EngineMetrics& metrics, const std::string& label,
                 const std::function<void(const MetricSample&)>& visit) {
  for (const Row& row : kRows) {
    const auto value = static_cast<double>((metrics.*row.value).load());
    visit({row.name, row.help, label, value * row.scale, row.is_counter});
  }
  const std::uint64_t open = metrics.open_requests;
  const std::uint64_t running = metrics.running_requests;
  visit({"vernal_requests_queued", "Requests that wait for a slot.", label,
         static_cast<double>(open > running ? open - running : 0), false});
  for (std::size_t i = 0; i < kNumOutcomes; ++i) {
    const std::string labels =
        fmt::format("{},reason=\"{}\"", label, outcome_name(static_cast<RequestOutcome>(i)));
    visit({"vernal_requests_total", "Requests that have ended, by how.", labels,
           static_cast<double>(metrics.outcomes[i].load()), true});
  }
}

void visit_memory(const MemoryUse& memory, const std::string& label,
                  const std::function<void(const MetricSample&)>& visit) {
  const std::string labels = fmt::format("{},device={}", label, quote(memory.device));
  visit({"vernal_memory_planned_bytes", "Memory that the plan of a model says it takes.", labels,
         static_cast<double>(memory.planned), false});
  visit({"vernal_memory_allocated_bytes", "Memory that the backends of a model have allocated.",
         labels, static_cast<double>(memory.allocated), false});
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
