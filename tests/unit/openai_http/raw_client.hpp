// A client that sends whatever bytes a test wants, and reads answers with a deadline.
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

/// One blocking TCP connection to this machine.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  /// False if the connection broke.
  bool send(std::string_view bytes);
  /// Reads until `text` has come (true), or the end or the deadline (false). Bytes stay buffered.
  bool wait_for(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// The next answer; nullopt if the connection ended or the deadline passed before it was whole.
  /// An interim answer 100 counts as one without body.
  std::optional<RawAnswer> read_answer(std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// Whether the server closes within `limit`; what it still sends is dropped.
  bool is_closed_within(std::chrono::milliseconds limit);
  /// Says that nothing more will be sent.
  void shut_down_sending();
  void close();
  /// What has come and was not consumed.
  const std::string& buffered() const noexcept { return buffer_; }

 private:
  bool read_more(std::chrono::steady_clock::time_point deadline);
  int socket_ = -1;
  std::string buffer_;
};

/// A request with Host (localhost unless among the headers) and, for a body, Content-Length.
std::string request_text(std::string_view method, std::string_view path, std::string_view body = {},
                         std::string_view more_headers = {});

/// Sends one request on a new connection.
std::optional<RawAnswer> fetch(std::uint16_t port, std::string_view method, std::string_view path,
                               std::string_view body = {}, std::string_view more_headers = {});

/// The payloads of "data:" lines of an event stream.
std::vector<std::string> event_data(std::string_view body);

}  // namespace vernal::openai_http::testing
