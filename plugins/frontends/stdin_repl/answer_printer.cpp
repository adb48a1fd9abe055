#include "stdin_repl/answer_printer.hpp"

#include <fmt/format.h>

#include "stdin_repl/settings.hpp"
#include "stdin_repl/utf8.hpp"

namespace vernal::stdin_repl {
namespace {

// The progress of shorter prompts is not shown: they are done before anybody could read it.
constexpr std::uint64_t kLongPromptTokens = 256;

}  // namespace

void TerminalPrinter::show(const vernal_event& event) {
  switch (event.type) {
    case VERNAL_EVENT_ACCEPTED:
      if (event.text.size > 0) screen_.note(view(event.text));
      break;
    case VERNAL_EVENT_PROGRESS:
      show_progress(event);
      break;
    case VERNAL_EVENT_DELTA:
      end_passing_line();
      show_text(view(event.text), event.channel != VERNAL_CHANNEL_CONTENT);
      break;
    default:
      break;
  }
}

void TerminalPrinter::show_progress(const vernal_event& event) {
  if (event.total < kLongPromptTokens || is_in_line_) return;
  screen_.passing(fmt::format("reading the prompt: {} of {} tokens", event.done, event.total));
  has_passing_line_ = true;
}

void TerminalPrinter::end_passing_line() {
  if (has_passing_line_) screen_.erase_line();
  has_passing_line_ = false;
}

void TerminalPrinter::show_text(std::string_view text, bool is_quiet) {
  if (text.empty()) return;
  if (is_quiet != is_quiet_) {
    if (is_in_line_) screen_.text("\n");
    screen_.set_quiet(is_quiet);
    is_quiet_ = is_quiet;
  }
  screen_.text(text);
  is_in_line_ = text.back() != '\n';
}

void TerminalPrinter::finish(const Answer& answer) {
  end_passing_line();
  if (is_quiet_) screen_.set_quiet(false);
  if (is_in_line_) screen_.text("\n");
  if (answer.end == Answer::End::kFailed) {
    screen_.error(answer.error);
  } else if (answer.end == Answer::End::kStopped) {
    screen_.note("stopped");
  } else if (answer.finish_reason == VERNAL_FINISH_LENGTH) {
    screen_.note("the answer was cut: max_tokens or the context length is reached");
  } else if (answer.content.empty()) {
    screen_.note("the answer is empty");
  }
}

void PlainPrinter::show(const vernal_event& event) {
  if (event.type == VERNAL_EVENT_DELTA && event.channel == VERNAL_CHANNEL_CONTENT) {
    const std::string_view text = view(event.text);
    if (is_terminal_) {
      console_.write(visible_text(text));
    } else {
      console_.write(text);
    }
  }
  if (event.type == VERNAL_EVENT_ACCEPTED && event.text.size > 0) {
    plugin_host().log(VERNAL_LOG_WARNING, kComponent, view(event.text));
  }
}

void PlainPrinter::finish(const Answer& answer) {
  const bool has_text = !answer.content.empty();
  if (has_text && answer.content.back() != '\n') console_.write("\n");
  if (answer.finish_reason == VERNAL_FINISH_LENGTH) {
    plugin_host().log(VERNAL_LOG_WARNING, kComponent,
                      "the answer was cut: max_tokens or the context length is reached");
  }
}

}  // namespace vernal::stdin_repl
