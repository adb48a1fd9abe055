// One prompt from another program, one answer to another program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stdin_repl/answer.hpp"
#include "stdin_repl/attention.hpp"
#include "stdin_repl/settings.hpp"
#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Everything that can be read from a descriptor, without the line's end after the last line.
/// Nothing if the process ends before. Throws Error: UNAVAILABLE if it cannot be read,
/// INVALID_ARGUMENT if it is longer than any request.
std::optional<std::string> read_whole(std::int32_t descriptor, Attention& attention);

/// Writes the answer to the prompt on standard input, and a line feed at its end. Returns early
/// when the process ends. Throws Error if there is no answer.
void answer_input(const EngineClient& engine, AnswerClient& answers, const ConsoleClient& console,
                  Attention& attention, const Settings& settings);

}  // namespace vernal::stdin_repl
