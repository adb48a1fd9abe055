#include "engine/draft/prediction_layer.hpp"

#include <algorithm>
#include <chrono>

#include "text/tokenizer/tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr double kNewestGuessWeight = 0.1;
// More entries without a hidden state would say nothing, and cost a step.
constexpr std::uint64_t kMaxMissing = 64;

FunctionId find_mtp(const StepModel& steps) {
  const auto function = steps.find_function("mtp");
  if (!function) throw Error(VERNAL_UNSUPPORTED, "the model has no function \"mtp\"");
  return *function;
}

TokenId likeliest(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace

PredictionLayer::PredictionLayer(const LoadedModel& model)
    : steps_(*model.steps),
      function_(find_mtp(*model.steps)),
      width_(model.hidden_size),
      max_tokens_(model.max_tokens_per_step),
      num_columns_(model.tokenizer->size()),
      rows_(max_tokens_ * width_),
      last_hidden_(model.slots),
      zeros_(width_) {}

void PredictionLayer::keep_hidden(std::span<const PlannedChunk> chunks) {
  kept_.clear();
  std::size_t row = 0;
  for (const PlannedChunk& chunk : chunks) {
    kept_.push_back({chunk.choice->num_computed() - chunk.count, row});
    for (std::size_t i = 0; i < chunk.num_tokens(); ++i, ++row) {
      std::ranges::copy(steps_.hidden(row),
                        rows_.begin() + static_cast<std::ptrdiff_t>(row * width_));
    }
  }
}

// Of the token at `position`. Empty: it is not known.
std::span<const float> PredictionLayer::hidden_of(std::uint64_t position, const Kept& kept,
                                                  const Choice& choice) const {
  if (position >= kept.begin) {
    const std::size_t row = kept.first_row + static_cast<std::size_t>(position - kept.begin);
    return std::span(rows_).subspan(row * width_, width_);
  }
  const LastHidden& last = last_hidden_[choice.seat().slot];
  const bool is_same = last.sequence == choice.seat().sequence && last.length == position + 1;
  if (is_same) return last.row;
  return {};
}

// False: there is nothing to make.
bool PredictionLayer::fill(const PlannedChunk& chunk, const Kept& kept, Entry& entry) {
  Choice& choice = *chunk.choice;
  const std::uint64_t length = steps_.length(choice.seat().sequence, function_);
  const std::uint64_t end = std::min<std::uint64_t>(choice.num_computed(), choice.num_known() - 1);
  const bool has_fallen_behind = length + kMaxMissing < kept.begin;
  const bool fits = end <= length + max_tokens_;
  if (length < end && !has_fallen_behind && fits) {
    entry.sequence = choice.seat().sequence;
    entry.first = length;
    for (std::uint64_t p = length; p < end; ++p) {
      entry.ids.push_back(choice.token(p + 1));
      std::span<const float> row = hidden_of(p, kept, choice);
      if (row.empty()) row = zeros_;
      entry.hidden.insert(entry.hidden.end(), row.begin(), row.end());
    }
  }
  // The next entry needs the hidden state of the newest token that is in the sequence.
  LastHidden& last = last_hidden_[choice.seat().slot];
  const std::span<const float> newest = hidden_of(choice.num_computed() - 1, kept, choice);
  last.row.assign(newest.begin(), newest.end());
  last.sequence = choice.seat().sequence;
  last.length = newest.empty() ? 0 : choice.num_computed();
  return !entry.ids.empty();
}

void PredictionLayer::follow(std::span<const PlannedChunk> chunks,
                             std::span<const std::size_t> num_guesses,
                             std::span<std::vector<TokenId>> out) {
  entries_.clear();
  seconds_guessing_ = 0.0;
  std::size_t num_tokens = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    out[i].clear();
    if (!chunks[i].choice->is_seated()) continue;
    Entry entry;
    entry.chunk = i;
    entry.num_rows = num_guesses[i] > 0 ? 1 : 0;
    if (!fill(chunks[i], kept_[i], entry) || num_tokens + entry.ids.size() > max_tokens_) continue;
    num_tokens += entry.ids.size();
    entries_.push_back(std::move(entry));
  }
  if (entries_.empty()) return;
  run_step();
  guess_on(num_guesses, out);
}

void PredictionLayer::run_step() {
  step_.clear();
  for (const Entry& entry : entries_) {
    StepChunk chunk{entry.sequence, entry.first, entry.ids,
                    entry.num_rows, function_,   entry.hidden};
    chunk.wants_hidden = true;
    step_.push_back(chunk);
  }
  steps_.begin_step(step_);
  try {
    while (!steps_.wait_step(kStepWaitSlice)) {
      // As for a step of "main": it cannot be abandoned.
    }
  } catch (...) {
    steps_.end_step();
    throw;
  }
}

// Reads the guesses of the step that has just run, and goes on with those that want more.
void PredictionLayer::guess_on(std::span<const std::size_t> num_guesses,
                               std::span<std::vector<TokenId>> out) {
  for (bool has_more = true; has_more;) {
    std::vector<Entry> next;
    std::size_t row = 0;
    std::size_t token = 0;
    for (const Entry& entry : entries_) {
      token += entry.ids.size();
      if (entry.num_rows == 0) continue;
      std::span<const float> logits = steps_.logits(row++);
      std::vector<TokenId>& guesses = out[entry.chunk];
      guesses.push_back(likeliest(logits.first(std::min(logits.size(), num_columns_))));
      if (guesses.size() == num_guesses[entry.chunk]) continue;
      const std::span<const float> hidden = steps_.hidden(token - 1);
      next.push_back({entry.chunk,
                      entry.sequence,
                      entry.first + entry.ids.size(),
                      {guesses.back()},
                      {hidden.begin(), hidden.end()},
                      1});
    }
    steps_.end_step();
    has_more = !next.empty();
    entries_ = std::move(next);
    if (!has_more) continue;
    const auto begin = std::chrono::steady_clock::now();
    run_step();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    const double weight = seconds_per_guess_ == 0.0 ? 1.0 : kNewestGuessWeight;
    seconds_per_guess_ += weight * (spent.count() - seconds_per_guess_);
    seconds_guessing_ += spent.count();
  }
}

}  // namespace vernal
