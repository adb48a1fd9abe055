// Guesses in a step: which are made, and which came true.
#include <algorithm>
#include <exception>

#include "engine/engine_loop.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// Guesses that the answer of a seated choice has room and use for.
std::size_t useful_guesses(const Choice& choice) {
  const std::size_t reserved = choice.seat().num_reserved - choice.num_known();
  // A guess that comes true is a token of the answer, and one more is drawn behind it.
  const std::uint64_t budget = choice.generation().max_new_tokens();
  const std::uint64_t num_left =
      budget - std::min<std::uint64_t>(budget, choice.generated().size());
  return std::min<std::uint64_t>(reserved, num_left > 0 ? num_left - 1 : 0);
}

}  // namespace

bool EngineLoop::only_decodes() const noexcept {
  return std::all_of(planned_.begin(), planned_.end(), [](const PlannedChunk& chunk) {
    return chunk.choice->is_decoding() && !chunk.scores_prompt;
  });
}

// Guesses take what a step of decodes has left. Beside a prompt they would cost more than they bring.
void EngineLoop::add_guesses() noexcept {
  if (model_.speculation.draft == Draft::kNone || !only_decodes()) return;
  StepRoom room = scheduler_.room();
  std::size_t num_tokens = planned_.size();
  for (PlannedChunk& chunk : planned_) {
    try {
      add_guesses(chunk, num_tokens, room);
    } catch (const std::exception&) {
      chunk.drafted = {};  // no memory for guesses: the answer comes without them
    }
    room.tokens -= chunk.num_guesses();
    room.rows -= chunk.num_guesses();
    num_tokens += chunk.num_guesses();
  }
}

// `num_tokens`: that the step has already.
void EngineLoop::add_guesses(PlannedChunk& chunk, std::size_t num_tokens, StepRoom& room) {
  Choice& choice = *chunk.choice;
  // What banned texts take back may reach behind the guesses.
  if (!choice.draft().is_on() || choice.bans().is_on()) return;
  const std::size_t most = std::min({useful_guesses(choice), room.tokens, room.rows});
  if (most == 0) return;
  if (prediction_ != nullptr) {
    chunk.drafted = choice.draft().take_predictions(choice.generated().back(), most);
  } else {
    chunk.drafted = choice.draft().make(choice.generation().prompt(), choice.generated(), most,
                                        num_tokens, costs_);
  }
}

// Each row is drawn from as if there were no guesses. As long as the token drawn is the one guessed,
// its own row is there already. They are counted before the answer's last event is made.
void EngineLoop::take_guesses(const PlannedChunk& chunk, std::size_t first_row) {
  Choice& choice = *chunk.choice;
  Generation& generation = choice.generation();
  generation.count_guesses(chunk.num_guesses(), 0);
  metrics_.guessed_tokens += chunk.num_guesses();
  take_logits(choice, row(first_row));
  const std::span<const TokenId> guesses = chunk.drafted.subspan(1);
  std::size_t num_accepted = 0;
  while (num_accepted < guesses.size() && choice.is_seated() && !generation.request().has_ended() &&
         choice.token(choice.num_computed()) == guesses[num_accepted]) {
    choice.accept_guess();
    ++num_accepted;
    generation.count_guesses(0, 1);
    // More tokens may be known than were drawn, where a text was put into the answer.
    if (choice.num_computed() < choice.num_known()) continue;
    take_logits(choice, row(first_row + num_accepted));
  }
  choice.draft().count(guesses.size(), num_accepted);
  metrics_.accepted_guesses += num_accepted;
  if (choice.is_seated()) seating_.drop_guesses(choice);
}

// The states that are kept of prompts have the entries of the prediction layer too, so those are made
// before anything is drawn. The step of "main" has to end before; its rows of logits are copied.
void EngineLoop::follow_prompts() {
  rows_.clear();
  if (prediction_ == nullptr) return;
  prediction_->keep_hidden(planned_);
  if (has_only_decodes_) return;
  std::size_t num_rows = 0;
  for (const StepChunk& chunk : chunks_) num_rows += chunk.num_rows;
  for (std::size_t i = 0; i < num_rows; ++i) {
    const std::span<const float> logits = steps_.logits(i);
    rows_.emplace_back(logits.begin(), logits.end());
  }
  end_step();
  prediction_->follow(planned_);
}

// Guesses what comes next behind what has been drawn.
void EngineLoop::follow_step() {
  if (prediction_ == nullptr) return;
  num_predictions_.clear();
  for (const PlannedChunk& chunk : planned_) num_predictions_.push_back(num_predictions(chunk));
  predictions_.resize(planned_.size());
  prediction_->guess(planned_, num_predictions_, predictions_);
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    Choice& choice = *planned_[i].choice;
    if (!choice.is_seated()) continue;
    choice.draft().set_predictions(predictions_[i]);
    // Takes back the entries of guesses behind the first.
    if (predictions_[i].size() > 1 && !seating_.cut(choice, choice.num_computed())) {
      throw Error(VERNAL_INTERNAL, "a sequence cannot be cut at its own length");
    }
  }
}

std::size_t EngineLoop::num_predictions(const PlannedChunk& chunk) {
  Choice& choice = *chunk.choice;
  const bool may_guess = choice.is_seated() && choice.is_decoding() && choice.draft().is_on() &&
                         !choice.bans().is_on();
  // A cut has taken the room that was reserved.
  if (!may_guess || !seating_.try_grow(choice)) return 0;
  // The answers of a step share what a guess takes.
  const auto num_answers = static_cast<double>(planned_.size());
  return choice.draft().num_predictions(useful_guesses(choice), planned_.size(), costs_,
                                        prediction_->seconds_per_guess() / num_answers);
}

}  // namespace vernal
