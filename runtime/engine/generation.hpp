// An accepted request on the engine thread: its choices and how far each has come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/answer/answer_events.hpp"
#include "engine/answer/answer_grammar.hpp"
#include "engine/answer/banned_texts.hpp"
#include "engine/answer/choice_output.hpp"
#include "engine/answer/prompt_pooling.hpp"
#include "engine/answer/thinking_guard.hpp"
#include "engine/loaded_model.hpp"
#include "engine/request/request.hpp"
#include "engine/sampling/sampler.hpp"
#include "text/request/request_document.hpp"
#include "text/tokenizer/detokenizer.hpp"

namespace vernal {

/// What the intake hands to the engine: everything is checked.
struct PreparedRequest {
  std::shared_ptr<Request> request;
  RequestDocument document;
  std::vector<TokenId> prompt;  ///< at least one
  std::uint64_t max_new_tokens =
      1;  ///< of each choice; prompt and these fit into the context length
  std::uint64_t seed = 0;
  AnswerFormat answer{};
  AnswerRules rules{};
};

class Generation;

/// Where a seated choice computes.
struct Seat {
  std::uint32_t slot = 0;
  SequenceId sequence = 0;
  std::size_t num_computed = 0;  ///< tokens that the sequence already holds
  std::size_t num_reserved = 0;  ///< positions that the sequence has room for
  /// Positions before the end of the prompt at which a chunk ends, because the state is kept there.
  /// 0: none.
  std::array<std::size_t, 2> borders{};
};

/// One answer being made. Its known tokens are the prompt and what has been generated. The first
/// num_computed() of them are in its sequence. It changes by its own functions only:
///
///   kWaiting -> take_seat -> kSeated -> leave_seat -> kWaiting    put back, or paused
///   any      -> finish    -> kFinished                            its answer is complete, or failed
///
/// Engine thread.
class Choice {
 public:
  enum class State : std::uint8_t { kWaiting, kSeated, kFinished };

  Choice(Generation& generation, std::uint32_t index, const Tokenizer& tokenizer);

  Generation& generation() const noexcept { return generation_; }
  std::uint32_t index() const noexcept { return index_; }
  Sampler& sampler() noexcept { return sampler_; }
  ChoiceOutput& output() noexcept { return output_; }
  BannedTexts& bans() noexcept { return bans_; }
  AnswerEvents& answer() noexcept { return answer_; }
  AnswerGrammar& grammar() noexcept { return grammar_; }
  ThinkingGuard& thinking_guard() noexcept { return thinking_guard_; }

  // ---- tokens
  std::span<const TokenId> generated() const noexcept { return generated_; }
  void append(TokenId token) { generated_.push_back(token); }
  /// A token has been drawn now. Returns when the one before was; nothing for the first.
  std::optional<SteadyClock::time_point> mark_token(SteadyClock::time_point now) noexcept {
    return std::exchange(last_token_at_, now);
  }
  /// Forgets the newest `count` tokens, none of which is in the sequence.
  void take_back(std::size_t count) { generated_.resize(generated_.size() - count); }
  std::size_t num_known() const noexcept;
  std::size_t num_prompt() const noexcept;
  /// Known tokens [begin, begin + count), which lie on one side of the end of the prompt.
  std::span<const TokenId> tokens(std::size_t begin, std::size_t count) const noexcept;
  /// All known tokens that are in the sequence.
  std::vector<TokenId> computed_tokens() const;
  /// The next step takes one token, the newest.
  bool is_decoding() const noexcept;
  /// The next step reads a row of logits of each token that it takes: see Generation::scores_prompt.
  bool scores_next() const noexcept;
  /// Known tokens that need not be computed if their state is there.
  std::size_t num_skippable() const noexcept;

  // ---- state
  State state() const noexcept { return state_; }
  bool is_waiting() const noexcept { return state_ == State::kWaiting; }
  bool is_seated() const noexcept { return state_ == State::kSeated; }
  bool is_finished() const noexcept { return state_ == State::kFinished; }
  /// Of a seated choice.
  const Seat& seat() const noexcept { return seat_; }
  std::size_t num_computed() const noexcept { return seat_.num_computed; }
  /// Whether the prompt is in the sequence of a seated choice.
  bool has_prompt() const noexcept { return is_seated() && num_computed() >= num_prompt(); }
  /// Number of the last step that it was part of.
  std::uint64_t last_served() const noexcept { return last_served_; }

  /// A waiting choice gets a seat.
  void take_seat(const Seat& seat) noexcept;
  /// A seated choice has room for so many positions.
  void set_reserved(std::size_t num_positions) noexcept { seat_.num_reserved = num_positions; }
  /// Step number `step` takes tokens of a seated choice.
  void serve(std::uint64_t step) noexcept { last_served_ = step; }
  /// A step has put `count` more tokens into the sequence of a seated choice.
  void advance(std::size_t count) noexcept { seat_.num_computed += count; }
  /// The sequence of a seated choice was cut to `length` positions, and has no room beyond.
  void cut(std::size_t length) noexcept { seat_.num_computed = seat_.num_reserved = length; }
  /// A seated choice waits again. The caller decides what becomes of its sequence.
  void leave_seat() noexcept;
  /// Nothing is computed for it any more. It must not be seated.
  void finish() noexcept { state_ = State::kFinished; }

 private:
  Generation& generation_;
  const std::uint32_t index_;
  Sampler sampler_;
  ChoiceOutput output_;
  AnswerEvents answer_;
  AnswerGrammar grammar_;
  ThinkingGuard thinking_guard_;
  BannedTexts bans_;
  std::vector<TokenId> generated_;
  State state_ = State::kWaiting;
  Seat seat_;  // while seated
  std::optional<SteadyClock::time_point> last_token_at_;
  std::uint64_t last_served_ = 0;
};

/// A request and its choices, which share the prompt. Engine thread.
class Generation {
 public:
  /// `order` counts accepted requests.
  Generation(PreparedRequest prepared, std::uint64_t order, const Tokenizer& tokenizer);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  Request& request() noexcept { return *prepared_.request; }
  const RequestDocument& document() const noexcept { return prepared_.document; }
  const std::vector<TokenId>& prompt() const noexcept { return prepared_.prompt; }
  std::uint64_t max_new_tokens() const noexcept { return prepared_.max_new_tokens; }
  std::uint64_t seed() const noexcept { return prepared_.seed; }
  const AnswerFormat& answer_format() const noexcept { return prepared_.answer; }
  const AnswerRules& rules() const noexcept { return prepared_.rules; }
  std::span<const std::unique_ptr<Choice>> choices() const noexcept { return choices_; }

  /// Seated before `other`: higher priority, or the same and accepted earlier.
  bool precedes(const Generation& other) const noexcept;
  bool is_finished() const noexcept;  ///< every choice is
  bool has_waiting_choice() const noexcept;
  /// When the request must have ended, if its client said so.
  std::optional<SteadyClock::time_point> deadline() const;

  // ---- how far it has come
  bool has_started() const noexcept { return started_at_.has_value(); }
  /// Its first choice has a seat, where `num_cached` tokens of the prompt need not be computed.
  void start(std::uint64_t num_cached);
  /// A token of one of its choices has been drawn.
  void count_token();
  /// The newest `count` tokens do not count.
  void take_back_tokens(std::size_t count) noexcept { num_generated_ -= count; }
  /// The newest token belongs to the thinking.
  void count_reasoning_token() noexcept { ++num_reasoning_; }

  /// After start().
  Event started_event() const;
  /// How much of the prompt is done is the caller's to say.
  Event progress_event() const;
  /// Fills in how many tokens there are so far, and how long they took.
  void tell_timings(Event& event) const;
  /// The terminal event of a request all of whose choices are finished.
  Event finished_event() const;

  /// Of a request for an embedding.
  PromptPooling& pooling() noexcept { return pooling_; }

  /// Logits of the last token of the prompt, while choices wait for them. Else empty.
  std::span<const float> prompt_logits() const noexcept { return prompt_logits_; }
  void keep_prompt_logits(std::span<const float> logits);
  void drop_prompt_logits() { prompt_logits_ = {}; }

  // ---- the prompt as its client gets it back
  Detokenizer& echo() noexcept { return echo_; }
  /// Whether they are asked for, and not all of them are reported.
  bool scores_prompt() const noexcept {
    return document().prompt_logprobs.has_value() && num_scored_ < prompt().size();
  }
  /// Tokens of the prompt whose rows of logits have been read. The row of a token is about the next.
  std::size_t num_scored() const noexcept { return num_scored_; }
  void count_scored(std::size_t count) noexcept { num_scored_ += count; }

 private:
  PreparedRequest prepared_;
  const std::uint64_t order_;
  std::vector<std::unique_ptr<Choice>> choices_;
  std::optional<SteadyClock::time_point> started_at_;
  std::optional<SteadyClock::time_point> first_token_at_;
  SteadyClock::time_point last_token_at_;
  std::uint64_t num_cached_ = 0;
  std::uint64_t num_generated_ = 0;  // in all choices
  std::uint64_t num_reasoning_ = 0;  // of these
  Detokenizer echo_;
  std::size_t num_scored_ = 0;
  std::vector<float> prompt_logits_;
  PromptPooling pooling_;
};

}  // namespace vernal
