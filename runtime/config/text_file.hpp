// Text files that people write: deployments, templates, texts to score.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace vernal {

/// The text of a file, without the byte order mark that some editors put before it. Control thread.
///   kind      what the file should be, for messages: "a TOML file"
///   largest   bytes that are still read; a wrong file (a model, say) is refused unread
/// Errors   INVALID_ARGUMENT: it cannot be read, is a directory or device, is larger, or is UTF-16;
///          the message begins with the file
std::string read_text_file(const std::filesystem::path& file, std::string_view kind,
                           std::uint64_t largest);

}  // namespace vernal
