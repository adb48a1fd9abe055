#include "openai_http/native/completion_answer.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "openai_http/native/native_request.hpp"
#include "openai_http/openai/usage.hpp"
#include "openai_http/protocol/event_stream.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "vernal/engine_client.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

using NativeClock = std::chrono::steady_clock;

constexpr double kNoLogprob = -9999.0;  // JSON has no infinity

std::string_view stop_type_of(std::uint32_t finish_reason) {
  switch (finish_reason) {
    case VERNAL_FINISH_STOP_STRING:
      return "word";
    case VERNAL_FINISH_LENGTH:
      return "limit";
    default:
      return "eos";
  }
}

json::object native_candidate(const vernal_candidate& candidate) {
  const std::string_view text = view(candidate.bytes);
  json::array bytes;
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  const double logprob =
      std::isfinite(candidate.logprob) ? std::min(candidate.logprob, 0.0) : kNoLogprob;
  return {{"id", candidate.token},
          {"token", to_valid_utf8(text)},
          {"bytes", std::move(bytes)},
          {"logprob", logprob}};
}

/// Times and counts of one prompt, as they are known.
struct NativeCounts {
  std::uint64_t cached = 0;
  std::uint64_t computed = 0;  // of the prompt
  std::uint64_t predicted = 0;
  double prompt_ms = 0;
  double predicted_ms = 0;

  json::object to_json() const {
    const auto each = [](double ms, std::uint64_t count) {
      return count == 0 ? 0.0 : ms / static_cast<double>(count);
    };
    const auto rate = [](double ms, std::uint64_t count) {
      return ms <= 0 ? 0.0 : static_cast<double>(count) * 1e3 / ms;
    };
    // The first token comes out of the prompt's computation.
    const std::uint64_t decoded = predicted - std::min<std::uint64_t>(predicted, 1);
    return {{"cache_n", cached},
            {"prompt_n", computed},
            {"prompt_ms", prompt_ms},
            {"prompt_per_token_ms", each(prompt_ms, computed)},
            {"prompt_per_second", rate(prompt_ms, computed)},
            {"predicted_n", predicted},
            {"predicted_ms", predicted_ms},
            {"predicted_per_token_ms", each(predicted_ms, decoded)},
            {"predicted_per_second", rate(predicted_ms, decoded)}};
  }
};

/// One choice of one prompt.
struct NativeChoice {
  std::string text;
  json::array tokens;
  json::array probabilities;
  std::string stopping_word;
  std::uint32_t finish_reason = VERNAL_FINISH_STOP;
  std::uint64_t num_tokens = 0;
  bool has_new_line = false;
};

struct NativePrompt {
  std::uint64_t num_tokens = 0;  // known once the engine began
  std::uint64_t cached = 0;
  std::uint64_t slot = 0;  // from 1; 0: not told
  NativeClock::time_point started{};
  NativeClock::time_point first_token{};
  bool has_first_token = false;
};

double milliseconds_between(NativeClock::time_point from, NativeClock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// What the stream and the document share.
class NativeAnswer : public Answer {
 public:
  NativeAnswer(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)),
        native_(request.native),
        num_choices_(request.num_choices),
        num_alternatives_(request.num_alternatives),
        wants_logprobs_(request.wants_logprobs),
        prompts_(request.prompts.size()),
        choices_(request.prompts.size() * request.num_choices) {}

  void begin(std::string&) override {}
  void on_event(std::size_t prompt, const vernal_event& event, std::string& out) override {
    const std::size_t index = prompt * num_choices_ + event.choice;
    if (prompt >= prompts_.size() || event.choice >= num_choices_) return;
    if (event.prompt_tokens > 0) prompts_[prompt].num_tokens = event.prompt_tokens;
    switch (event.type) {
      case VERNAL_EVENT_STARTED:
        prompts_[prompt].cached = event.cached_tokens;
        prompts_[prompt].slot = event.slot;
        prompts_[prompt].started = NativeClock::now();
        break;
      case VERNAL_EVENT_PROGRESS:
        prompts_[prompt].num_tokens = event.total;
        add_progress(prompt, event, out);
        break;
      case VERNAL_EVENT_DELTA:
        add_delta(prompt, index, event, out);
        break;
      case VERNAL_EVENT_CHOICE_FINISHED:
        choices_[index].finish_reason = event.finish_reason;
        choices_[index].stopping_word = view(event.text);
        break;
      case VERNAL_EVENT_FINISHED:
        finish_prompt(prompt, event, out);
        break;
      default:
        break;
    }
  }

 protected:
  virtual void add_progress(std::size_t prompt, const vernal_event& event, std::string& out) = 0;
  /// The newest text of a choice; `tokens` and `probabilities` belong to it.
  virtual void add_text(std::size_t index, json::object piece, std::string& out) = 0;
  virtual void finish_choice(std::size_t index, json::object last, std::string& out) = 0;

  const NativeRequest& native() const noexcept { return *native_; }
  std::size_t num_all_choices() const noexcept { return choices_.size(); }
  const NativePrompt& prompt(std::size_t number) const { return prompts_[number]; }
  NativeChoice& choice(std::size_t index) { return choices_[index]; }
  std::size_t prompt_of(std::size_t index) const noexcept { return index / num_choices_; }
  std::size_t first_choice_of(std::size_t number) const noexcept { return number * num_choices_; }

  /// {"index", "content", "tokens", "stop", "id_slot", "tokens_predicted", "tokens_evaluated"}.
  json::object envelope(std::size_t index, std::string_view content, bool is_last) const {
    const NativePrompt& own = prompts_[prompt_of(index)];
    return {{"index", index},
            {"content", content},
            {"tokens", json::array()},
            {"stop", is_last},
            {"id_slot", own.slot == 0 ? json::value(-1) : json::value(own.slot - 1)},
            {"tokens_predicted", choices_[index].num_tokens},
            {"tokens_evaluated", own.num_tokens}};
  }

  json::object timings_now(std::size_t index) const {
    const NativePrompt& own = prompts_[prompt_of(index)];
    const NativeClock::time_point now = NativeClock::now();
    NativeCounts counts;
    counts.cached = own.cached;
    counts.computed = own.num_tokens - std::min(own.num_tokens, own.cached);
    counts.predicted = choices_[index].num_tokens;
    counts.prompt_ms =
        milliseconds_between(own.started, own.has_first_token ? own.first_token : now);
    if (own.has_first_token) counts.predicted_ms = milliseconds_between(own.first_token, now);
    return counts.to_json();
  }

 private:
  void add_delta(std::size_t prompt_number, std::size_t index, const vernal_event& event,
                 std::string& out) {
    NativePrompt& own = prompts_[prompt_number];
    if (!own.has_first_token) own.first_token = NativeClock::now();
    own.has_first_token = true;
    NativeChoice& added = choices_[index];
    if (native_->discards_text) return;
    const std::string_view text = view(event.text);
    added.num_tokens += event.num_tokens;
    added.has_new_line = added.has_new_line || text.find('\n') != std::string_view::npos;
    json::object piece = envelope(index, text, false);
    json::array tokens;
    for (const std::int32_t token : tokens_of(event)) tokens.push_back(token);
    piece["tokens"] = std::move(tokens);
    if (wants_logprobs_ && event.num_logprobs > 0) {
      piece["completion_probabilities"] = probabilities_of(event);
    }
    add_text(index, std::move(piece), out);
  }

  json::array probabilities_of(const vernal_event& event) const {
    json::array positions;
    for (const vernal_token_logprob& position : logprobs_of(event)) {
      json::object entry = native_candidate(position.chosen);
      json::array alternatives;
      for (const vernal_candidate& candidate : alternatives_of(position)) {
        if (alternatives.size() == num_alternatives_) break;
        alternatives.push_back(native_candidate(candidate));
      }
      entry["top_logprobs"] = std::move(alternatives);
      positions.push_back(std::move(entry));
    }
    return positions;
  }

  void finish_prompt(std::size_t number, const vernal_event& event, std::string& out) {
    prompts_[number].num_tokens = event.prompt_tokens;
    NativeCounts counts;
    counts.cached = event.cached_tokens;
    counts.computed = event.prompt_tokens - std::min(event.prompt_tokens, event.cached_tokens);
    counts.prompt_ms = static_cast<double>(event.prefill_us) / 1e3;
    counts.predicted_ms = static_cast<double>(event.decode_us) / 1e3;
    for (std::size_t i = number * num_choices_; i < (number + 1) * num_choices_; ++i) {
      NativeChoice& finished = choices_[i];
      // The token that ended the answer gives no text; it counts all the same.
      if (num_choices_ == 1 && !native_->discards_text)
        finished.num_tokens = event.completion_tokens;
      counts.predicted = finished.num_tokens;
      finish_choice(i, last_of(i, event, counts), out);
    }
  }

  json::object last_of(std::size_t index, const vernal_event& event, const NativeCounts& counts) {
    const NativeChoice& finished = choices_[index];
    json::object last = envelope(index, "", true);
    last["model"] = identity_.model;
    last["generation_settings"] = native_->settings;
    last["prompt"] = to_valid_utf8(native_->prompt_texts.at(prompt_of(index)));
    last["has_new_line"] = finished.has_new_line;
    last["truncated"] = false;
    last["stop_type"] =
        native_->discards_text ? std::string_view("limit") : stop_type_of(finished.finish_reason);
    last["stopping_word"] = finished.stopping_word;
    last["tokens_cached"] = event.prompt_tokens + finished.num_tokens;
    last["timings"] = counts.to_json();
    return last;
  }

  AnswerIdentity identity_;
  std::shared_ptr<const NativeRequest> native_;  // shared with the request
  std::uint32_t num_choices_;
  std::uint32_t num_alternatives_;
  bool wants_logprobs_;
  std::vector<NativePrompt> prompts_;
  std::vector<NativeChoice> choices_;
};

class NativeStream final : public NativeAnswer {
 public:
  using NativeAnswer::NativeAnswer;

  void keep_alive(std::string& out) override { append_event(out, envelope(0, "", false)); }
  void end(std::string&) override {}
  void fail(const ApiError& error, std::string& out) override {
    out += "data: ";
    out += render_error(error, Dialect::kNative, {});
    out += "\n\n";
  }

 private:
  void add_progress(std::size_t number, const vernal_event& event, std::string& out) override {
    if (!native().returns_progress) return;
    json::object chunk = envelope(first_choice_of(number), "", false);
    const double ms = milliseconds_between(prompt(number).started, NativeClock::now());
    chunk["prompt_progress"] = json::object{{"total", event.total},
                                            {"cache", prompt(number).cached},
                                            {"processed", event.done},
                                            {"time_ms", ms}};
    append_event(out, chunk);
  }
  void add_text(std::size_t index, json::object piece, std::string& out) override {
    const bool has_probabilities = piece.contains("completion_probabilities");
    if (piece["content"].get_string().empty() && !has_probabilities) return;
    if (native().returns_timings) piece["timings"] = timings_now(index);
    add_warnings(piece);
    append_event(out, piece);
  }
  void finish_choice(std::size_t, json::object last, std::string& out) override {
    add_warnings(last);
    append_event(out, native().response_fields.empty()
                          ? last
                          : select_members(last, native().response_fields));
  }
};

class NativeDocument final : public NativeAnswer {
 public:
  NativeDocument(const GenerationRequest& request, AnswerIdentity identity)
      : NativeAnswer(request, std::move(identity)), documents_(num_all_choices()) {}

  void keep_alive(std::string&) override {}
  void end(std::string& out) override {
    if (documents_.size() == 1) {
      out += to_text(documents_.front());
      return;
    }
    json::array all;
    for (json::object& document : documents_) all.push_back(std::move(document));
    out += to_text(json::value(std::move(all)));
  }
  void fail(const ApiError&, std::string&) override {}

 private:
  void add_progress(std::size_t, const vernal_event&, std::string&) override {}
  void add_text(std::size_t index, json::object piece, std::string&) override {
    NativeChoice& added = choice(index);
    added.text += text_of(piece["content"].get_string());
    if (native().returns_tokens) {
      for (json::value& token : piece["tokens"].get_array()) added.tokens.push_back(token);
    }
    if (json::value* const positions = piece.if_contains("completion_probabilities")) {
      for (json::value& position : positions->get_array()) {
        added.probabilities.push_back(std::move(position));
      }
    }
  }
  void finish_choice(std::size_t index, json::object last, std::string&) override {
    NativeChoice& finished = choice(index);
    last["content"] = finished.text;
    last["tokens"] = std::move(finished.tokens);
    if (!finished.probabilities.empty()) {
      last["completion_probabilities"] = std::move(finished.probabilities);
    }
    add_warnings(last);
    documents_[index] = native().response_fields.empty()
                            ? std::move(last)
                            : select_members(last, native().response_fields);
  }

  std::vector<json::object> documents_;
};

}  // namespace

json::object select_members(const json::object& object, const std::vector<std::string>& paths) {
  json::object out;
  for (const std::string& path : paths) {
    const json::value* found = nullptr;
    const json::object* in = &object;
    std::string_view rest = path;
    std::string_view name;
    while (in != nullptr && !rest.empty()) {
      const std::size_t slash = rest.find('/');
      name = rest.substr(0, slash);
      rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
      found = in->if_contains(name);
      in = found == nullptr ? nullptr : found->if_object();
    }
    if (found != nullptr && rest.empty()) out[name] = *found;
  }
  return out;
}

std::unique_ptr<Answer> make_native_answer(const GenerationRequest& request,
                                           AnswerIdentity identity) {
  if (request.is_streamed) return std::make_unique<NativeStream>(request, std::move(identity));
  return std::make_unique<NativeDocument>(request, std::move(identity));
}

}  // namespace vernal::openai_http
