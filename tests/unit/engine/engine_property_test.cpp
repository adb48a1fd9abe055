// Random clients and random faults: each request ends exactly once, and nothing is left.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "text/request/request_error.hpp"
#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::BenchOptions;
using test::EngineBench;
using test::StepModelControl;

constexpr int kClients = 4;
constexpr int kRequestsPerClient = 30;

std::string random_document(std::mt19937& random) {
  return fmt::format(R"({{"prompt": "{}", "n": {}, "max_tokens": {}{}{}}})",
                     std::string(1 + random() % 200, static_cast<char>('a' + random() % 3)),
                     random() % 4 == 0 ? 1 + random() % 3 : 1, 1 + random() % 40,
                     random() % 10 == 0 ? R"(, "deadline_ms": 3)" : "",
                     random() % 3 == 0 ? R"(, "stop": ["ab", "q"])" : "");
}

// Reads a request to its end, or abandons it. True if there was exactly one last event.
bool behave(Engine& engine, RequestId id, std::mt19937& random) {
  const std::uint64_t abandon_after = random() % 3 == 0 ? random() % 20 : 1'000'000;
  const std::uint64_t cancel_after = random() % 3 == 0 ? random() % 20 : 1'000'000;
  std::uint64_t seen = 0;
  int terminals = 0;
  const auto until = SteadyClock::now() + std::chrono::seconds(60);
  while (terminals == 0 && SteadyClock::now() < until) {
    if (seen == cancel_after) engine.cancel(id);
    if (seen == abandon_after) return true;
    const auto event = engine.wait(id, std::chrono::milliseconds(100));
    if (!event) continue;
    ++seen;
    terminals += event->is_terminal() ? 1 : 0;
    if (random() % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  return terminals == 1 && !engine.poll(id).has_value();
}

void run_client(Engine& engine, std::uint32_t seed, std::atomic<int>& violations) {
  std::mt19937 random(seed);
  for (int i = 0; i < kRequestsPerClient; ++i) {
    SubmitArguments arguments;
    arguments.model = "m";
    const std::string document = random_document(random);
    arguments.document = document;
    std::shared_ptr<std::atomic<bool>> is_released = std::make_shared<std::atomic<bool>>(false);
    arguments.on_ready = [&, is_released](RequestId) { violations += *is_released ? 1 : 0; };
    try {
      const RequestId id = engine.submit(arguments);
      violations += behave(engine, id, random) ? 0 : 1;
      engine.release(id);
      *is_released = true;
    } catch (const RequestError& error) {
      violations += error.code() == VERNAL_QUEUE_FULL ? 0 : 1;
    }
  }
}

TEST(EngineProperties, EndsEveryRequestExactlyOnceWhateverHappens) {
  for (std::uint32_t round = 0; round < 6; ++round) {
    auto control = std::make_shared<StepModelControl>();
    control->capacity_tokens = round % 2 == 0 ? 400 : 5000;
    control->truncates_anywhere = round % 3 != 0;
    control->on_step = [round](std::uint64_t step, std::span<const StepChunk>) {
      if (round > 1 && step % 41 == 40) throw Error(VERNAL_INTERNAL, "scripted");
    };
    control->fail_wait = [round](std::uint64_t step) {
      return round > 2 && step % 67 == 66 ? std::optional(Error(VERNAL_INTERNAL, "scripted"))
                                          : std::nullopt;
    };
    BenchOptions options;
    options.slots = 1 + round % 4;
    options.context_length = 380;
    options.max_tokens_per_step = round == 4 ? 16 : 132;
    options.engine.event_limits.max_tokens = 8;
    options.limits.max_queue = 6 - options.slots;
    EngineBench bench(test::predict_letters, options, control);
    std::atomic<int> violations{0};
    std::vector<std::thread> clients;
    for (std::uint32_t i = 0; i < kClients; ++i) {
      clients.emplace_back([&, i] { run_client(bench.engine(), 100 * round + i, violations); });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(violations, 0) << "round " << round;
    bench.eventually([&] { return bench.engine().num_open_requests() == 0; });
    bench.eventually([&] { return bench.metric("vernal_requests_running") == 0.0; });
  }
}

}  // namespace
}  // namespace vernal
