// The work of an engine thread: accepted requests to slots, steps, tokens and events.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/generation.hpp"
#include "engine/loaded_model.hpp"
#include "engine/metrics.hpp"
#include "engine/prefix/slot_pool.hpp"
#include "engine/scheduler.hpp"

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

/// Requests of one model that are waiting or running. Requests that somebody else has ended (the
/// client, the watchdog) leave at the next sweep. Engine thread.
class EngineLoop {
 public:
  /// All outlive the loop. `model.steps` is open.
  EngineLoop(const LoadedModel& model, EngineMetrics& metrics, StepWatch& watch);

  void add(PreparedRequest prepared);

  /// Ends what has to end, seats what can be seated, and runs one step. False: there was nothing to
  /// run. Errors   DEVICE_LOST; StepAbandoned. No call but fail_all() is allowed then.
  bool advance();

  /// When the next thing happens by itself: a deadline, a client that stalls.
  std::optional<SteadyClock::time_point> next_deadline() const;

  /// Ends every request.
  void fail_all(const std::exception& error);

 private:
  // Who runs (engine_loop.cpp).
  void sweep();
  void end_if_due(Generation& generation, SteadyClock::time_point now);
  void free_slots(Generation& generation);
  void seat_waiting();
  bool unseat_paused();
  bool waits_for_sibling(const Choice& choice) const;
  Seating try_seat(Choice& choice);
  Seating seat(Choice& choice);
  Seating seat_beside(Choice& choice, std::size_t num_positions);
  std::size_t positions_wanted(const Choice& choice) const;
  void announce_start(Generation& generation);
  void collect_runnable();
  bool ensure_room(Choice& choice);
  void update_gauges();

  // The step (engine_step.cpp).
  void run_step();
  void execute();
  void take_results();
  void report_progress(const Choice& choice);
  void take_logits(Choice& choice, std::span<const float> logits);
  void draw(Choice& choice, std::span<const float> logits);
  void emit(Choice& choice, OutputPiece piece);
  void finish(Choice& choice, std::uint32_t reason);
  void fail(Generation& generation, const std::exception& error);
  void fail_step(const std::exception& error);

  const LoadedModel& model_;
  StepModel& steps_;
  EngineMetrics& metrics_;
  StepWatch& watch_;
  Scheduler scheduler_;
  SlotPool slots_;
  SamplerScratch scratch_;
  std::vector<std::unique_ptr<Generation>> generations_;  // in the order of precedes()
  std::uint64_t num_added_ = 0;
  SteadyClock::time_point swept_at_;
  bool has_lost_device_ = false;
  bool has_made_room_ = false;     // a request or sequence went after seats were given
  std::vector<Choice*> runnable_;  // reused from step to step
  std::vector<PlannedChunk> planned_;
  std::vector<StepChunk> chunks_;
};

}  // namespace vernal
