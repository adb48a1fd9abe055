#include "stdin_repl/chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "stdin_repl/answer_printer.hpp"
#include "stdin_repl/nearest_name.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

ModelInfo find_model(const std::vector<ModelInfo>& models, std::string_view name) {
  std::vector<std::string_view> names;
  for (const ModelInfo& model : models) {
    if (model.id == name) return model;
    names.push_back(model.id);
  }
  const std::string_view nearest = nearest_name(name, names);
  throw Error(VERNAL_NOT_FOUND,
              nearest.empty()
                  ? fmt::format("there is no model \"{}\"; /model lists them", name)
                  : fmt::format("there is no model \"{}\"; did you mean \"{}\"?", name, nearest));
}

void add(const AnswerStats& stats, AnswerStats& total) {
  total.prompt_tokens += stats.prompt_tokens;
  total.cached_tokens += stats.cached_tokens;
  total.completion_tokens += stats.completion_tokens;
  total.decoded_tokens += stats.decoded_tokens;
  total.prefill_us += stats.prefill_us;
  total.decode_us += stats.decode_us;
}

}  // namespace

ModelInfo choose_model(const EngineClient& engine, const Settings& settings) {
  const std::vector<ModelInfo> models = engine.models();
  if (models.empty()) throw Error(VERNAL_NOT_FOUND, "the deployment has no model");
  return settings.model.empty() ? models.front() : find_model(models, settings.model);
}

GenerationOptions initial_options(const Settings& settings) {
  GenerationOptions options;
  if (settings.max_tokens) options.set("max_tokens", std::to_string(*settings.max_tokens));
  return options;
}

std::string next_request(const ModelInfo& model, const Conversation& conversation,
                         const GenerationOptions& options) {
  return model.has_chat_template
             ? conversation.request(options)
             : completion_request(conversation.messages.back().content, options);
}

Chat::Chat(const EngineClient& engine, AnswerClient& answers, const Screen& screen,
           const Settings& settings)
    : engine_(engine),
      answers_(answers),
      screen_(screen),
      model_(choose_model(engine, settings)),
      options_(initial_options(settings)),
      shows_stats_(settings.shows_stats) {
  conversation_.system = settings.system;
}

void Chat::ask(std::string text) {
  conversation_.messages.push_back({"user", std::move(text), {}});
  if (!answer_last()) conversation_.messages.pop_back();
}

void Chat::regenerate() {
  std::optional<Message> replaced;
  if (conversation_.ends_with("assistant")) {
    replaced = std::move(conversation_.messages.back());
    conversation_.messages.pop_back();
  }
  const bool has_question = conversation_.ends_with("user");
  const bool is_answered = has_question && answer_last();
  if (!is_answered && replaced) conversation_.messages.push_back(std::move(*replaced));
  if (!has_question) throw Error(VERNAL_NOT_FOUND, "there is no question to answer again");
}

// Answers the last message of the conversation, which is the user's. False if there is no answer.
bool Chat::answer_last() {
  TerminalPrinter printer(screen_);
  const std::string document = next_request(model_, conversation_, options_);
  Answer answer = answers_.ask(model_.id, document, printer);
  if (answer.end == Answer::End::kComplete) {
    last_ = answer.stats;
    add(answer.stats, total_);
    ++num_answers_;
    if (shows_stats_) screen_.note(describe(answer.stats));
  }
  const bool is_kept = answer.end == Answer::End::kComplete ||
                       (answer.end == Answer::End::kStopped && !answer.content.empty());
  if (is_kept) {
    conversation_.messages.push_back(
        {"assistant", std::move(answer.content), std::move(answer.reasoning)});
  }
  return is_kept;
}

void Chat::change_model(std::string_view name) { model_ = find_model(models(), name); }

void Chat::announce_model() const {
  if (model_.has_chat_template) return;
  screen_.note(
      fmt::format("{} has no chat template: each input is text that it continues, without "
                  "what was said before",
                  model_.id));
}

std::vector<std::string> Chat::stats_lines() const {
  if (num_answers_ == 0) return {"no answer yet"};
  return {fmt::format("last answer: {}", describe(last_)),
          fmt::format("{} answers: {}", num_answers_, describe(total_)),
          fmt::format("context: {} of {} tokens", last_.prompt_tokens + last_.completion_tokens,
                      model_.context_length)};
}

}  // namespace vernal::stdin_repl
