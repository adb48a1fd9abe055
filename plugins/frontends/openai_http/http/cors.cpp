#include "openai_http/http/cors.hpp"

#include <algorithm>

namespace vernal::openai_http {
namespace {

constexpr std::string_view kUsualHeaders =
    "authorization, content-type, x-api-key, anthropic-version, anthropic-beta";

bool is_header_list(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
}

}  // namespace

HeaderList CorsPolicy::answer_headers(std::string_view origin) const {
  const bool open = std::find(origins_.begin(), origins_.end(), "*") != origins_.end();
  if (open) {
    return {{"Access-Control-Allow-Origin", "*"},
            {"Access-Control-Expose-Headers", "x-request-id, request-id, retry-after"}};
  }
  HeaderList headers{{"Vary", "Origin"}};
  if (std::find(origins_.begin(), origins_.end(), origin) != origins_.end()) {
    headers.emplace_back("Access-Control-Allow-Origin", origin);
    headers.emplace_back("Access-Control-Expose-Headers", "x-request-id, request-id, retry-after");
  }
  return headers;
}

bool CorsPolicy::lets_work(std::string_view origin, std::string_view host_header) const {
  const auto is_it = [&](const std::string& known) { return known == "*" || known == origin; };
  if (std::any_of(origins_.begin(), origins_.end(), is_it)) return true;
  // A proxy in front of the server may speak TLS with the browser.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size()) == host_header;
  }
  return false;
}

HeaderList CorsPolicy::preflight_headers(std::string_view requested_headers) {
  const bool echo = !requested_headers.empty() && is_header_list(requested_headers);
  return {{"Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"},
          {"Access-Control-Allow-Headers", std::string(echo ? requested_headers : kUsualHeaders)},
          {"Access-Control-Max-Age", "86400"}};
}

}  // namespace vernal::openai_http
