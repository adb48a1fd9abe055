#include "engine/request/intake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "engine/request/answer_rules.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

Prompt make_prompt(SubmittedRequest& submitted, const RequestDocument& document) {
  if (!submitted.has_tokens) {
    return submitted.model->prompts().prompt(document);
  }
  const Tokenizer& tokenizer = *submitted.model->model().tokenizer;
  const auto is_known = [&](TokenId id) { return tokenizer.contains(id); };
  if (!std::all_of(submitted.tokens.begin(), submitted.tokens.end(), is_known)) {
    throw invalid_value("prompt",
                        fmt::format("Invalid value for 'prompt': expected token ids from 0 to {}.",
                                    tokenizer.size() - 1));
  }
  return {.tokens = std::move(submitted.tokens), .warnings = {}};
}

// The one sentence about a prompt that does not fit. Agents know this wording and answer it by
// compressing their conversation, so frontends pass it on as it stands. `field` is what the client
// sent, "messages" or "prompt".
RequestError context_overflow(std::string_view field, std::uint64_t context_length,
                              std::uint64_t num_tokens) {
  return {
      "context_length_exceeded",
      {.param = std::string(field), .context_length = context_length, .prompt_tokens = num_tokens},
      fmt::format("This model's maximum context length is {} tokens. However, your {} resulted "
                  "in {} tokens. Please reduce the length of the {}.",
                  context_length, field, num_tokens, field)};
}

void check_biases(const SamplingOptions& sampling, const Tokenizer& tokenizer) {
  for (const LogitBias& bias : sampling.logit_bias) {
    if (tokenizer.contains(bias.token)) continue;
    const std::string path = fmt::format("sampling.logit_bias.{}", bias.token);
    throw invalid_value(
        path, fmt::format("Invalid value for '{}': expected a token id from 0 to {}.", path,
                          tokenizer.size() - 1));
  }
}

// Every token of a text gets its bias, the text as it would stand within a text.
void add_text_biases(RequestDocument& document, const Tokenizer& tokenizer) {
  for (const TextBias& bias : document.text_biases) {
    for (const TokenId token : tokenizer.encode(bias.text)) {
      document.sampling.logit_bias.push_back({token, bias.bias});
    }
  }
}

// What the settings of a request leave without effect.
void warn_of_sampling(const SamplingOptions& sampling, Warnings& warnings) {
  const bool truncates = sampling.top_k > 0 || sampling.top_p < 1.0 || sampling.min_p > 0.0 ||
                         sampling.typical_p < 1.0 || sampling.top_n_sigma > 0.0 ||
                         sampling.xtc_probability > 0.0;
  if (sampling.mirostat != 0 && truncates) {
    warnings.push_back(
        "Mirostat takes the place of top_k, top_p, min_p, typical_p, top_n_sigma and xtc, which "
        "have no effect beside it.");
  }
}

// Has the document ask for what an embedding takes.
void prepare_embedding(RequestDocument& document, const LoadedModel& model) {
  if (model.pooling == Pooling::kNone) {
    throw unsupported_parameter(
        "kind",
        "Unsupported parameter: this model gives no embeddings; its table in the deployment has to "
        "say pooling = \"last\" or \"mean\".");
  }
  document.n = 1;
  document.max_tokens = 1;
  // The mean is over all tokens of the prompt, so all have to be computed.
  if (model.pooling == Pooling::kMean) document.reuses_prompt = false;
}

PreparedRequest prepare(SubmittedRequest& submitted, Warnings& warnings) {
  const LoadedModel& model = submitted.model->model();
  PreparedRequest prepared;
  prepared.request = submitted.request;
  prepared.document = parse_request(submitted.document, *submitted.defaults, submitted.has_tokens);
  check_biases(prepared.document.sampling, *model.tokenizer);
  add_text_biases(prepared.document, *model.tokenizer);
  Prompt prompt = make_prompt(submitted, prepared.document);
  prepared.answer = submitted.model->answers().format_of(prepared.document, prompt);
  prepared.prompt = std::move(prompt.tokens);
  warnings = std::move(prompt.warnings);
  prepared.rules = answer_rules(submitted.model->grammars(), prepared.document, prepared.answer,
                                *model.tokenizer, warnings);
  // The prompt shows all tools; the answer is read with those that may be called.
  std::erase_if(prepared.document.tools, [&](const ToolDefinition& tool) {
    return !prepared.document.tool_choice.allows(tool.name);
  });
  if (prepared.prompt.empty()) {
    throw invalid_value("prompt",
                        "Invalid value for 'prompt': it has no tokens; at least one is needed.");
  }
  const std::uint64_t num_tokens = prepared.prompt.size();
  if (prepared.document.is_embedding) prepare_embedding(prepared.document, model);
  // An embedding needs no room for an answer.
  const std::uint64_t room = prepared.document.is_embedding ? 0 : 1;
  if (num_tokens + room > model.context_length) {
    throw context_overflow(prepared.document.messages ? "messages" : "prompt", model.context_length,
                           num_tokens);
  }
  const std::uint64_t most = std::max<std::uint64_t>(model.context_length - num_tokens, 1);
  const std::uint64_t wanted = prepared.document.max_tokens.value_or(most);
  prepared.max_new_tokens = std::min(wanted, most);
  if (wanted > most) {
    warnings.push_back(
        fmt::format("The output budget of {} tokens was cut to the {} that fit.", wanted, most));
  }
  warn_of_sampling(prepared.document.sampling, warnings);
  prepared.seed = prepared.document.seed ? *prepared.document.seed : random_seed();
  return prepared;
}

Event accepted(const PreparedRequest& prepared, const LoadedModel& model,
               const Warnings& warnings) {
  Event event;
  event.type = VERNAL_EVENT_ACCEPTED;
  event.prompt_tokens = prepared.prompt.size();
  event.context_length = model.context_length;
  event.text = fmt::format("{}", fmt::join(warnings, "\n"));
  return event;
}

void process(SubmittedRequest& submitted) noexcept {
  Request& request = *submitted.request;
  try {
    if (!request.has_ended() && !request.is_cancelled()) {
      Warnings warnings;
      PreparedRequest prepared = prepare(submitted, warnings);
      if (!request.is_cancelled()) {
        request.events().push(accepted(prepared, submitted.model->model(), warnings));
        submitted.model->accept(std::move(prepared));
        return;
      }
    }
    request.fail_cancelled();
  } catch (const std::exception& error) {
    request.fail(error);
  } catch (...) {
    request.fail(VERNAL_INTERNAL, "An error of unknown type.");
  }
}

}  // namespace

Intake::Intake(std::size_t num_threads, std::size_t max_bytes) : max_bytes_(max_bytes) {
  threads_.reserve(num_threads);
  try {
    for (std::size_t i = 0; i < num_threads; ++i) {
      threads_.emplace_back([this] { run(); });
    }
  } catch (...) {
    stop();  // those that run; a thread that is not joined would end the process
    throw;
  }
}

Intake::~Intake() { stop(); }

bool Intake::submit(SubmittedRequest submitted) {
  const std::lock_guard lock(mutex_);
  const std::size_t num_bytes = submitted.num_bytes();
  const bool is_too_much = num_bytes_ > 0 && num_bytes_ + num_bytes > max_bytes_;
  if (must_stop_ || is_too_much) {
    return false;
  }
  waiting_.push_back(std::move(submitted));
  num_bytes_ += num_bytes;
  arrived_.notify_one();
  return true;
}

void Intake::hurry(const Request& request) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(
      waiting_.begin(), waiting_.end(),
      [&](const SubmittedRequest& submitted) { return submitted.request.get() == &request; });
  if (found != waiting_.end()) {
    std::rotate(waiting_.begin(), found, found + 1);
  }
}

void Intake::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    must_stop_ = true;
    arrived_.notify_all();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
  SubmittedRequest left;
  while (take_waiting(left)) {
    left.request->fail(VERNAL_UNAVAILABLE, "The server is stopping.");
  }
}

bool Intake::take_waiting(SubmittedRequest& out) noexcept {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    return false;
  }
  out = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void Intake::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return must_stop_ || !waiting_.empty(); });
    if (must_stop_) {
      return;
    }
    SubmittedRequest submitted = std::move(waiting_.front());
    waiting_.pop_front();
    const std::size_t num_bytes = submitted.num_bytes();
    lock.unlock();
    process(submitted);
    submitted = {};  // a request may end here for good: not under the lock
    lock.lock();
    num_bytes_ -= num_bytes;
  }
}

}  // namespace vernal
