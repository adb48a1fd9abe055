// The table of one HTTP frontend in the deployment file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "openai_http/http/asio.hpp"
#include "openai_http/responses/response_store.hpp"
#include "vernal/config.hpp"

namespace vernal::openai_http {

/// Its rows, for the plugin's schema.
std::span<const vernal_config_row> settings_rows() noexcept;

struct Settings {
  std::string name;                 // of the table, "frontends.http"
  std::string host = "127.0.0.1";   // numeric address or name, without brackets
  std::uint16_t port = 8080;        // 0: any free one
  std::vector<std::string> models;  // that clients see; empty: all
  std::string api_keys_file;        // empty: no key is asked for
  std::vector<std::string> cors_origins = {"*"};
  std::vector<std::string> hosts;  // by which clients without a key may call the server
  bool accept_any_model = false;   // an unknown name means the first model
  bool page = true;                // browsers get a page to chat with
  std::uint64_t max_connections = 1024;
  std::uint64_t max_body = std::uint64_t{32} << 20;
  Milliseconds header_timeout{10'000};       // for a whole head
  Milliseconds body_timeout{30'000};         // for a body, and 1 s more for every 64 KiB of it
  Milliseconds idle_timeout{120'000};        // between requests; common clients pool for 90 s
  Milliseconds write_timeout{30'000};        // for a client to take what is sent
  Milliseconds keep_alive_interval{10'000};  // without output, in an event stream
  std::uint32_t threads = 2;
  ResponseStore::Limits stored_responses{.max_responses = 1000,
                                         .max_bytes = std::uint64_t{64} << 20,
                                         .max_age = std::chrono::hours(24)};
};

/// Reads the validated table. Throws Error(INVALID_ARGUMENT) with the key's place for a listen
/// address of another form than host:port, and for hosts that could never be called so.
Settings read_settings(const Config& config);

/// "127.0.0.1:8080", "[::1]:8000", "localhost:0" -> host and port of `settings`. False if it is
/// malformed.
bool parse_listen_address(std::string_view text, Settings& settings);

}  // namespace vernal::openai_http
