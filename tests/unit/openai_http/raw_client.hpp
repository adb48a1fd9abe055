// A client that sends any bytes, and reads answers with a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::openai_http::testing {

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // chunks joined
};

/// A blocking TCP connection to this machine.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  /// Sends bytes. False if the connection is broken.
  bool send(std::string_view bytes);
  /// Reads until `text` has come. False at the end of the connection or at the deadline. Bytes stay
  /// in the buffer.
  bool wait_for(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// The next answer. nullopt if the connection ended, or the deadline passed, before it was
  /// complete. An interim answer 100 counts as an answer without body.
  std::optional<RawAnswer> read_answer(std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// Whether the server closes the connection within `limit`. Bytes that it still sends are
  /// dropped.
  bool is_closed_within(std::chrono::milliseconds limit);
  /// Tells the server that nothing more is sent.
  void shut_down_sending();
  void close();
  /// The bytes that have come and were not taken.
  const std::string& buffered() const noexcept { return buffer_; }

 private:
  bool read_more(std::chrono::steady_clock::time_point deadline);
  int socket_ = -1;
  std::string buffer_;
};

/// The text of a request, with Host (localhost, unless it is among the headers) and, if it has a
/// body, Content-Length.
std::string request_text(std::string_view method, std::string_view path, std::string_view body = {},
                         std::string_view more_headers = {});

/// Sends one request on a new connection and reads the answer.
std::optional<RawAnswer> fetch(std::uint16_t port, std::string_view method, std::string_view path,
                               std::string_view body = {}, std::string_view more_headers = {});

/// The payloads of "data:" lines of an event stream.
std::vector<std::string> event_data(std::string_view body);

}  // namespace vernal::openai_http::testing
