// The console's thread, from start to stop.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "stdin_repl/answer.hpp"
#include "stdin_repl/attention.hpp"
#include "stdin_repl/settings.hpp"
#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Talks with the user or the program at the other end of the console. If input and output are
/// terminals, it is a conversation; else it is one prompt and its answer. At the end it tells the
/// console service that it has finished, and its status. If it failed, the log has the reason.
class Session {
 public:
  Session(Settings settings, const EngineClient& engine, const ConsoleClient& console);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // These are for the control thread.

  void start();
  /// Takes no further prompt. An answer in progress goes on.
  void begin_drain() noexcept { attention_.begin_drain(); }
  /// Cancels an answer in progress and joins the thread. A second call does nothing.
  void stop();

  /// The number of requests in flight. Any thread.
  std::uint64_t active() const noexcept { return answers_.active(); }

 private:
  void run() noexcept;
  void talk();
  void talk_at_terminal();

  const Settings settings_;
  EngineClient engine_;
  ConsoleClient console_;
  Attention attention_;
  AnswerClient answers_;
  std::thread thread_;
};

}  // namespace vernal::stdin_repl
