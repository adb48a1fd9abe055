// Whom a server without keys may answer, and what a browser's page may ask of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vernal::openai_http {

/// The names a client may call the server by. A page that an attacker serves can point its own
/// name at 127.0.0.1 (DNS rebinding); its browser then sends that name in Host, which gives it
/// away. Immutable; any thread.
class HostPolicy {
 public:
  /// `hosts` are names that are accepted besides those below; "*" accepts every name.
  explicit HostPolicy(std::vector<std::string> hosts);

  /// Whether a request with this Host is answered: "localhost" and names that end in ".localhost",
  /// addresses of the loopback interface, the address the client connected to, and the names
  /// given. Ports do not matter. Without Host (HTTP/1.0) no browser is at work: true.
  bool accepts(std::string_view host_header, std::string_view local_address) const;

 private:
  std::vector<std::string> hosts_;  // in lower case
};

/// The name or address in a Host header, in lower case and without port and brackets:
/// "[::1]:8080" -> "::1".
std::string host_name(std::string_view host_header);

/// Whether `name` has only characters that a name or an address of a host has. Not for "*".
bool is_host_name(std::string_view name);

/// Whether a Content-Type says JSON: "application/json" with any parameters, "application/x+json".
bool says_json(std::string_view content_type);

}  // namespace vernal::openai_http
