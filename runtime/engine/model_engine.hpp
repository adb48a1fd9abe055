// One loaded model with its engine thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine_loop.hpp"
#include "engine/loaded_model.hpp"
#include "engine/metrics.hpp"
#include "engine/request/grammar_store.hpp"
#include "engine/request/wake_signal.hpp"
#include "engine/slot_board.hpp"
#include "text/answer/model_answers.hpp"
#include "text/request/prompt_builder.hpp"

namespace vernal {

/// VERNAL_MODEL_* with the reason for people.
struct ModelStatus {
  std::uint32_t state = 0;
  std::string reason;
};

/// Owns the engine thread of a model, which makes all calls of its StepModel and sleeps while there
/// is nothing to do. Any thread, unless stated otherwise.
class ModelEngine : public std::enable_shared_from_this<ModelEngine> {
 public:
  /// Starts the thread and opens the StepModel on it. `clock` is what chat templates see.
  /// Errors   those of StepModel::open
  static std::shared_ptr<ModelEngine> start(LoadedModel model, Clock clock);

  /// The thread must have ended, or join() must have given it up.
  ~ModelEngine();
  ModelEngine(const ModelEngine&) = delete;
  ModelEngine& operator=(const ModelEngine&) = delete;

  /// What the loader handed over. `steps` belongs to the engine thread; the rest does not change.
  const LoadedModel& model() const noexcept { return model_; }
  const PromptBuilder& prompts() const noexcept { return prompts_; }
  GrammarStore& grammars() noexcept { return grammars_; }
  const ModelAnswers& answers() const noexcept { return answers_; }
  const std::shared_ptr<WakeSignal>& signal() const noexcept { return signal_; }
  const std::shared_ptr<EngineMetrics>& metrics() const noexcept { return metrics_; }

  /// What every slot does now.
  std::vector<SlotState> slots() const { return board_.slots(); }

  /// Whether as many requests wait as may. Those that find a free slot do not count.
  bool has_full_queue() const noexcept;
  /// Queues a request. It is ended at once if the model has failed or stops.
  void accept(PreparedRequest prepared);

  /// READY or FAILED.
  ModelStatus status() const;
  /// What an operator should know of a model that is ready. Empty: nothing.
  std::string start_warning() const;
  /// How long the running step has been running; zero if none is.
  SteadyClock::duration step_running_for(SteadyClock::time_point now) const noexcept {
    return watch_.running_for(now);
  }

  /// Asks the thread to end every request and itself, after the step that is running.
  void request_stop();
  /// Waits for the thread until then. False: a step has not ended. The thread then goes on alone and
  /// keeps this object alive, and the backend must not be unloaded.
  bool join(SteadyClock::time_point until);

 private:
  ModelEngine(LoadedModel model, Clock clock);

  void run();
  void serve(EngineLoop& loop);
  // Moves accepted requests to the loop. False: it is time to stop.
  bool take_inbox(EngineLoop& loop);
  void set_status(ModelStatus status) noexcept;
  // The model takes no requests from now on; those in the inbox end.
  void fail(const char* reason) noexcept;
  // Ends everything that waits in the inbox.
  void close_inbox(const char* reason) noexcept;

  LoadedModel model_;
  const PromptBuilder prompts_;
  GrammarStore grammars_;
  const ModelAnswers answers_;
  // Requests keep these, and may live longer than the engine.
  const std::shared_ptr<WakeSignal> signal_;
  const std::shared_ptr<EngineMetrics> metrics_;
  StepWatch watch_;
  SlotBoard board_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<PreparedRequest> inbox_;
  ModelStatus status_;
  std::string start_warning_;
  bool must_stop_ = false;
  bool has_exited_ = false;

  std::thread thread_;
};

}  // namespace vernal
