// A frontend on a free port with a scripted engine, and a client of it.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "frontend_fixture.hpp"
#include "raw_client.hpp"

namespace vernal::openai_http::testing {

namespace json = boost::json;
using namespace std::chrono_literals;

inline constexpr const char* kChat =
    R"({"model":"tiny","messages":[{"role":"user","content":"hi"}]})";
inline constexpr const char* kStream =
    R"({"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]})";
inline constexpr const char* kChatPath = "/v1/chat/completions";

class HttpFrontend : public ::testing::Test {
 protected:
  /// Starts with these values of the table.
  void start(ConfigValues values = {}) {
    frontend_ = std::make_unique<RunningFrontend>(engine_, std::move(values));
  }
  std::uint16_t port() const { return frontend_->port(); }

  RawAnswer get(std::string_view path, std::string_view headers = {}) {
    return expect_answer(fetch(port(), "GET", path, {}, headers));
  }
  RawAnswer post(std::string_view path, std::string_view body, std::string_view headers = {}) {
    return expect_answer(fetch(port(), "POST", path, body, headers));
  }
  static RawAnswer expect_answer(const std::optional<RawAnswer>& answer) {
    EXPECT_TRUE(answer);
    return answer.value_or(RawAnswer{});
  }
  static json::value error_of(const RawAnswer& answer) {
    return json::parse(answer.body).at("error");
  }
  /// Waits until a condition holds. False after five seconds.
  template <class Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 5000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }

  MockEngine engine_;
  std::unique_ptr<RunningFrontend> frontend_;
};

}  // namespace vernal::openai_http::testing
