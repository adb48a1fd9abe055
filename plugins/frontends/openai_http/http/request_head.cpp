#include "openai_http/http/request_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <charconv>

#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kLongestMethod = 16;
constexpr std::size_t kVersionSize = 8;  // "HTTP/1.1"

[[noreturn]] void refuse(AnswerCode code, std::string_view message) {
  throw RequestRefused(http_refusal(code, message));
}

[[noreturn]] void refuse_malformed(std::string_view what) {
  refuse("malformed_http", fmt::format("The bytes are not an HTTP/1.1 request: {}.", what));
}

bool is_token_character(char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// Checks the request line, or the part of it that has come.
void check_request_line(std::string_view line, bool complete, const HeadLimits& limits) {
  const std::size_t method_end = std::min(line.find(' '), line.size());
  const std::string_view method = line.substr(0, method_end);
  if (method.size() > kLongestMethod) refuse_malformed("the method is too long");
  if (!std::all_of(method.begin(), method.end(), is_token_character) ||
      (method.empty() && !line.empty()) || (complete && line.empty())) {
    refuse_malformed("the first line does not begin with a method (TLS on a plain port?)");
  }
  if (method_end == line.size()) {
    if (complete) refuse_malformed("the first line has no target");
    return;
  }
  const std::string_view rest = line.substr(method_end + 1);
  const std::size_t target_end = rest.find(' ');
  if (std::min(target_end, rest.size()) > limits.target_bytes) {
    refuse("uri_too_long",
           fmt::format("The request target is longer than {} bytes.", limits.target_bytes));
  }
  if (std::any_of(rest.begin(), rest.end(), is_control)) {
    refuse_malformed("control characters in the first line");
  }
  if (!complete) return;
  if (target_end == std::string_view::npos) refuse_malformed("the first line has no version");
  const std::string_view version = rest.substr(target_end + 1);
  if (version.size() != kVersionSize || version.substr(0, 5) != "HTTP/") {
    refuse_malformed("the first line does not end in a version");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    refuse("http_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  }
}

/// Checks one complete field line.
void check_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    refuse_malformed("a header line is folded");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    refuse_malformed("a header line has no name");
  }
  const std::string_view name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), is_token_character)) {
    refuse_malformed("a header name has characters it may not have");
  }
  const std::string_view value = line.substr(colon + 1);
  const auto forbidden = [](char c) { return is_control(c) && c != '\t'; };
  if (std::any_of(value.begin(), value.end(), forbidden)) {
    refuse_malformed("a header value has control characters");
  }
}

/// Accepts digits only; from_chars alone would accept a sign.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void check_host(const BeastHead& head, bool http10) {
  const auto count = head.count(http::field::host);
  if (count > 1) refuse_malformed("more than one Host");
  if (count == 0) {
    if (!http10) refuse_malformed("HTTP/1.1 without Host");
    return;
  }
  const std::string_view host = as_view(head[http::field::host]);
  const auto allowed = [](char c) {
    return is_token_character(c) || std::string_view(":[]()=,;").find(c) != std::string_view::npos;
  };
  if (!std::all_of(host.begin(), host.end(), allowed)) {
    refuse_malformed("the Host has characters it may not have");
  }
}

void check_framing(const BeastHead& head, std::uint64_t max_body, RequestHead& out) {
  const auto num_lengths = head.count(http::field::content_length);
  const auto num_codings = head.count(http::field::transfer_encoding);
  if (num_lengths > 1) refuse_malformed("more than one Content-Length");
  if (num_lengths > 0 && num_codings > 0) {
    refuse_malformed("Content-Length beside Transfer-Encoding");
  }
  if (num_codings > 0) {
    if (out.http10) refuse_malformed("Transfer-Encoding in HTTP/1.0");
    if (num_codings > 1) refuse_malformed("more than one Transfer-Encoding");
    if (!equal_ignoring_case(as_view(head[http::field::transfer_encoding]), "chunked")) {
      refuse("transfer_encoding", "The only transfer coding that is understood is chunked.");
    }
    out.chunked = true;
  }
  if (num_lengths == 0) return;
  const auto length = parse_length(as_view(head[http::field::content_length]));
  if (!length) refuse_malformed("Content-Length is no number");
  if (*length > max_body) {
    refuse("request_too_large",
           fmt::format("The request body has {} bytes; this server takes at most {}.", *length,
                       max_body));
  }
  out.content_length = *length;
}

void check_content(const BeastHead& head, RequestHead& out) {
  const auto num_codings = head.count(http::field::content_encoding);
  if (num_codings > 0) {
    const std::string_view name = as_view(head[http::field::content_encoding]);
    const auto coding = num_codings == 1 ? find_content_coding(name) : std::nullopt;
    if (!coding) {
      refuse("content_encoding",
             fmt::format("A request body may be encoded in one of {}, or not at all; found \"{}\".",
                         kAcceptedCodings, shortened(name)));
    }
    out.coding = *coding;
  }
  if (head.count(http::field::expect) == 0) return;
  if (!equal_ignoring_case(as_view(head[http::field::expect]), "100-continue")) {
    refuse("expectation", "The only expectation that can be met is 100-continue.");
  }
  out.expects_continue = !out.http10;
}

/// Splits the target into path and query.
void read_target(std::string_view target, RequestHead& out) {
  if (target == "*") {
    if (out.method != "OPTIONS") refuse_malformed("the target * is for OPTIONS only");
    out.path = "*";
    return;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F ||
           c == '#';
  };
  if (target.empty() || target.front() != '/') refuse_malformed("the target is not a path");
  if (std::any_of(target.begin(), target.end(), forbidden)) {
    refuse_malformed("the target has characters it may not have");
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  if (question < target.size()) out.query = target.substr(question + 1);
  auto path = percent_decode(target.substr(0, question));
  if (!path || !is_valid_utf8(*path)) refuse_malformed("the target's percent-encoding is broken");
  out.path = std::move(*path);
}

/// Connection is a list. "close" wins; "keep-alive" is needed in HTTP/1.0 only.
bool wants_keep_alive(const BeastHead& head, bool http10) {
  bool close = false;
  bool keep = false;
  const auto [first, last] = head.equal_range(http::field::connection);
  for (auto field = first; field != last; ++field) {
    for (const auto& option : http::token_list(field->value())) {
      close = close || equal_ignoring_case(as_view(option), "close");
      keep = keep || equal_ignoring_case(as_view(option), "keep-alive");
    }
  }
  return !close && (keep || !http10);
}

}  // namespace

std::optional<std::size_t> end_of_head(std::string_view bytes) noexcept {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

void check_head_bytes(std::string_view bytes, const HeadLimits& limits) {
  const auto end = end_of_head(bytes);
  if (end) bytes = bytes.substr(0, *end);
  std::size_t num_lines = 0;
  for (std::size_t at = 0; at < bytes.size(); ++num_lines) {
    const std::size_t line_end = bytes.find(kLineEnd, at);
    const bool complete = line_end != std::string_view::npos;
    std::string_view line = bytes.substr(at, complete ? line_end - at : std::string_view::npos);
    // Of a line end "\r\n" the "\r" may have come alone.
    if (!complete && !line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (num_lines == 0) {
      check_request_line(line, complete, limits);
    } else if (complete && !line.empty()) {
      check_field_line(line);
    }
    if (!complete) break;
    at = line_end + kLineEnd.size();
  }
  if (bytes.size() > limits.head_bytes) {
    refuse("headers_too_large",
           fmt::format("The request headers are larger than {} bytes.", limits.head_bytes));
  }
  if (num_lines > limits.num_fields + 2) {
    refuse("too_many_headers",
           fmt::format("The request has more than {} header lines.", limits.num_fields));
  }
}

RequestHead validate_request(const BeastHead& head, std::uint64_t max_body) {
  RequestHead out;
  out.method = as_view(head.method_string());
  if (head.version() != 10 && head.version() != 11) {
    refuse("http_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  }
  out.http10 = head.version() == 10;
  check_host(head, out.http10);
  check_framing(head, max_body, out);
  check_content(head, out);
  read_target(as_view(head.target()), out);
  out.keep_alive = wants_keep_alive(head, out.http10);
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    if (text.size() - i < 3) return std::nullopt;
    const char* const digits = text.data() + i + 1;
    const auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
    if (error != std::errc() || end != digits + 2 || value == 0) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

}  // namespace vernal::openai_http
