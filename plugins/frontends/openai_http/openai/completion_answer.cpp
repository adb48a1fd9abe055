#include "openai_http/openai/completion_answer.hpp"

#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "openai_http/openai/usage.hpp"
#include "openai_http/protocol/event_stream.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// What the stream and the document share: the numbers of choices, and their logprobs.
class CompletionAnswer : public Answer {
 public:
  CompletionAnswer(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)),
        num_choices_(request.num_choices),
        num_alternatives_(request.num_alternatives),
        wants_logprobs_(request.wants_logprobs),
        logprobs_(request.prompts.size() * request.num_choices),
        echoed_(echoed_texts(request)),
        echoes_own_(request.prompts.size()),
        usage_(request.num_choices) {}

  void on_event(std::size_t prompt, const vernal_event& event, std::string& out) override {
    const std::size_t index = prompt * num_choices_ + event.choice;
    if (event.type == VERNAL_EVENT_FINISHED) {
      usage_.add(event);
    } else if (event.type == VERNAL_EVENT_PROMPT) {
      echo(prompt, event, out);
    } else if (event.choice >= num_choices_ || index >= logprobs_.size()) {
      return;
    } else if (event.type == VERNAL_EVENT_DELTA) {
      see(event, out);
      if (wants_logprobs_) logprobs_[index].add(event, num_alternatives_);
      const bool has_logprobs = wants_logprobs_ && event.num_logprobs > 0;
      if (event.text.size > 0 || has_logprobs) add_text(index, view(event.text), out);
    } else if (event.type == VERNAL_EVENT_CHOICE_FINISHED) {
      finish_choice(index, finish_reason_name(event.finish_reason), out);
    }
  }

 protected:
  /// An event is about to become text.
  virtual void see(const vernal_event& /*event*/, std::string& /*out*/) {}
  virtual void add_text(std::size_t index, std::string_view text, std::string& out) = 0;
  virtual void finish_choice(std::size_t index, std::string_view reason, std::string& out) = 0;

  json::object envelope() const {
    return {{"id", identity_.id},
            {"object", "text_completion"},
            {"created", identity_.created},
            {"model", identity_.model}};
  }

  /// One element of "choices". An empty `reason` stands for null.
  json::object choice(std::size_t index, std::string_view text, std::string_view reason) {
    json::object out{{"index", index}, {"text", text}, {"logprobs", nullptr}};
    out["finish_reason"] = reason.empty() ? json::value(nullptr) : json::value(reason);
    if (wants_logprobs_) out["logprobs"] = logprobs_[index].take();
    return out;
  }

  std::size_t num_all_choices() const noexcept { return logprobs_.size(); }
  const Usage& usage() const noexcept { return usage_; }

 private:
  static std::vector<std::string> echoed_texts(const GenerationRequest& request) {
    std::vector<std::string> texts;
    for (const EnginePrompt& prompt : request.prompts) texts.push_back(prompt.echoed);
    return texts;
  }

  /// A part of the prompt. The client's own text is given back as it was sent, with the first part;
  /// if it sent tokens, the engine's text of them.
  void echo(std::size_t prompt, const vernal_event& event, std::string& out) {
    if (prompt >= echoed_.size()) return;
    std::string& own = echoed_[prompt];
    const bool begins_own = !own.empty();
    if (begins_own) echoes_own_[prompt] = true;
    const std::string text =
        echoes_own_[prompt] ? std::exchange(own, {}) : std::string(view(event.text));
    for (std::size_t i = 0; i < num_choices_; ++i) {
      const std::size_t index = prompt * num_choices_ + i;
      if (begins_own) logprobs_[index].begin_with(text);
      if (wants_logprobs_) logprobs_[index].add(event, num_alternatives_);
      add_text(index, text, out);
    }
  }

  AnswerIdentity identity_;
  std::uint32_t num_choices_;
  std::uint32_t num_alternatives_;
  bool wants_logprobs_;
  std::vector<CompletionLogprobs> logprobs_;
  std::vector<std::string> echoed_;  // by prompt: what the client sent and has not got back
  std::vector<bool> echoes_own_;
  Usage usage_;
};

class CompletionStream final : public CompletionAnswer {
 public:
  CompletionStream(const GenerationRequest& request, AnswerIdentity identity)
      : CompletionAnswer(request, std::move(identity)),
        num_choices_(request.num_choices),
        include_usage_(request.include_usage),
        timings_per_token_(request.timings_per_token),
        reports_progress_(request.reports_progress) {}

  void begin(std::string&) override {}
  void on_event(std::size_t prompt, const vernal_event& event, std::string& out) override {
    const bool is_progress =
        event.type == VERNAL_EVENT_STARTED || event.type == VERNAL_EVENT_PROGRESS;
    if (reports_progress_ && is_progress) append_progress(prompt, event, out);
    CompletionAnswer::on_event(prompt, event, out);
  }
  void keep_alive(std::string& out) override { append_choice(0, "", "", out); }
  void end(std::string& out) override {
    if (include_usage_) {
      json::object chunk = envelope();
      chunk["choices"] = json::array();
      chunk["usage"] = usage().to_json();
      chunk["timings"] = usage().timings();
      append_event(out, chunk);
    }
    append_done(out);
  }
  void fail(const ApiError& error, std::string& out) override {
    out += "data: ";
    out += render_error(error, Dialect::kOpenAi, {});
    out += "\n\n";
  }

 private:
  void add_text(std::size_t index, std::string_view text, std::string& out) override {
    append_choice(index, text, "", out);
  }
  void finish_choice(std::size_t index, std::string_view reason, std::string& out) override {
    append_choice(index, "", reason, out);
  }
  void see(const vernal_event& event, std::string&) override {
    if (timings_per_token_) timings_ = timings_so_far(event, num_choices_);
    if (std::exchange(reports_progress_, false)) progress_ = prompt_progress(event);  // all done
  }
  void append_progress(std::size_t prompt, const vernal_event& event, std::string& out) {
    progress_ = prompt_progress(event);
    append_choice(prompt * num_choices_, "", "", out);
  }
  void append_choice(std::size_t index, std::string_view text, std::string_view reason,
                     std::string& out) {
    json::object chunk = envelope();
    json::array choices;
    choices.push_back(choice(index, text, reason));
    chunk["choices"] = std::move(choices);
    add_warnings(chunk);
    if (include_usage_) chunk["usage"] = nullptr;
    if (!timings_.empty()) chunk["timings"] = std::exchange(timings_, {});
    if (!progress_.empty()) chunk["prompt_progress"] = std::exchange(progress_, {});
    append_event(out, chunk);
  }

  std::uint32_t num_choices_;
  bool include_usage_;
  bool timings_per_token_;
  bool reports_progress_;
  json::object timings_;   // for the next chunk
  json::object progress_;  // for the next chunk
};

class CompletionDocument final : public CompletionAnswer {
 public:
  CompletionDocument(const GenerationRequest& request, AnswerIdentity identity)
      : CompletionAnswer(request, std::move(identity)),
        texts_(num_all_choices()),
        reasons_(num_all_choices(), "stop") {}

  void begin(std::string&) override {}
  void keep_alive(std::string&) override {}
  void end(std::string& out) override {
    json::object document = envelope();
    json::array choices;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      choices.push_back(choice(i, texts_[i], reasons_[i]));
    }
    document["choices"] = std::move(choices);
    document["usage"] = usage().to_json();
    document["timings"] = usage().timings();
    add_warnings(document);
    out += to_text(document);
  }
  void fail(const ApiError&, std::string&) override {}

 private:
  void add_text(std::size_t index, std::string_view text, std::string&) override {
    texts_[index] += text;
  }
  void finish_choice(std::size_t index, std::string_view reason, std::string&) override {
    reasons_[index] = reason;
  }

  std::vector<std::string> texts_;
  std::vector<std::string_view> reasons_;
};

}  // namespace

std::unique_ptr<Answer> make_completion_answer(const GenerationRequest& request,
                                               AnswerIdentity identity) {
  if (request.is_streamed) return std::make_unique<CompletionStream>(request, std::move(identity));
  return std::make_unique<CompletionDocument>(request, std::move(identity));
}

}  // namespace vernal::openai_http
