// A table of the deployment, judged as a whole before anything is bound.
#pragma once

#include <string_view>

#include "openai_http/settings.hpp"

namespace vernal::openai_http {

/// read_settings, and what it takes a file or a second look to judge: that the keys can be read and
/// that every origin can match. Control thread.
/// Errors   INVALID_ARGUMENT, with the place of the key
Settings checked_settings(const Config& config);

/// checked_settings, and that the address to listen on is one of this machine. No port is taken: that
/// it is free, nobody can know before it is bound.
/// Errors   INVALID_ARGUMENT, with the place of the key
void check_settings(const Config& config);

/// Whether a browser could send this text as `Origin`: "null", or scheme://host[:port] in lower
/// case, without path and without the port that the scheme has anyhow.
bool is_possible_origin(std::string_view text) noexcept;

}  // namespace vernal::openai_http
