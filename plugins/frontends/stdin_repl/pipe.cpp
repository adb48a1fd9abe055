#include "stdin_repl/pipe.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stdin_repl/answer_printer.hpp"
#include "stdin_repl/chat.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

constexpr std::size_t kMaxPromptBytes = std::size_t{32} << 20;

void drop_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

std::optional<std::string> read_whole(std::int32_t descriptor, Attention& attention) {
  std::string text;
  std::array<char, 16384> bytes;
  pollfd polled[] = {{descriptor, POLLIN, 0}, {attention.descriptor(), POLLIN, 0}};
  for (;;) {
    if (::poll(polled, 2, -1) < 0 && errno != EINTR) break;
    if (polled[1].revents != 0) attention.clear();
    if (attention.is_draining()) return std::nullopt;
    if (polled[0].revents == 0) continue;
    const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
    if (count == 0) {
      drop_line_end(text);
      return text;
    }
    if (count < 0 && errno != EINTR && errno != EAGAIN) break;
    if (count > 0) text.append(bytes.data(), static_cast<std::size_t>(count));
    if (text.size() > kMaxPromptBytes) {
      throw Error(
          VERNAL_INVALID_ARGUMENT,
          fmt::format("standard input: expected a prompt of at most {} bytes", kMaxPromptBytes));
    }
  }
  throw Error(VERNAL_UNAVAILABLE, fmt::format("standard input: {}", std::strerror(errno)));
}

void answer_input(const EngineClient& engine, AnswerClient& answers, const ConsoleClient& console,
                  Attention& attention, const Settings& settings) {
  std::optional<std::string> prompt = read_whole(console.descriptors().input, attention);
  if (!prompt) return;
  if (prompt->find_first_not_of(" \t\r\n") == std::string::npos) {
    throw Error(VERNAL_INVALID_ARGUMENT, "standard input: expected a prompt, found nothing");
  }
  const ModelInfo model = choose_model(engine, settings);
  if (!model.has_chat_template) {
    plugin_host().log(
        VERNAL_LOG_INFO, kComponent,
        fmt::format("{} has no chat template: the input is text that it continues", model.id));
  }
  Conversation conversation;
  conversation.system = settings.system;
  conversation.messages.push_back({"user", std::move(*prompt), {}});
  PlainPrinter printer(console);
  const Answer answer =
      answers.ask(model.id, next_request(model, conversation, initial_options(settings)), printer);
  if (answer.end == Answer::End::kFailed) throw Error(answer.code, answer.error);
}

}  // namespace vernal::stdin_repl
