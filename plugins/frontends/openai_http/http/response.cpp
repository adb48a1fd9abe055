#include "openai_http/http/response.hpp"

#include <fmt/format.h>

#include <boost/beast/http/status.hpp>
#include <ctime>
#include <iterator>

namespace vernal::openai_http {
namespace {

constexpr unsigned kNoContent = 204;
constexpr unsigned kNotModified = 304;

/// "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
std::string http_date() {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday],
                     parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
}

std::string render_head(unsigned status, const HeaderList& headers, const Framing& framing) {
  const auto reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  std::string out =
      fmt::format("HTTP/1.1 {} {}\r\n", status, std::string_view(reason.data(), reason.size()));
  append_header(out, "Date", http_date());
  append_header(out, "Server", "vernal");
  for (const auto& [name, value] : headers) append_header(out, name, value);
  if (!framing.keep_alive) {
    append_header(out, "Connection", "close");
  } else if (framing.http10 || framing.idle_s > 0) {
    append_header(out, "Connection", "keep-alive");
  }
  // Clients that read this close an idle connection before the server does.
  if (framing.keep_alive && framing.idle_s > 0) {
    append_header(out, "Keep-Alive", fmt::format("timeout={}", framing.idle_s));
  }
  return out;
}

}  // namespace

std::string render_response(const Response& response, const Framing& framing) {
  std::string out = render_head(response.status, response.headers, framing);
  const bool has_body = response.status != kNoContent && response.status != kNotModified;
  if (!has_body) return out + "\r\n";
  append_header(out, "Content-Type", response.content_type);
  append_header(out, "Content-Length", std::to_string(response.body.size()));
  out += "\r\n";
  if (!framing.head_only) out += response.body;
  return out;
}

std::string render_stream_head(const HeaderList& headers, const Framing& framing) {
  std::string out = render_head(200, headers, framing);
  append_header(out, "Content-Type", "text/event-stream");
  append_header(out, "Cache-Control", "no-cache");
  append_header(out, "X-Accel-Buffering", "no");
  if (!framing.http10) append_header(out, "Transfer-Encoding", "chunked");
  return out + "\r\n";
}

std::string render_chunk(std::string_view data, const Framing& framing) {
  if (framing.http10 || data.empty()) return std::string(data);
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

std::string_view last_chunk(const Framing& framing) noexcept {
  return framing.http10 ? std::string_view{} : std::string_view("0\r\n\r\n");
}

}  // namespace vernal::openai_http
