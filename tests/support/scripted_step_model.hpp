// A StepModel that answers from a script, checks how it is called, and fails when a test wants it.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/loaded_model.hpp"
#include "support/byte_tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal::test {

/// Fills a row of logits; `tokens` are all tokens of the sequence.
using Predict = std::function<void(std::span<const TokenId> tokens, std::span<float> logits)>;

/// What a test reads and sets, on its own thread, while the engine runs.
struct StepModelControl {
  /// Called at the beginning of each step, counted from 1, on the engine thread. May throw or wait.
  std::function<void(std::uint64_t step, std::span<const StepChunk> chunks)> on_step;
  /// If it returns an error, the step ends with it, in wait_step.
  std::function<std::optional<Error>(std::uint64_t step)> fail_wait;
  Predict predict;
  /// Of the function "mtp", which is there if this is. `tokens` are all but the first of the
  /// sequence, up to the one that the row is of.
  Predict predict_ahead;
  std::uint64_t fail_ahead = 0;  ///< step of "mtp" that fails, counted from 1; 0: none
  std::uint64_t capacity_tokens = 1'000'000;
  std::uint64_t max_sequences = 64;
  std::uint64_t max_rows = 64;
  bool truncates_anywhere = true;
  bool is_chunk_invariant = false;
  std::uint64_t streamed_products = 0;
  std::uint64_t rollback_depth = 0;  ///< tokens that a truncate may take back if it is false

  std::atomic<std::uint64_t> num_steps{0};
  std::atomic<std::uint64_t> num_tokens{0};
  std::atomic<std::uint64_t> num_live_sequences{0};
  std::atomic<std::uint64_t> num_forks{0};
  std::atomic<std::uint64_t> num_ahead_steps{0};
  std::atomic<std::uint64_t> num_missing_hidden{0};  ///< entries of "mtp" made of zeros
  std::atomic<std::uint64_t> max_tokens_seen{0};

  /// While closed, steps do not end.
  void close_gate() {
    const std::lock_guard lock(mutex);
    is_gate_open = false;
  }
  void open_gate() {
    const std::lock_guard lock(mutex);
    is_gate_open = true;
    changed.notify_all();
  }
  bool wait_gate(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, timeout, [this] { return is_gate_open; });
  }

 private:
  std::mutex mutex;
  std::condition_variable changed;
  bool is_gate_open = true;
};

/// Predicts the answers of a table {prompt -> answer}, byte by byte, and then the end token.
inline Predict answers(std::map<std::string, std::string> table) {
  return [table = std::move(table)](std::span<const TokenId> tokens, std::span<float> logits) {
    std::fill(logits.begin(), logits.end(), -5.0F);
    std::string text;
    for (const TokenId token : tokens) {
      text.push_back(static_cast<char>(token));
    }
    const std::string* answer = nullptr;
    std::size_t longest = 0;
    for (const auto& [prompt, continuation] : table) {
      if (text.starts_with(prompt) && prompt.size() >= longest) {
        answer = &continuation;
        longest = prompt.size();
      }
    }
    const std::size_t done = tokens.size() - longest;
    const bool goes_on = answer != nullptr && done < answer->size();
    const TokenId next = goes_on ? static_cast<unsigned char>((*answer)[done]) : kEndToken;
    logits[static_cast<std::size_t>(next)] = 20.0F;
  };
}

/// Predicts letters whose probabilities depend on every token before. It never predicts the end.
inline void predict_letters(std::span<const TokenId> tokens, std::span<float> logits) {
  std::fill(logits.begin(), logits.end(), -30.0F);
  std::uint64_t hash = 1469598103934665603ULL;
  for (const TokenId token : tokens) {
    hash = (hash ^ static_cast<std::uint64_t>(token)) * 1099511628211ULL;
  }
  for (std::size_t letter = 'a'; letter <= 'z'; ++letter) {
    hash = hash * 6364136223846793005ULL + 1442695040888963407ULL;
    logits[letter] = static_cast<float>(hash >> 40U) / static_cast<float>(1U << 23U);
  }
}

class ScriptedStepModel final : public StepModel {
 public:
  explicit ScriptedStepModel(std::shared_ptr<StepModelControl> control)
      : control_(std::move(control)) {}

  ~ScriptedStepModel() override { control_->num_live_sequences = sequences_.size(); }

  void open() override { thread_ = std::this_thread::get_id(); }

  StepModelInfo info() const override {
    check_thread();
    return {control_->capacity_tokens, control_->capacity_tokens - num_reserved(),
            control_->truncates_anywhere, control_->is_chunk_invariant,
            control_->streamed_products};
  }

  std::optional<FunctionId> find_function(std::string_view name) const override {
    if (name == "mtp" && control_->predict_ahead) return kAhead;
    return StepModel::find_function(name);
  }
  std::uint64_t length(SequenceId sequence, FunctionId function) override {
    const Sequence& found = find(sequence);
    return function == kAhead ? found.ahead.size() : found.tokens.size();
  }

  std::optional<SequenceId> create_sequence() override {
    check_thread();
    if (sequences_.size() >= control_->max_sequences) {
      return std::nullopt;
    }
    sequences_[++last_id_] = {};
    control_->num_live_sequences = sequences_.size();
    return last_id_;
  }

  void release_sequence(SequenceId sequence) noexcept override {
    sequences_.erase(sequence);
    control_->num_live_sequences = sequences_.size();
  }

  bool reserve(SequenceId sequence, std::uint64_t num_tokens) override {
    Sequence& found = find(sequence);
    const std::uint64_t wanted = found.tokens.size() + num_tokens;
    const std::uint64_t others = num_reserved() - found.reserved;
    if (wanted > found.reserved && others + wanted > control_->capacity_tokens) {
      return false;
    }
    found.reserved = std::max(found.reserved, wanted);
    return true;
  }

  std::uint64_t restorable(SequenceId sequence, std::uint64_t length) override {
    const std::size_t held = find(sequence).tokens.size();
    const bool is_held = length < held && (control_->truncates_anywhere ||
                                           length + control_->rollback_depth >= held);
    return length >= held ? held : is_held ? length : 0;
  }

  bool truncate(SequenceId sequence, std::uint64_t length) override {
    Sequence& found = find(sequence);
    if (restorable(sequence, length) != length) {
      return false;
    }
    found.tokens.resize(length);
    found.ahead.resize(std::min<std::size_t>(found.ahead.size(), length));
    found.reserved = length;
    return true;
  }

  std::optional<SequenceId> fork(SequenceId source, std::uint64_t position) override {
    const Sequence copied = find(source);
    const bool is_allowed = control_->truncates_anywhere || position == copied.tokens.size();
    if (!is_allowed || sequences_.size() >= control_->max_sequences) {
      return std::nullopt;
    }
    Sequence made;
    made.tokens.assign(copied.tokens.begin(),
                       copied.tokens.begin() + static_cast<std::ptrdiff_t>(position));
    made.ahead = copied.ahead;
    made.ahead.resize(std::min<std::size_t>(made.ahead.size(), position));
    made.reserved = position;
    sequences_.emplace(++last_id_, std::move(made));
    control_->num_live_sequences = sequences_.size();
    ++control_->num_forks;
    return last_id_;
  }

  void begin_step(std::span<const StepChunk> chunks) override {
    check_thread();
    rows_.clear();
    if (chunks.front().function == kAhead) {
      run_ahead(chunks);
      return;
    }
    const std::uint64_t step = ++control_->num_steps;
    if (control_->on_step) {
      control_->on_step(step, chunks);
    }
    std::uint64_t num_tokens = 0;
    for (const StepChunk& chunk : chunks) {
      Sequence& sequence = find(chunk.sequence);
      require(chunk.first_position == sequence.tokens.size(), "a chunk does not continue");
      require(!chunk.tokens.empty() && chunk.num_rows <= chunk.tokens.size(),
              "a chunk is malformed");
      sequence.tokens.insert(sequence.tokens.end(), chunk.tokens.begin(), chunk.tokens.end());
      require(sequence.tokens.size() <= sequence.reserved, "a chunk has no room");
      num_tokens += chunk.tokens.size();
      for (std::size_t i = 0; i < chunk.tokens.size(); ++i) {
        require(static_cast<std::size_t>(chunk.tokens[i]) < kByteVocabularySize, "no such token");
        hidden_.push_back(
            {static_cast<float>(chunk.tokens[i]), static_cast<float>(chunk.first_position + i)});
        has_hidden_.push_back(chunk.wants_hidden);
      }
      for (std::size_t left = chunk.num_rows; left > 0; --left) {
        rows_.emplace_back(kByteVocabularySize);
        control_->predict(std::span(sequence.tokens).first(sequence.tokens.size() - left + 1),
                          rows_.back());
      }
      require(rows_.size() <= control_->max_rows, "a step has too many rows");
    }
    control_->num_tokens += num_tokens;
    control_->max_tokens_seen = std::max(control_->max_tokens_seen.load(), num_tokens);
  }

  bool wait_step(std::chrono::milliseconds timeout) override {
    if (!control_->wait_gate(timeout)) {
      return false;
    }
    if (control_->fail_wait) {
      if (const auto error = control_->fail_wait(control_->num_steps)) {
        throw *error;
      }
    }
    return true;
  }

  std::span<const float> logits(std::size_t row) const override { return rows_.at(row); }
  /// A token's hidden state is its id and its position.
  std::span<const float> hidden(std::size_t token) const override {
    require(has_hidden_.at(token), "the hidden state of a chunk that does not want it");
    return hidden_.at(token);
  }
  void end_step() noexcept override {
    rows_.clear();
    hidden_.clear();
    has_hidden_.clear();
  }

 private:
  struct Sequence {
    std::vector<TokenId> tokens;
    std::vector<TokenId> ahead;  // of each entry of "mtp": the id that it was made of
    std::uint64_t reserved = 0;
  };

  static constexpr FunctionId kAhead = 1;

  // An entry's hidden state is that of its id, as "main" gives it, or zeros.
  void run_ahead(std::span<const StepChunk> chunks) {
    if (++control_->num_ahead_steps == control_->fail_ahead) {
      throw Error(VERNAL_INTERNAL, "the layer is broken");
    }
    for (const StepChunk& chunk : chunks) {
      Sequence& sequence = find(chunk.sequence);
      require(chunk.first_position == sequence.ahead.size(), "a chunk of mtp does not continue");
      require(chunk.hidden.size() == 2 * chunk.tokens.size(), "a chunk of mtp lacks hidden states");
      require(sequence.ahead.size() + chunk.tokens.size() <= sequence.reserved, "mtp has no room");
      for (std::size_t i = 0; i < chunk.tokens.size(); ++i) {
        const std::size_t position = sequence.ahead.size();
        const bool is_known = position < sequence.tokens.size();
        const TokenId before = is_known ? sequence.tokens[position] : sequence.ahead.back();
        const float id = chunk.hidden[2 * i];
        const bool is_missing = id == 0.0F && chunk.hidden[2 * i + 1] == 0.0F;
        control_->num_missing_hidden += is_missing ? 1 : 0;
        require(is_missing || (id == static_cast<float>(before) &&
                               chunk.hidden[2 * i + 1] == static_cast<float>(position)),
                "a hidden state of another token");
        sequence.ahead.push_back(chunk.tokens[i]);
        hidden_.push_back({static_cast<float>(chunk.tokens[i]), static_cast<float>(position + 1)});
        has_hidden_.push_back(chunk.wants_hidden);
      }
      for (std::size_t left = chunk.num_rows; left > 0; --left) {
        rows_.emplace_back(kByteVocabularySize);
        control_->predict_ahead(std::span(sequence.ahead).first(sequence.ahead.size() - left + 1),
                                rows_.back());
      }
    }
  }

  static void require(bool condition, const char* what) {
    if (!condition) {
      throw std::logic_error(what);
    }
  }
  void check_thread() const {
    require(thread_ == std::this_thread::get_id(), "called from another thread");
  }
  Sequence& find(SequenceId id) {
    check_thread();
    const auto found = sequences_.find(id);
    require(found != sequences_.end(), "no such sequence");
    return found->second;
  }
  std::uint64_t num_reserved() const {
    std::uint64_t total = 0;
    for (const auto& [id, sequence] : sequences_) {
      total += sequence.reserved;
    }
    return total;
  }

  std::shared_ptr<StepModelControl> control_;
  std::thread::id thread_;
  std::map<SequenceId, Sequence> sequences_;
  SequenceId last_id_ = 0;
  std::vector<std::vector<float>> rows_;
  std::vector<std::array<float, 2>> hidden_;
  std::vector<bool> has_hidden_;
};

}  // namespace vernal::test
