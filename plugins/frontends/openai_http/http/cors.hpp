// Cross-origin rules: which pages browsers may let talk to this server.
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

  /// Whether pages of this origin may make the server work. A page that the server itself serves,
  /// under the name in `host_header`, is not foreign.
  bool lets_work(std::string_view origin, std::string_view host_header) const;

  /// Further headers for the answer to a preflight. `requested_headers` is the value of
  /// Access-Control-Request-Headers; it is echoed, because "*" does not cover Authorization.
  static HeaderList preflight_headers(std::string_view requested_headers);

 private:
  std::vector<std::string> origins_;
};

}  // namespace vernal::openai_http
