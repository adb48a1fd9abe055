#include "stdin_repl/session.hpp"

#include <exception>
#include <utility>

#include "stdin_repl/chat.hpp"
#include "stdin_repl/line_editor.hpp"
#include "stdin_repl/pipe.hpp"
#include "stdin_repl/repl.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

/// Sends Ctrl-C to `attention` as long as the object lives.
class InterruptSubscription {
 public:
  InterruptSubscription(const ConsoleClient& console, Attention& attention) : console_(console) {
    console_.on_interrupt([](void* user) { static_cast<Attention*>(user)->interrupt(); },
                          &attention);
  }
  ~InterruptSubscription() {
    guard([&] { console_.on_interrupt(nullptr, nullptr); });
  }
  InterruptSubscription(const InterruptSubscription&) = delete;
  InterruptSubscription& operator=(const InterruptSubscription&) = delete;

 private:
  ConsoleClient console_;
};

}  // namespace

Session::Session(Settings settings, const EngineClient& engine, const ConsoleClient& console)
    : settings_(std::move(settings)),
      engine_(engine),
      console_(console),
      answers_(engine, attention_) {}

Session::~Session() { stop(); }

void Session::start() {
  thread_ = std::thread([this] { run(); });
}

void Session::stop() {
  attention_.stop();
  if (thread_.joinable()) thread_.join();
}

void Session::run() noexcept {
  plugin_host().set_error(VERNAL_OK, {});
  std::string failure;
  const std::int32_t status = guard([&] {
    try {
      talk();
    } catch (const std::exception& error) {
      failure = error.what();
      throw;
    }
  });
  if (status != VERNAL_OK) plugin_host().log(VERNAL_LOG_ERROR, kComponent, failure);
  if (attention_.is_draining()) return;
  guard([&] { console_.finished(status); });
}

void Session::talk() {
  const ConsoleClient::Terminals terminals = console_.terminals();
  if (terminals.input && terminals.output) return talk_at_terminal();
  if (terminals.input) {
    plugin_host().log(VERNAL_LOG_INFO, kComponent,
                      "the output is no terminal: type one prompt and end it with Ctrl-D");
  }
  answer_input(engine_, answers_, console_, attention_, settings_);
}

void Session::talk_at_terminal() {
  const InterruptSubscription interrupts(console_, attention_);
  LineEditor lines(console_.descriptors(), attention_, settings_.history_file);
  const Screen screen(console_, lines.has_styles());
  Chat chat(engine_, answers_, screen, settings_);
  Repl(lines, chat, screen).run();
}

}  // namespace vernal::stdin_repl
