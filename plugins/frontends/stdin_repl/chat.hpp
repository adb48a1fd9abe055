// A conversation with a model at a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stdin_repl/answer.hpp"
#include "stdin_repl/conversation.hpp"
#include "stdin_repl/generation_options.hpp"
#include "stdin_repl/screen.hpp"
#include "stdin_repl/settings.hpp"

namespace vernal::stdin_repl {

/// The model that the settings name; if they name none, the first one of the deployment.
/// Errors   NOT_FOUND: there is none
ModelInfo choose_model(const EngineClient& engine, const Settings& settings);

/// The options that the settings ask for.
GenerationOptions initial_options(const Settings& settings);

/// The vernal.request/1 document that asks for the next message. It holds the whole conversation;
/// for a model without a chat template, only the last message.
std::string next_request(const ModelInfo& model, const Conversation& conversation,
                         const GenerationOptions& options);

/// The conversation and its settings, which the user's inputs and commands change. Answers appear
/// on the screen as they come. The console's thread.
class Chat {
 public:
  /// What the references refer to must outlive the object.
  Chat(const EngineClient& engine, AnswerClient& answers, const Screen& screen,
       const Settings& settings);

  /// Adds a turn. If it fails, or is stopped before any text came, the conversation stays as it
  /// was.
  void ask(std::string text);
  /// Answers the last question again. If that fails, the old answer stays.
  /// Errors   NOT_FOUND: there is no question
  void regenerate();

  const ModelInfo& model() const { return model_; }
  std::vector<ModelInfo> models() const { return engine_.models(); }
  /// Changes the model.
  /// Errors   NOT_FOUND: no such model; the message has the nearest name
  void change_model(std::string_view name);
  /// Tells the user if the model is special in some way.
  void announce_model() const;

  Conversation& conversation() { return conversation_; }
  GenerationOptions& options() { return options_; }

  void show_stats_after_answers(bool is_shown) { shows_stats_ = is_shown; }
  /// The figures of the last answer and of all answers, a line each.
  std::vector<std::string> stats_lines() const;

 private:
  bool answer_last();

  EngineClient engine_;
  AnswerClient& answers_;
  const Screen& screen_;
  ModelInfo model_;
  Conversation conversation_;
  GenerationOptions options_;
  bool shows_stats_;
  AnswerStats last_;
  AnswerStats total_;
  std::uint64_t num_answers_ = 0;  // complete ones
};

}  // namespace vernal::stdin_repl
