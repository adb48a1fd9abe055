// Cross-origin headers, by which browsers let pages of other origins talk to this server.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vernal::openai_http {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// Which origins may read answers: "*" for all, or origins like "http://localhost:3000".
class CorsPolicy {
 public:
  explicit CorsPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  /// Headers of an answer to a request with this Origin (empty: it had none).
  HeaderList answer_headers(std::string_view origin) const;

  /// What the answer to a preflight has beside those. `requested_headers` is
  /// Access-Control-Request-Headers, which is echoed, since "*" does not cover Authorization.
  static HeaderList preflight_headers(std::string_view requested_headers);

 private:
  std::vector<std::string> origins_;
};

}  // namespace vernal::openai_http
