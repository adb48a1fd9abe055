// A model that is ready to run, as the loader hands it to the engine: its text side, its limits and
// what computes its steps.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/model_defaults.hpp"
#include "engine/step_model.hpp"

namespace vernal {

class ChatTemplate;
class Tokenizer;

/// What a model's requests may take.
struct RequestLimits {
  std::uint64_t max_queue = kDefaultMaxQueue;  ///< requests that wait for a slot
  /// How long a client may leave its events unread.
  std::chrono::milliseconds stall_timeout = kDefaultStallTimeout;
  std::chrono::milliseconds pause_grace{2'000};  ///< after which its slot may go to somebody else
  std::chrono::milliseconds step_timeout = kDefaultStepTimeout;  ///< longer steps count as hung
};

/// How the hidden states of a prompt become one vector.
enum class Pooling : std::uint8_t {
  kNone,  ///< the model gives no embeddings
  kLast,  ///< that of the last token
  kMean,  ///< the mean of all
};

/// Who guesses the tokens that an answer may go on with.
enum class Draft : std::uint8_t {
  kNone,
  kNgram,  ///< what the text said before
  kMtp,    ///< the model's layer that predicts one token more
};

struct Speculation {
  Draft draft = Draft::kNone;
  std::uint32_t max_tokens = 8;  ///< most guesses for one sequence in a step
};

/// A model as the loader hands it to the engine.
struct LoadedModel {
  std::string id;             ///< its name in the deployment
  std::string architecture;   ///< of the file
  std::string description;    ///< name and size, for people; may be empty
  std::uint64_t created = 0;  ///< Unix seconds: the file's modification time
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const ChatTemplate> chat_template;  ///< null: chat is refused, completions work
  /// For requests with tools. Null: chat_template serves them too.
  std::shared_ptr<const ChatTemplate> tool_use_template;
  std::string tool_syntax = "auto";   ///< of answers: a family's name, or "auto"
  std::string chat_template_problem;  ///< why there is none; may be empty
  std::uint64_t vocabulary_size = 0;  ///< columns of the logits
  Pooling pooling = Pooling::kNone;
  std::uint64_t embedding_size = 0;     ///< width of the hidden states; 0 without pooling
  std::uint64_t hidden_size = 0;        ///< the same for Draft::kMtp; 0 without
  std::uint64_t context_length = 0;     ///< most positions of one sequence
  std::uint32_t slots = kDefaultSlots;  ///< most live sequences, all of which may be in one step
  std::uint32_t rows_per_step = 0;      ///< most rows of logits of a step; less than slots: slots
  std::uint32_t max_tokens_per_step = kDefaultMaxTokensPerStep;  ///< better at least slots + 64
  /// About the time that a step may take while somebody decodes. Zero: any. It bounds steps only where
  /// results do not depend on where chunks end.
  std::chrono::milliseconds max_step_time = kDefaultMaxStepTime;
  /// What the times of steps are taken with.
  std::function<std::chrono::steady_clock::time_point()> step_clock =
      std::chrono::steady_clock::now;
  /// States kept for later prompts, if the model does not truncate anywhere.
  std::uint32_t max_checkpoints = kDefaultMaxCheckpoints;
  Speculation speculation;
  RequestLimits limits;
  std::unique_ptr<StepModel> steps;
};

}  // namespace vernal
