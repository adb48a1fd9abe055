#include "openai_http/checked_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <charconv>

#include "openai_http/http/api_keys.hpp"

namespace vernal::openai_http {
namespace {

[[noreturn]] void refuse(const Config& config, std::string_view key, std::string_view finding) {
  throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: {}: {}", config.origin(key), key, finding));
}

bool is_lower_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         std::ranges::all_of(
             text, [](char c) { return is_lower_or_digit(c) || c == '+' || c == '-' || c == '.'; });
}

/// Host names as browsers write them: lower case, other scripts as "xn--...".
bool is_host(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    return text.size() > 3 && text.ends_with(']') &&
           std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) {
             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
           });
  }
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_lower_or_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_port_of(std::string_view scheme, std::string_view text) noexcept {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || number == 0 || text.front() == '0') return false;
  return !(scheme == "http" && number == 80) && !(scheme == "https" && number == 443);
}

void check_origins(const Config& config, const Settings& settings) {
  for (const std::string& origin : settings.cors_origins) {
    if (origin == "*" || is_possible_origin(origin)) continue;
    refuse(config, "cors_origins",
           fmt::format("expected \"*\" or origins as browsers send them, \"http://localhost:3000\" "
                       "(scheme and host in lower case, no path, no default port), found \"{}\", "
                       "which never matches",
                       origin));
  }
}

void check_address(const Config& config, const Settings& settings) {
  net::io_context io;
  net::ip::udp::resolver resolver(io);
  ErrorCode error;
  const auto found = resolver.resolve(settings.host, "0", net::ip::udp::resolver::passive, error);
  if (!error && found.empty()) error = net::error::host_not_found;
  if (!error) {
    // A datagram socket on any free port: no client of the server could take notice of it.
    net::ip::udp::socket socket(io);
    const net::ip::udp::endpoint endpoint = *found.begin();
    socket.open(endpoint.protocol(), error);
    if (!error) socket.bind(endpoint, error);
  }
  if (error) {
    refuse(config, "listen",
           fmt::format("expected an address of this machine, found \"{}\": {}", settings.host,
                       error.message()));
  }
}

}  // namespace

bool is_possible_origin(std::string_view text) noexcept {
  if (text == "null") return true;
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || !is_scheme(text.substr(0, end))) return false;
  const std::string_view scheme = text.substr(0, end);
  const std::string_view rest = text.substr(end + 3);
  const std::size_t colon = rest.rfind(':');
  const std::size_t bracket = rest.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return is_host(rest);
  return is_host(rest.substr(0, colon)) && is_port_of(scheme, rest.substr(colon + 1));
}

Settings checked_settings(const Config& config) {
  Settings settings = read_settings(config);
  check_origins(config, settings);
  if (config.find_string("api_keys_file")) {
    try {
      ApiKeys::from_file(settings.api_keys_file);
    } catch (const Error& error) {
      throw Error(error.code(),
                  fmt::format("{}: {}", config.origin("api_keys_file"), error.what()));
    }
  }
  return settings;
}

void check_settings(const Config& config) { check_address(config, checked_settings(config)); }

}  // namespace vernal::openai_http
