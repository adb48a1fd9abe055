#include "stdin_repl/answer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vernal::stdin_repl {
namespace {

class ScopedCount {
 public:
  explicit ScopedCount(std::atomic<std::uint64_t>& count) : count_(count) { ++count_; }
  ~ScopedCount() { --count_; }
  ScopedCount(const ScopedCount&) = delete;
  ScopedCount& operator=(const ScopedCount&) = delete;

 private:
  std::atomic<std::uint64_t>& count_;
};

void add_delta(const vernal_event& event, Answer& answer) {
  if (event.channel == VERNAL_CHANNEL_CONTENT) answer.content += view(event.text);
  if (event.channel == VERNAL_CHANNEL_REASONING) answer.reasoning += view(event.text);
}

void end_with(const vernal_event& event, bool is_cancelled, Answer& answer) {
  if (event.type == VERNAL_EVENT_FINISHED) {
    answer.end = Answer::End::kComplete;
    answer.stats.prompt_tokens = event.prompt_tokens;
    answer.stats.cached_tokens = event.cached_tokens;
    answer.stats.completion_tokens = event.completion_tokens;
    answer.stats.decoded_tokens =
        event.completion_tokens - std::min<std::uint64_t>(event.completion_tokens, 1);
    answer.stats.prefill_us = event.prefill_us;
    answer.stats.decode_us = event.decode_us;
    return;
  }
  const bool is_our_doing = is_cancelled && event.code == VERNAL_CANCELLED;
  answer.end = is_our_doing ? Answer::End::kStopped : Answer::End::kFailed;
  answer.code = event.code;
  answer.error = view(event.text);
  if (answer.error.empty()) answer.error = std::string(status_name(event.code));
}

std::string speed(std::uint64_t num_tokens, std::uint64_t duration_us) {
  if (num_tokens == 0 || duration_us == 0) return {};
  return fmt::format(" ({:.1f} tokens/s)",
                     1e6 * static_cast<double>(num_tokens) / static_cast<double>(duration_us));
}

double seconds(std::uint64_t duration_us) { return 1e-6 * static_cast<double>(duration_us); }

}  // namespace

std::string describe(const AnswerStats& stats) {
  std::string text = fmt::format("{} tokens in {:.1f} s{}; prompt {} tokens",
                                 stats.completion_tokens, seconds(stats.decode_us),
                                 speed(stats.decoded_tokens, stats.decode_us), stats.prompt_tokens);
  if (stats.cached_tokens > 0) text += fmt::format(", {} of them reused,", stats.cached_tokens);
  const std::uint64_t num_prefilled =
      stats.prompt_tokens - std::min(stats.cached_tokens, stats.prompt_tokens);
  text += fmt::format(" in {:.1f} s{}", seconds(stats.prefill_us),
                      speed(num_prefilled, stats.prefill_us));
  return text;
}

Answer AnswerClient::ask(std::string_view model, std::string_view document,
                         AnswerPrinter& printer) {
  const ScopedCount count(num_active_);
  SubmitArgs args;
  args.model = model;
  args.request_json = document;
  args.on_ready = [](void* user, vernal_request_id) { static_cast<Attention*>(user)->notify(); };
  args.user = &attention_;
  const Submission sent = engine_.submit(args);
  Answer answer;
  if (sent.accepted()) {
    answer = follow(sent.request, printer);
  } else {
    answer.code = sent.status;
    answer.error = sent.reason;
  }
  printer.finish(answer);
  return answer;
}

Answer AnswerClient::follow(const EngineRequest& request, AnswerPrinter& printer) {
  Answer answer;
  bool is_cancelled = false;
  vernal_event event;
  for (;;) {
    const bool is_unwanted = attention_.take_interrupt() || attention_.is_stopping();
    if (is_unwanted && !is_cancelled) {
      request.cancel("stopped at the console");
      is_cancelled = true;
    }
    if (!request.poll(event)) {
      attention_.wait();
    } else if (is_terminal(event)) {
      end_with(event, is_cancelled, answer);
      return answer;
    } else if (!is_cancelled) {
      if (event.type == VERNAL_EVENT_DELTA) add_delta(event, answer);
      if (event.type == VERNAL_EVENT_CHOICE_FINISHED) answer.finish_reason = event.finish_reason;
      printer.show(event);
    }
  }
}

}  // namespace vernal::stdin_repl
