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
        usage_(request.num_choices) {}

  void on_event(std::size_t prompt, const vernal_event& event, std::string& out) override {
    const std::size_t index = prompt * num_choices_ + event.choice;
    if (event.type == VERNAL_EVENT_FINISHED) {
      usage_.add(event);
    } else if (event.choice >= num_choices_ || index >= logprobs_.size()) {
      return;
    } else if (event.type == VERNAL_EVENT_DELTA) {
      if (wants_logprobs_) logprobs_[index].add(event, num_alternatives_);
      const bool has_logprobs = wants_logprobs_ && event.num_logprobs > 0;
      if (event.text.size > 0 || has_logprobs) add_text(index, view(event.text), out);
    } else if (event.type == VERNAL_EVENT_CHOICE_FINISHED) {
      finish_choice(index, finish_reason_name(event.finish_reason), out);
    }
  }

 protected:
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
  AnswerIdentity identity_;
  std::uint32_t num_choices_;
  std::uint32_t num_alternatives_;
  bool wants_logprobs_;
  std::vector<CompletionLogprobs> logprobs_;
  Usage usage_;
};

class CompletionStream final : public CompletionAnswer {
 public:
  CompletionStream(const GenerationRequest& request, AnswerIdentity identity)
      : CompletionAnswer(request, std::move(identity)), include_usage_(request.include_usage) {}

  void begin(std::string&) override {}
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
  void append_choice(std::size_t index, std::string_view text, std::string_view reason,
                     std::string& out) {
    json::object chunk = envelope();
    json::array choices;
    choices.push_back(choice(index, text, reason));
    chunk["choices"] = std::move(choices);
    add_warnings(chunk);
    if (include_usage_) chunk["usage"] = nullptr;
    append_event(out, chunk);
  }

  bool include_usage_;
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
