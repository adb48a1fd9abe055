// The work of an engine thread: accepted requests become steps, tokens and events.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/draft/prediction_layer.hpp"
#include "engine/generation.hpp"
#include "engine/loaded_model.hpp"
#include "engine/metrics.hpp"
#include "engine/scheduler.hpp"
#include "engine/seating.hpp"
#include "engine/slot_board.hpp"
#include "engine/steps/prefill_pace.hpp"
#include "engine/steps/step_costs.hpp"

namespace vernal {

/// What the watchdog sees of a running step. One writer, any readers.
class StepWatch {
 public:
  void begin() noexcept { started_ = SteadyClock::now().time_since_epoch().count(); }
  void end() noexcept { started_ = kNone; }
  /// How long the step has been running; zero if none is.
  SteadyClock::duration running_for(SteadyClock::time_point now) const noexcept {
    const std::int64_t started = started_;
    return started == kNone ? SteadyClock::duration::zero()
                            : now.time_since_epoch() - SteadyClock::duration(started);
  }

 private:
  static constexpr std::int64_t kNone = -1;
  std::atomic<std::int64_t> started_{kNone};
};

/// Where the loop says what it does. All outlive it.
struct EngineObservers {
  EngineMetrics& metrics;
  StepWatch& watch;
  SlotBoard& board;
};

/// Requests of one model that wait or run. A request that somebody else has ended (its client, the
/// watchdog) leaves at the next sweep. Engine thread.
class EngineLoop final : private SeatingListener {
 public:
  /// `model` outlives the loop, and `model.steps` is open.
  EngineLoop(const LoadedModel& model, EngineObservers observers);

  void add(PreparedRequest prepared);

  /// Ends what has to end, seats what can be seated, and runs one step. False: there was nothing to
  /// run.
  /// Errors   DEVICE_LOST; only fail_all() is allowed then
  bool advance();

  /// When the next thing happens by itself: a deadline, a client that stalls.
  std::optional<SteadyClock::time_point> next_deadline() const;

  /// Ends every request.
  void fail_all(const std::exception& error);

  /// What of the model's settings has no effect, a sentence for people. Empty: all have one.
  std::string settings_without_effect() const;

 private:
  // What ends by itself (engine_loop.cpp).
  void sweep() noexcept;
  void end_if_due(Generation& generation, SteadyClock::time_point now) noexcept;
  void update_gauges() noexcept;
  void update_board() noexcept;

  // Who has been seated (engine_loop.cpp).
  void on_seated(Choice& choice) override;
  void on_seated_beside(Choice& choice) override;
  void on_failed(Generation& generation, const std::exception& error) override;

  // The step (engine_step.cpp).
  void plan_step();
  void run_step();
  void learn_costs(std::size_t num_tokens, std::size_t num_prompt_tokens, double seconds) noexcept;
  void execute();
  void end_step() noexcept;
  void advance_choices();
  void take_results();
  std::span<const float> row(std::size_t index) const;
  void take_chunk(const PlannedChunk& chunk, std::size_t first_row);
  // Of requests for an embedding.
  StepChunk chunk_of(const PlannedChunk& planned) const;
  void take_hidden(const PlannedChunk& chunk, std::size_t first_token);
  void finish_embedding(Choice& choice);
  void take_logits(Choice& choice, std::span<const float> logits);
  void emit(Choice& choice, OutputPiece piece);
  void finish(Choice& choice, std::uint32_t reason);
  void fail(Generation& generation, const std::exception& error) noexcept;
  void fail_step(const std::exception& error) noexcept;

  // The next token (engine_draw.cpp).
  void draw(Choice& choice, std::span<const float> logits);
  void observe_token(Choice& choice);
  TokenLimits limits_of(Choice& choice) const;
  void end_without_token(Choice& choice, std::span<const float> logits);
  bool pass_bans(Choice& choice, const SampledToken& token);
  void deliver(Choice& choice, std::span<const SampledToken> tokens);
  bool append_forced(Choice& choice);
  bool finish_if_complete(Choice& choice);
  ThinkingGuard::Verdict hand_out(Choice& choice, const SampledToken& token);
  void hand_out_held(Choice& choice);
  void end_thinking(Choice& choice, ThinkingGuard::Verdict verdict);
  void report_end(Choice& choice, const SampledToken& token);

  // Guesses behind the newest token (engine_draft.cpp).
  bool only_decodes() const noexcept;
  void add_guesses() noexcept;
  void add_guesses(PlannedChunk& chunk, std::size_t num_tokens, StepRoom& room);
  void take_guesses(const PlannedChunk& chunk, std::size_t first_row);
  void follow_prompts();
  void follow_step();
  std::size_t num_predictions(const PlannedChunk& chunk);

  // The prompt (engine_prompt.cpp).
  void report_progress(const Choice& choice);
  void report_prompt(Generation& generation);
  void report_scores(Generation& generation, std::size_t first_row, std::size_t count);

  const LoadedModel& model_;
  StepModel& steps_;
  EngineMetrics& metrics_;
  StepWatch& watch_;
  SlotBoard& board_;
  Scheduler scheduler_;
  StepCosts costs_;
  PrefillPace pace_;
  std::unique_ptr<PredictionLayer> prediction_;  // null: the model guesses otherwise, or not at all
  Seating seating_;
  SamplerScratch scratch_;
  std::vector<std::unique_ptr<Generation>> generations_;  // in the order of precedes()
  std::uint64_t num_added_ = 0;
  SteadyClock::time_point swept_at_;
  bool has_lost_device_ = false;
  bool has_open_step_ = false;     // of "main": begun, and not ended
  bool has_only_decodes_ = false;  // the step that runs
  // Reused from step to step, and as large as they get from the beginning.
  std::vector<Choice*> runnable_;
  std::vector<PlannedChunk> planned_;
  std::vector<StepChunk> chunks_;
  std::vector<SlotState> slot_states_;
  std::vector<std::vector<float>> rows_;  // of logits, where the step of "main" had to end before
  std::vector<std::size_t> num_predictions_;
  std::vector<std::vector<TokenId>> predictions_;
};

}  // namespace vernal
