#include "raw_client.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace vernal::openai_http::testing {
namespace {

using Clock = std::chrono::steady_clock;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

RawAnswer parse_head(std::string_view head) {
  RawAnswer answer;
  answer.status = std::stoi(std::string(head.substr(9, 3)));
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) break;
    answer.headers[lower(std::string(line.substr(0, colon)))] = line.substr(colon + 2);
    at = end + 2;
  }
  return answer;
}

/// Takes a chunked body from the front of `bytes`. False while it is not complete.
bool take_chunks(std::string& bytes, std::string& body) {
  std::string joined;
  std::size_t at = 0;
  while (true) {
    const std::size_t line_end = bytes.find("\r\n", at);
    if (line_end == std::string::npos) return false;
    const std::size_t size = std::stoul(bytes.substr(at, line_end - at), nullptr, 16);
    if (bytes.size() < line_end + 2 + size + 2) return false;
    joined += bytes.substr(line_end + 2, size);
    at = line_end + 2 + size + 2;
    if (size == 0) break;
  }
  body = std::move(joined);
  bytes.erase(0, at);
  return true;
}

}  // namespace

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close();
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::read_more(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd event{socket_, POLLIN, 0};
  if (::poll(&event, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) {
    return false;
  }
  std::array<char, 65536> bytes{};
  const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

bool RawClient::wait_for(std::string_view text, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (buffer_.find(text) == std::string::npos) {
    if (!read_more(deadline)) return false;
  }
  return true;
}

std::optional<RawAnswer> RawClient::read_answer(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (buffer_.find("\r\n\r\n") == std::string::npos) {
    if (!read_more(deadline)) return std::nullopt;
  }
  const std::size_t head_size = buffer_.find("\r\n\r\n") + 4;
  RawAnswer answer = parse_head(std::string_view(buffer_).substr(0, head_size - 2));
  buffer_.erase(0, head_size);
  if (answer.headers["transfer-encoding"] == "chunked") {
    while (!take_chunks(buffer_, answer.body)) {
      if (!read_more(deadline)) return std::nullopt;
    }
    return answer;
  }
  const std::string length = answer.headers["content-length"];
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  while (buffer_.size() < size) {
    if (!read_more(deadline)) return std::nullopt;
  }
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

bool RawClient::is_closed_within(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (read_more(deadline)) {
  }
  return Clock::now() < deadline;
}

void RawClient::shut_down_sending() { ::shutdown(socket_, SHUT_WR); }

/// None if the test brings its own.
static std::string_view host_line(std::string_view more_headers) {
  return more_headers.find("Host:") == std::string_view::npos ? "Host: localhost\r\n" : "";
}

std::string request_text(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view more_headers) {
  std::string text(method);
  text.append(" ")
      .append(path)
      .append(" HTTP/1.1\r\n")
      .append(host_line(more_headers))
      .append(more_headers);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append("\r\n").append(body);
}

std::optional<RawAnswer> fetch(std::uint16_t port, std::string_view method, std::string_view path,
                               std::string_view body, std::string_view more_headers) {
  RawClient client(port);
  client.send(request_text(method, path, body, more_headers));
  return client.read_answer();
}

std::vector<std::string> event_data(std::string_view body) {
  constexpr std::string_view kPrefix = "data: ";
  std::vector<std::string> out;
  for (std::size_t at = body.find(kPrefix); at != std::string_view::npos;
       at = body.find(kPrefix, at)) {
    at += kPrefix.size();
    const std::size_t end = std::min(body.find("\n\n", at), body.size());
    out.emplace_back(body.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace vernal::openai_http::testing
