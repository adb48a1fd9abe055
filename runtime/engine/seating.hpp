// Who gets a seat in the model, and who gives one up.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "engine/generation.hpp"
#include "engine/loaded_model.hpp"
#include "engine/metrics.hpp"
#include "engine/prefix/slot_pool.hpp"

namespace vernal {

/// What the seating tells of. Called on the engine thread, from within its functions.
class SeatingListener {
 public:
  SeatingListener() = default;
  SeatingListener(const SeatingListener&) = delete;
  SeatingListener& operator=(const SeatingListener&) = delete;

  /// A choice has a seat. The first of its generation has started it.
  virtual void on_seated(Choice& choice) = 0;
  /// A choice has a seat behind the prompt that a sibling computed. Its first token can be drawn.
  virtual void on_seated_beside(Choice& choice) = 0;
  /// A request cannot go on. It must give up its seats.
  virtual void on_failed(Generation& generation, const std::exception& error) = 0;

 protected:
  ~SeatingListener() = default;
};

/// The seats of a model's requests. Requests are always given in the order of
/// Generation::precedes(), which is the order in which they get seats. Engine thread.
class Seating {
 public:
  using Generations = std::span<const std::unique_ptr<Generation>>;

  /// All outlive the object. `model.steps` is open.
  Seating(const LoadedModel& model, EngineMetrics& metrics, SeatingListener& listener);

  /// Gives seats to choices that wait, as long as there are seats and room. An error ends the
  /// request that met it.
  /// Errors   DEVICE_LOST
  void seat_waiting(Generations generations);

  /// The seated choices that may be in the next step, each with room for its newest token. Where
  /// the pool is full, those seated last give up their seats. An error ends the request that met it.
  /// Errors   DEVICE_LOST
  void collect_runnable(Generations generations, std::vector<Choice*>& out);

  /// After a step has added to a seated choice: keeps its state if later prompts may begin there.
  /// Errors   DEVICE_LOST
  void keep_state(const Choice& choice) { slots_.keep_state(choice); }

  /// Gives a seated choice room for its newest token and some more, if there is some that nobody has.
  /// Errors   those of the backend
  bool try_grow(Choice& choice);

  /// Cuts the sequence of a seated choice to fewer positions. False: the model cannot.
  /// Errors   those of the backend
  bool cut(Choice& choice, std::size_t length) { return slots_.cut(choice, length); }

  /// Cuts the guesses off that a step has put behind the known tokens of a seated choice. If the model
  /// cannot, the choice waits again, and all of it is computed anew.
  void drop_guesses(Choice& choice) noexcept { slots_.drop_guesses(choice); }

  /// The answer of a seated choice is complete. What it computed stays for later prompts.
  void finish(Choice& choice) noexcept;
  /// The request has ended. What its choices computed stays for later prompts.
  void finish(Generation& generation) noexcept;
  /// The request has failed. What its choices computed is dropped.
  void drop(Generation& generation) noexcept;

  std::uint32_t num_seated() const noexcept { return slots_.num_seated(); }
  std::size_t num_checkpoints() const noexcept { return slots_.num_checkpoints(); }
  /// Whether a choice gave up its seat or a request its place since the last call.
  bool take_has_made_room() noexcept;

 private:
  SeatResult try_seat(Choice& choice);
  SeatResult seat(Choice& choice);
  SeatResult seat_beside(Choice& choice, std::size_t num_positions);
  bool unseat_paused(Generations generations);
  bool try_ensure_room(Generations generations, Choice& choice);
  bool ensure_room(Generations generations, Choice& choice);

  const LoadedModel& model_;
  EngineMetrics& metrics_;
  SeatingListener& listener_;
  SlotPool slots_;
  bool has_made_room_ = false;
};

}  // namespace vernal
