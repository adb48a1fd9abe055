// What the frontend does when there is no memory: each allocation fails once.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "http_frontend.hpp"
#include "support/failing_new/failing_new.hpp"

namespace vernal::openai_http::testing {
namespace {

using test::FailingNew;
using test::Spared;

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr const char* kCount =
    R"({"model":"tiny","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";

/// Memory of the frontend's own threads only; the client's and the mock core's does not fail.
struct Outcome {
  bool has_failed = false;  // there were so many allocations
  int num_answered = 0;
  std::chrono::milliseconds stop_time{};
};

/// Whether the answer is complete. One that is refused says that it is not the client's fault.
bool is_complete(const std::optional<RawAnswer>& answer) {
  if (!answer) return false;
  EXPECT_TRUE(answer->status == 200 || answer->status == 503) << answer->status;
  return answer->status == 200 && answer->body.find("[DONE]") != std::string::npos;
}

/// Three requests on two connections, while allocation `number` fails.
Outcome serve_while_failing(std::uint64_t number) {
  const Spared spared;
  MockEngine engine;
  RunningFrontend frontend(engine);
  Outcome run;
  const FailingNew failing(number);
  {
    RawClient client(frontend.port());
    for (int i = 0; i < 2; ++i) {
      client.send(request_text("POST", kChatPath, kStream));
      run.num_answered += is_complete(client.read_answer(5s)) ? 1 : 0;
    }
  }
  run.num_answered += is_complete(fetch(frontend.port(), "POST", kChatPath, kStream)) ? 1 : 0;
  const auto begin = std::chrono::steady_clock::now();
  frontend.stop();
  run.stop_time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  run.has_failed = failing.has_failed();
  EXPECT_TRUE(engine.wait_until_idle(5s)) << "a request was left behind";
  return run;
}

TEST(HttpWithoutMemory, ServesTheNextClientAndEnds) {
  EXPECT_EQ(serve_while_failing(kNever).num_answered, 3);
  std::uint64_t number = 0;
  for (bool has_failed = true; has_failed;) {
    const Outcome run = serve_while_failing(++number);
    has_failed = run.has_failed;
    ASSERT_GE(run.num_answered, 1) << "allocation " << number;
    ASSERT_LT(run.stop_time, 1500ms) << "allocation " << number;
  }
  EXPECT_GT(number, 100U) << "the allocations of the frontend are not seen";
}

TEST(HttpWithoutMemory, CountsTokensForTheNextClient) {
  std::uint64_t number = 0;
  for (bool has_failed = true; has_failed;) {
    const Spared spared;
    MockEngine engine;
    RunningFrontend frontend(engine);
    const FailingNew failing(++number);
    int num_answered = 0;
    for (int i = 0; i < 2; ++i) {
      const auto answer = fetch(frontend.port(), "POST", "/v1/messages/count_tokens", kCount);
      num_answered += answer && answer->status == 200 ? 1 : 0;
    }
    frontend.stop();
    has_failed = failing.has_failed();
    ASSERT_GE(num_answered, 1) << "allocation " << number;
  }
}

TEST(HttpWithoutMemory, StartsOrSaysWhyNot) {
  MockEngine engine;
  const vernal_frontend_api& api = frontend_api(engine);
  const ConfigValues values{{"listen", "127.0.0.1:0"}};
  std::uint64_t number = 0;
  for (bool has_failed = true; has_failed;) {
    const FailingNew failing(++number);
    vernal_frontend* frontend = nullptr;
    std::int32_t status = api.create(config_view(values), &frontend);
    if (status == VERNAL_OK) status = api.start(frontend);
    has_failed = failing.has_failed();
    if (status == VERNAL_OK) {
      api.stop(frontend);
    } else {
      ASSERT_TRUE(has_failed);
      ASSERT_EQ(status, VERNAL_RESOURCE_EXHAUSTED) << "allocation " << number;
    }
    if (frontend != nullptr) api.destroy(frontend);
  }
  EXPECT_GT(number, 30U);
}

}  // namespace
}  // namespace vernal::openai_http::testing
