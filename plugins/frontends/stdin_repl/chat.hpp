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

/// The first model of the deployment, or the one the settings name. Throws Error(NOT_FOUND) if
/// there is none.
ModelInfo choose_model(const EngineClient& engine, const Settings& settings);

/// The options that the settings ask for.
GenerationOptions initial_options(const Settings& settings);

/// The vernal.request/1 document for what a conversation ends with: the whole conversation, or its
/// last message alone for a model that cannot chat.
std::string next_request(const ModelInfo& model, const Conversation& conversation,
                         const GenerationOptions& options);

/// State that the user's input and the commands act on. The console's thread. Answers appear on the
/// screen while they come.
class Chat {
 public:
  /// References outlive the object.
  Chat(const EngineClient& engine, AnswerClient& answers, const Screen& screen,
       const Settings& settings);

  /// Adds a turn. One that fails, or is stopped before any text came, leaves the conversation as it
  /// was.
  void ask(std::string text);
  /// Answers the last question again. Throws Error(NOT_FOUND) if there is none; on failure the
  /// answer that was there stays.
  void regenerate();

  const ModelInfo& model() const { return model_; }
  std::vector<ModelInfo> models() const { return engine_.models(); }
  /// Goes on with another model. Throws Error(NOT_FOUND) with the nearest name.
  void change_model(std::string_view name);
  /// Tells the user what is special about the model, if anything.
  void announce_model() const;

  Conversation& conversation() { return conversation_; }
  GenerationOptions& options() { return options_; }

  void show_stats_after_answers(bool is_shown) { shows_stats_ = is_shown; }
  /// Figures of the last answer and of all so far, a line each.
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
