#include "openai_http/settings.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "openai_http/http/caller_policy.hpp"

namespace vernal::openai_http {
namespace {

constexpr double kMaxTimeoutMs = 24.0 * 3600 * 1000;

constexpr std::array kRows = {
    to_abi({.path = "listen",
            .type = VERNAL_CONFIG_STRING,
            .help =
                "Address and port to listen on, \"host:port\" or \"[address]:port\"; port 0 takes "
                "a free one.",
            .default_value = "\"127.0.0.1:8080\""}),
    to_abi({.path = "models",
            .type = VERNAL_CONFIG_STRING_LIST,
            .help = "Models and profiles that clients see; without it all of them.",
            .default_value = "[]",
            .flags = VERNAL_CONFIG_MODEL_NAMES}),
    to_abi({.path = "accept_any_model",
            .type = VERNAL_CONFIG_BOOL,
            .help = "Whether a name that no model has means the first model, instead of an error.",
            .default_value = "false"}),
    to_abi({.path = "page",
            .type = VERNAL_CONFIG_BOOL,
            .help = "Whether a browser that opens the address gets a page to chat with.",
            .default_value = "true"}),
    to_abi({.path = "api_keys_file",
            .type = VERNAL_CONFIG_PATH,
            .help =
                "File with the keys clients must present, one a line, # begins a comment; without "
                "it every client is let in."}),
    to_abi({.path = "cors_origins",
            .type = VERNAL_CONFIG_STRING_LIST,
            .help = "Origins whose pages may use the server from a browser; \"*\" stands for all.",
            .default_value = "[\"*\"]"}),
    to_abi({.path = "hosts",
            .type = VERNAL_CONFIG_STRING_LIST,
            .help = "Names by which clients may call a server without keys, besides localhost and "
                    "the address they connect to; \"*\" stands for all.",
            .default_value = "[]"}),
    to_abi({.path = "max_connections",
            .type = VERNAL_CONFIG_INT,
            .help = "Connections at a time; further ones are answered 503 and closed.",
            .default_value = "1024",
            .minimum = 1,
            .maximum = 100'000}),
    to_abi({.path = "max_body",
            .type = VERNAL_CONFIG_SIZE,
            .help = "Largest request body.",
            .default_value = "\"32MiB\"",
            .minimum = 1024,
            .maximum = 1024.0 * 1024 * 1024}),
    to_abi({.path = "header_timeout",
            .type = VERNAL_CONFIG_DURATION,
            .help = "Time for the headers of a request to come in whole.",
            .default_value = "\"10s\"",
            .minimum = 10,
            .maximum = kMaxTimeoutMs}),
    to_abi({.path = "body_timeout",
            .type = VERNAL_CONFIG_DURATION,
            .help = "Time for a request body to come in; every 64 KiB of it add a second.",
            .default_value = "\"30s\"",
            .minimum = 10,
            .maximum = kMaxTimeoutMs}),
    to_abi({.path = "idle_timeout",
            .type = VERNAL_CONFIG_DURATION,
            .help = "Time a connection may stay open without a request.",
            .default_value = "\"120s\"",
            .minimum = 10,
            .maximum = kMaxTimeoutMs}),
    to_abi({.path = "write_timeout",
            .type = VERNAL_CONFIG_DURATION,
            .help = "Time for a client to take what is sent; one that does not is dropped.",
            .default_value = "\"30s\"",
            .minimum = 10,
            .maximum = kMaxTimeoutMs}),
    to_abi({.path = "keep_alive_interval",
            .type = VERNAL_CONFIG_DURATION,
            .help = "Time without output after which an event stream sends an empty event.",
            .default_value = "\"10s\"",
            .minimum = 10,
            .maximum = kMaxTimeoutMs}),
    to_abi({.path = "stored_responses",
            .type = VERNAL_CONFIG_INT,
            .help = "Most responses that are kept for clients of the Responses API; 0 keeps none.",
            .default_value = "1000",
            .minimum = 0,
            .maximum = 100'000}),
    to_abi({.path = "stored_responses_size",
            .type = VERNAL_CONFIG_SIZE,
            .help = "Most memory that the responses which are kept may take together.",
            .default_value = "\"64MiB\"",
            .minimum = 1024,
            .maximum = 1024.0 * 1024 * 1024 * 1024}),
    to_abi({.path = "stored_responses_age",
            .type = VERNAL_CONFIG_DURATION,
            .help = "Time for which a response is kept at most.",
            .default_value = "\"24h\"",
            .minimum = 10,
            .maximum = kMaxTimeoutMs}),
    to_abi({.path = "threads",
            .type = VERNAL_CONFIG_INT,
            .help = "Threads that serve the connections.",
            .default_value = "2",
            .minimum = 1,
            .maximum = 64}),
};

void read_duration(const Config& config, std::string_view key, Milliseconds& out) {
  if (const auto value = config.find_duration_ms(key)) out = Milliseconds(*value);
}

/// Refuses an entry that no Host header can match: it would be ignored silently.
void check_hosts(const Config& config, const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    const bool is_name = host.find('/') == std::string::npos && is_host_name(host_name(host));
    if (host == "*" || is_name) continue;
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: hosts: expected names or addresses such as \"vernal.lan\", or "
                            "\"*\", found \"{}\"",
                            config.origin("hosts"), host));
  }
}

}  // namespace

std::span<const vernal_config_row> settings_rows() noexcept { return kRows; }

bool parse_listen_address(std::string_view text, Settings& settings) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return false;
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return false;
  settings.host = host;
  settings.port = number;
  return true;
}

Settings read_settings(const Config& config) {
  Settings settings;
  settings.name = config.name();
  const std::string listen = config.find_string("listen").value_or("127.0.0.1:8080");
  if (!parse_listen_address(listen, settings)) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: listen: expected \"host:port\" or \"[address]:port\" with a port "
                            "up to 65535, found \"{}\"",
                            config.origin("listen"), listen));
  }
  settings.models = config.strings("models");
  settings.accept_any_model = config.find_bool("accept_any_model").value_or(false);
  settings.page = config.find_bool("page").value_or(settings.page);
  settings.api_keys_file = config.find_string("api_keys_file").value_or("");
  settings.cors_origins = config.strings("cors_origins");
  settings.hosts = config.strings("hosts");
  check_hosts(config, settings.hosts);
  const auto connections = config.find_int("max_connections");
  if (connections) settings.max_connections = static_cast<std::uint64_t>(*connections);
  settings.max_body = config.find_size("max_body").value_or(settings.max_body);
  const auto threads = config.find_int("threads");
  if (threads) settings.threads = static_cast<std::uint32_t>(*threads);
  read_duration(config, "header_timeout", settings.header_timeout);
  read_duration(config, "body_timeout", settings.body_timeout);
  read_duration(config, "idle_timeout", settings.idle_timeout);
  read_duration(config, "write_timeout", settings.write_timeout);
  read_duration(config, "keep_alive_interval", settings.keep_alive_interval);
  ResponseStore::Limits& stored = settings.stored_responses;
  const auto responses = config.find_int("stored_responses");
  if (responses) stored.max_responses = static_cast<std::uint64_t>(*responses);
  stored.max_bytes = config.find_size("stored_responses_size").value_or(stored.max_bytes);
  read_duration(config, "stored_responses_age", stored.max_age);
  return settings;
}

}  // namespace vernal::openai_http
