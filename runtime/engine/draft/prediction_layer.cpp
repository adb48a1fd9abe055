#include "engine/draft/prediction_layer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/sampling/logits_math.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr double kNewestGuessWeight = 0.1;
// More entries without a hidden state would say nothing, and cost a step.
constexpr std::uint64_t kMaxMissing = 64;
// As many cost little more than one.
constexpr std::uint64_t kMostWaiting = 32;
constexpr double kIdleFading = 0.01;
// Entries of a sequence behind a step whose guesses were judged; more had waited, and say nothing of what
// a guess takes.
constexpr std::size_t kFewEntries = 8;

FunctionId find_mtp(const StepModel& steps) {
  const auto function = steps.find_function("mtp");
  if (!function) throw Error(VERNAL_UNSUPPORTED, "the model has no function \"mtp\"");
  return *function;
}

TokenId likeliest(std::span<const float> logits) {
  const LogitsRange range = find_range(logits);
  return range.is_distribution() ? first_index_of(logits, range.max) : 0;  // a guess may be wrong
}

}  // namespace

PredictionLayer::PredictionLayer(const LoadedModel& model)
    : steps_(*model.steps),
      function_(find_mtp(*model.steps)),
      width_(model.hidden_size),
      max_tokens_(model.max_tokens_per_step),
      num_columns_(model.tokenizer->size()),
      rows_(max_tokens_ * width_),
      most_waiting_(std::min<std::uint64_t>(kMostWaiting, max_tokens_ / model.slots / 2)),
      tails_(model.slots),
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
  const Tail& tail = tails_[choice.seat().slot];
  if (tail.sequence != choice.seat().sequence || position < tail.begin) return {};
  const auto first = static_cast<std::size_t>(position - tail.begin) * width_;
  if (first >= tail.rows.size()) return {};
  return std::span(tail.rows).subspan(first, width_);
}

// Keeps the hidden states from position `begin` to the newest token that is in the sequence.
void PredictionLayer::remember(std::uint64_t begin, const Kept& kept, const Choice& choice) {
  Tail& tail = tails_[choice.seat().slot];
  const std::uint64_t first = std::max(begin, tail.begin);
  const std::uint64_t tail_end = tail.begin + tail.rows.size() / width_;
  const bool has_earlier =
      tail.sequence == choice.seat().sequence && first < kept.begin && kept.begin <= tail_end;
  if (has_earlier) {
    const auto at = [&](std::uint64_t position) {
      return tail.rows.begin() + static_cast<std::ptrdiff_t>((position - tail.begin) * width_);
    };
    tail.rows.erase(at(kept.begin), tail.rows.end());
    tail.rows.erase(tail.rows.begin(), at(first));
    tail.begin = first;
  } else {
    tail.rows.clear();
    tail.begin = std::max(begin, kept.begin);
  }
  tail.sequence = choice.seat().sequence;
  for (std::uint64_t p = std::max(begin, kept.begin); p < choice.num_computed(); ++p) {
    const std::span<const float> row = hidden_of(p, kept, choice);
    tail.rows.insert(tail.rows.end(), row.begin(), row.end());
  }
}

// The entries that can be made for a choice. None where so many are missing that none will be made.
PredictionLayer::Range PredictionLayer::missing_entries(const Choice& choice,
                                                        const Kept& kept) const {
  const std::uint64_t first = steps_.length(choice.seat().sequence, function_);
  const std::uint64_t end = std::min<std::uint64_t>(choice.num_computed(), choice.num_known() - 1);
  const bool has_fallen_behind = first + kMaxMissing < kept.begin || first + max_tokens_ < end;
  return {has_fallen_behind ? end : std::min(first, end), end};
}

PredictionLayer::Entry PredictionLayer::entry_of(const Choice& choice, const Kept& kept,
                                                 Range range) const {
  Entry entry;
  entry.sequence = choice.seat().sequence;
  entry.first = range.first;
  for (std::uint64_t p = range.first; p < range.last; ++p) {
    entry.ids.push_back(choice.token(p + 1));
    std::span<const float> row = hidden_of(p, kept, choice);
    if (row.empty()) row = zeros_;
    entry.hidden.insert(entry.hidden.end(), row.begin(), row.end());
  }
  return entry;
}

// Gathers the entries of the chunks, all of them if num_guesses is empty.
void PredictionLayer::collect(std::span<const PlannedChunk> chunks,
                              std::span<const std::size_t> num_guesses) {
  entries_.clear();
  std::size_t num_tokens = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const Choice& choice = *chunks[i].choice;
    if (!choice.is_seated()) continue;
    const bool is_guessed = !num_guesses.empty() && num_guesses[i] > 0;
    const Range missing = missing_entries(choice, kept_[i]);
    const std::uint64_t count = missing.last - missing.first;
    const bool may_wait = !num_guesses.empty() && !is_guessed && count <= most_waiting_;
    const bool is_made = count > 0 && !may_wait && num_tokens + count <= max_tokens_;
    if (is_made) {
      entries_.push_back(entry_of(choice, kept_[i], missing));
      entries_.back().chunk = i;
      entries_.back().num_rows = is_guessed ? 1 : 0;
      num_tokens += count;
    }
    // The newest token's successor may not be known yet.
    remember(is_made ? missing.last : missing.first, kept_[i], choice);
  }
}

void PredictionLayer::follow(std::span<const PlannedChunk> chunks) {
  collect(chunks, {});
  if (entries_.empty()) return;
  run_step({}, {});
}

void PredictionLayer::guess(std::span<const PlannedChunk> chunks,
                            std::span<const std::size_t> num_guesses,
                            std::span<std::vector<TokenId>> out) {
  for (std::vector<TokenId>& guesses : out) guesses.clear();
  seconds_guessing_ = 0.0;
  collect(chunks, num_guesses);
  const bool is_idle = std::all_of(num_guesses.begin(), num_guesses.end(),
                                   [](std::size_t count) { return count == 0; });
  if (is_idle) ++num_idle_;
  while (!entries_.empty()) {
    const bool is_usual = std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
      return entry.ids.size() <= kFewEntries;
    });
    const auto begin = std::chrono::steady_clock::now();
    run_step(num_guesses, out);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    seconds_guessing_ += spent.count();
    if (!is_idle && is_usual) learn_cost(spent.count());
  }
}

// Runs the entries' step and reads its guesses; entries_ are then those of the next one.
void PredictionLayer::run_step(std::span<const std::size_t> num_guesses,
                               std::span<std::vector<TokenId>> out) {
  step_.clear();
  for (const Entry& entry : entries_) {
    StepChunk chunk{entry.sequence, entry.first, entry.ids,
                    entry.num_rows, function_,   entry.hidden};
    chunk.wants_hidden = true;
    step_.push_back(chunk);
  }
  std::vector<Entry> next;
  steps_.begin_step(step_);
  try {
    while (!steps_.wait_step(kStepWaitSlice)) {
      // As for a step of "main": it cannot be abandoned.
    }
    next = read_guesses(num_guesses, out);
  } catch (...) {
    steps_.end_step();
    throw;
  }
  steps_.end_step();
  entries_ = std::move(next);
}

// Reads the guesses of the step that has just run. Returns the entries of those that want more.
std::vector<PredictionLayer::Entry> PredictionLayer::read_guesses(
    std::span<const std::size_t> num_guesses, std::span<std::vector<TokenId>> out) {
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
  return next;
}

double PredictionLayer::seconds_per_guess() const noexcept {
  return seconds_per_guess_ * std::pow(1.0 - kIdleFading, static_cast<double>(num_idle_));
}

void PredictionLayer::learn_cost(double seconds) {
  num_idle_ = 0;
  const double weight = seconds_per_guess_ == 0.0 ? 1.0 : kNewestGuessWeight;
  seconds_per_guess_ += weight * (seconds - seconds_per_guess_);
}

}  // namespace vernal
