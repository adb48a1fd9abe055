// Reads one prompt from another program, and writes one answer to another program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stdin_repl/answer.hpp"
#include "stdin_repl/attention.hpp"
#include "stdin_repl/settings.hpp"
#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Reads a descriptor to its end. The line feed of the last line is dropped. Nothing if the process
/// ends before that.
/// Errors   UNAVAILABLE: it cannot be read
///          INVALID_ARGUMENT: it is longer than any request may be
std::optional<std::string> read_whole(std::int32_t descriptor, Attention& attention);

/// Reads a prompt from standard input and writes the answer with a line feed at its end. Returns
/// early if the process ends. Throws Error if there is no answer.
void answer_input(const EngineClient& engine, AnswerClient& answers, const ConsoleClient& console,
                  Attention& attention, const Settings& settings);

}  // namespace vernal::stdin_repl
