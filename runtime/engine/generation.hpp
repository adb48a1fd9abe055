// An accepted request on the engine thread: its choices and how far each has come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/answer/choice_output.hpp"
#include "engine/loaded_model.hpp"
#include "engine/request/request.hpp"
#include "engine/sampling/sampler.hpp"
#include "text/request/request_document.hpp"

namespace vernal {

/// What the intake hands to the engine: everything is checked.
struct PreparedRequest {
  std::shared_ptr<Request> request;
  RequestDocument document;
  std::vector<TokenId> prompt;  ///< at least one
  std::uint64_t max_new_tokens =
      1;  ///< of each choice; prompt and these fit into the context length
  std::uint64_t seed = 0;
};

class Generation;

/// One answer being made. Its known tokens are the prompt and what has been generated; those before
/// computed() are in its sequence. Engine thread.
class Choice {
 public:
  enum class State : std::uint8_t { kWaiting, kSeated, kFinished };

  Choice(Generation& generation, std::uint32_t index, const Tokenizer& tokenizer);

  Generation& generation() const noexcept { return generation_; }
  std::uint32_t index() const noexcept { return index_; }
  Sampler& sampler() noexcept { return sampler_; }
  ChoiceOutput& output() noexcept { return output_; }

  std::span<const TokenId> generated() const noexcept { return generated_; }
  void append(TokenId token) { generated_.push_back(token); }
  std::size_t num_known() const noexcept;
  std::size_t num_prompt() const noexcept;
  /// Known tokens [begin, begin + count), which lie on one side of the end of the prompt.
  std::span<const TokenId> tokens(std::size_t begin, std::size_t count) const noexcept;
  /// All known tokens that are in the sequence.
  std::vector<TokenId> computed_tokens() const;
  /// The next step takes one token, the newest.
  bool is_decoding() const noexcept;

  State state = State::kWaiting;
  std::uint32_t slot = 0;        ///< while seated
  SequenceId sequence = 0;       ///< while seated
  std::size_t num_computed = 0;  ///< tokens in the sequence
  std::size_t num_reserved = 0;  ///< positions the sequence has room for
  /// Positions before the end of the prompt at which a chunk ends, because the state is kept there;
  /// 0: none.
  std::array<std::size_t, 2> borders{};
  std::uint64_t last_served = 0;  ///< number of the last step that it was part of

 private:
  Generation& generation_;
  const std::uint32_t index_;
  Sampler sampler_;
  ChoiceOutput output_;
  std::vector<TokenId> generated_;
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
  std::span<const std::unique_ptr<Choice>> choices() const noexcept { return choices_; }

  /// Seated before `other`: higher priority, or the same and accepted earlier.
  bool precedes(const Generation& other) const noexcept;
  bool is_finished() const noexcept;  ///< every choice is
  bool has_waiting_choice() const noexcept;
  /// When the request must have ended, if its client said so.
  std::optional<SteadyClock::time_point> deadline() const;

  /// The terminal event of a request all of whose choices are finished.
  Event finished_event() const;

  std::optional<SteadyClock::time_point> started_at;  ///< first seated
  std::optional<SteadyClock::time_point> first_token_at;
  std::uint64_t num_cached = 0;      ///< tokens of the prompt that were not processed again
  std::uint64_t num_generated = 0;   ///< in all choices
  std::vector<float> prompt_logits;  ///< of the last token of the prompt, while choices wait for it

 private:
  PreparedRequest prepared_;
  const std::uint64_t order_;
  std::vector<std::unique_ptr<Choice>> choices_;
};

}  // namespace vernal
