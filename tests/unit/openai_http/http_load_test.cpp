// Many clients at a time.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include "frontend_fixture.hpp"
#include "raw_client.hpp"

namespace vernal::openai_http::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kStream =
    R"({"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kPath = "/v1/chat/completions";

/// Raises the limit of descriptors for both ends of `count` connections. False if the system
/// refuses.
bool raise_descriptor_limit(rlim_t count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, 2 * count + 200));
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= 2 * count + 200;
}

using Clients = std::vector<std::unique_ptr<RawClient>>;

Clients connect(std::uint16_t port, std::size_t count) {
  Clients clients;
  for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<RawClient>(port));
  return clients;
}

TEST(HttpLoad, AThousandStreamsAtATimeAreAllAnswered) {
  constexpr std::size_t kClients = 1000;
  if (!raise_descriptor_limit(kClients)) GTEST_SKIP() << "too few descriptors are allowed";
  MockEngine engine;
  Script slow = Script::hello();
  slow.interval = 200ms;
  engine.play(slow);
  const RunningFrontend frontend(engine, {{"max_connections", std::int64_t{2000}},
                                          {"header_timeout", std::int64_t{20'000}},
                                          {"body_timeout", std::int64_t{20'000}}});
  Clients clients = connect(frontend.port(), kClients);
  for (const auto& client : clients) client->send(request_text("POST", kPath, kStream));
  for (const auto& client : clients) {
    const auto answer = client->read_answer(60s);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200);
    ASSERT_EQ(event_data(answer->body).back(), "[DONE]");
  }
  EXPECT_TRUE(engine.wait_until_idle(5s));
  EXPECT_EQ(engine.records().size(), kClients);
  EXPECT_EQ(engine.num_cancelled(), 0U);
}

TEST(HttpLoad, AThousandClientsThatLeaveAreAllCancelled) {
  MockEngine engine;
  engine.play(Script::endless(2ms));
  const RunningFrontend frontend(engine, {{"max_connections", std::int64_t{2000}}});
  std::vector<std::chrono::microseconds> delays;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    Clients clients = connect(frontend.port(), 50);
    for (const auto& client : clients) {
      client->send(request_text("POST", kPath, random() % 2 == 0 ? kStream : R"({"model":"tiny",
          "messages":[{"role":"user","content":"hi"}]})"));
    }
    while (engine.records().size() < static_cast<std::size_t>(round + 1) * 50) {
      std::this_thread::sleep_for(1ms);
    }
    const auto begin = Clock::now();
    clients.clear();
    ASSERT_TRUE(engine.wait_until_idle(2s));
    delays.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin));
  }
  std::sort(delays.begin(), delays.end());
  RecordProperty("slowest_round_us", static_cast<int>(delays.back().count()));
  EXPECT_LT(delays.back(), 1s);
  EXPECT_EQ(engine.num_cancelled(), 1000U);
  EXPECT_EQ(fetch(frontend.port(), "GET", "/health")->status, 200);
}

TEST(HttpLoad, HealthAnswersAtOnceBesideIdleAndBusyConnections) {
  constexpr std::size_t kIdle = 900;
  if (!raise_descriptor_limit(kIdle + 100)) GTEST_SKIP() << "too few descriptors are allowed";
  MockEngine engine;
  engine.play(Script::endless(1ms));
  const RunningFrontend frontend(engine, {{"max_connections", std::int64_t{2000}}});
  const Clients idle = connect(frontend.port(), kIdle);
  Clients busy = connect(frontend.port(), 50);
  for (const auto& client : busy) client->send(request_text("POST", kPath, kStream));
  std::vector<std::chrono::microseconds> delays;
  for (int i = 0; i < 100; ++i) {
    const auto begin = Clock::now();
    ASSERT_EQ(fetch(frontend.port(), "GET", "/health")->status, 200);
    delays.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin));
  }
  std::sort(delays.begin(), delays.end());
  RecordProperty("health_p99_us", static_cast<int>(delays[98].count()));
  EXPECT_LT(delays[50], 1s);
}

TEST(HttpLoad, ARefusedQueueAnswersAtOnce) {
  MockEngine engine;
  Script full;
  full.submit_status = VERNAL_QUEUE_FULL;
  engine.play(full);
  const RunningFrontend frontend(engine);
  std::vector<std::thread> threads;
  std::atomic<int> num_refused = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto answer = fetch(frontend.port(), "POST", kPath, kStream);
        num_refused += answer && answer->status == 503 && answer->headers.count("retry-after") == 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_refused, 400);
}

TEST(HttpLoad, StoppingAtAnyMomentEndsEverything) {
  std::mt19937 random(11);
  for (int round = 0; round < 10; ++round) {
    MockEngine engine;
    engine.play(Script::endless(1ms));
    RunningFrontend frontend(engine);
    Clients clients = connect(frontend.port(), 20);
    for (const auto& client : clients) client->send(request_text("POST", kPath, kStream));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    if (round % 2 == 0) frontend.begin_drain();
    const auto begin = Clock::now();
    frontend.stop();
    EXPECT_LT(Clock::now() - begin, 5s);
    EXPECT_EQ(engine.num_live(), 0U);
  }
}

}  // namespace
}  // namespace vernal::openai_http::testing
