#include "openai_http/responses/response_store.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vernal::openai_http {
namespace {

constexpr std::size_t kClient = 3;

ResponseStore::NewResponse response_of(std::size_t size, Conversation history = {}) {
  return {std::string(size, 'd'), std::move(history), std::string(size, 'i'),
          std::string(size, 'o')};
}

ResponseStore::Limits limits(std::uint64_t responses, std::uint64_t bytes = 1 << 20) {
  return {.max_responses = responses, .max_bytes = bytes, .max_age = std::chrono::hours(1)};
}

TEST(ResponseStore, GivesBackWhatWasPut) {
  ResponseStore store(limits(10));
  store.put(kClient, "resp_1", {"document", {}, "[1]", "[2]"});
  const auto found = store.find(kClient, "resp_1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->document->text(), "document");
  const Conversation conversation = found->conversation();
  ASSERT_EQ(conversation.size(), 2U);
  EXPECT_EQ(conversation[0]->text(), "[1]");
  EXPECT_EQ(conversation[1]->text(), "[2]");
  EXPECT_FALSE(store.find(kClient, "resp_2"));
}

TEST(ResponseStore, KeepsClientsApart) {
  ResponseStore store(limits(10));
  store.put(kClient, "resp_1", response_of(10));
  EXPECT_FALSE(store.find(kClient + 1, "resp_1"));
  EXPECT_FALSE(store.erase(kClient + 1, "resp_1"));
  EXPECT_TRUE(store.erase(kClient, "resp_1"));
  EXPECT_FALSE(store.find(kClient, "resp_1"));
  EXPECT_FALSE(store.erase(kClient, "resp_1"));
}

TEST(ResponseStore, FindsTheNewestResponseWithAnItem) {
  ResponseStore store(limits(10));
  store.put(kClient, "resp_1", {"1", {}, "[]", "[]", {"msg_a", "msg_b"}});
  store.put(kClient, "resp_2", {"2", {}, "[]", "[]", {"msg_b"}});
  EXPECT_EQ(store.find_with_item(kClient, "msg_a")->document->text(), "1");
  EXPECT_EQ(store.find_with_item(kClient, "msg_b")->document->text(), "2");
  EXPECT_FALSE(store.find_with_item(kClient + 1, "msg_a"));
  EXPECT_TRUE(store.erase(kClient, "resp_1"));
  EXPECT_FALSE(store.find_with_item(kClient, "msg_a"));
  EXPECT_EQ(store.find_with_item(kClient, "msg_b")->document->text(), "2");
  EXPECT_TRUE(store.erase(kClient, "resp_2"));
  EXPECT_FALSE(store.find_with_item(kClient, "msg_b"));
}

TEST(ResponseStore, CountsTheIdsOfItems) {
  ResponseStore store(limits(10));
  store.put(kClient, "resp_1", response_of(10));
  const std::uint64_t without = store.num_bytes();
  ResponseStore::NewResponse response = response_of(10);
  response.item_ids = {std::string(100, 'a'), std::string(100, 'b')};
  ResponseStore other(limits(10));
  other.put(kClient, "resp_1", std::move(response));
  EXPECT_GE(other.num_bytes(), without + 2 * 200U);
}

TEST(ResponseStore, DropsWhatNobodyAskedForTheLongest) {
  ResponseStore store(limits(2));
  store.put(kClient, "resp_1", response_of(10));
  store.put(kClient, "resp_2", response_of(10));
  EXPECT_TRUE(store.find(kClient, "resp_1"));
  store.put(kClient, "resp_3", response_of(10));
  EXPECT_TRUE(store.find(kClient, "resp_1"));
  EXPECT_FALSE(store.find(kClient, "resp_2"));
  EXPECT_EQ(store.num_responses(), 2U);
}

TEST(ResponseStore, TakesNoMoreMemoryThanItMay) {
  ResponseStore store(limits(1000, 100'000));
  for (int i = 0; i < 100; ++i) {
    store.put(kClient, "resp_" + std::to_string(i), response_of(1000));
    EXPECT_LE(store.num_bytes(), 100'000U);
  }
  EXPECT_GT(store.num_responses(), 20U);
  EXPECT_TRUE(store.find(kClient, "resp_99"));
  store.put(kClient, "resp_large", response_of(50'000));
  EXPECT_FALSE(store.find(kClient, "resp_large"));
  EXPECT_EQ(store.num_responses(), 0U);
  EXPECT_EQ(store.num_bytes(), 0U);
}

TEST(ResponseStore, SharesAConversationAmongItsResponses) {
  ResponseStore store(limits(1000));
  store.put(kClient, "resp_0", response_of(10'000));
  const std::uint64_t of_one = store.num_bytes();
  store.put(kClient, "resp_1", response_of(10, store.find(kClient, "resp_0")->conversation()));
  EXPECT_LT(store.num_bytes(), of_one + 1000);
  // What the second was made from stays without the first.
  EXPECT_TRUE(store.erase(kClient, "resp_0"));
  EXPECT_EQ(store.find(kClient, "resp_1")->input.size(), 3U);
  EXPECT_GT(store.num_bytes(), 20'000U);
  EXPECT_TRUE(store.erase(kClient, "resp_1"));
  EXPECT_EQ(store.num_bytes(), 0U);
}

TEST(ResponseStore, ForgetsWhatIsTooOld) {
  ResponseStore store(limits(10));
  const TimePoint begin = Clock::now();
  const auto after = [&](int minutes) { return begin + std::chrono::minutes(minutes); };
  store.put(kClient, "resp_1", response_of(10), begin);
  store.put(kClient, "resp_2", response_of(10), after(10));
  EXPECT_TRUE(store.find(kClient, "resp_1", after(59)));
  EXPECT_FALSE(store.find(kClient, "resp_1", after(61)));
  EXPECT_TRUE(store.find(kClient, "resp_2", after(61)));
  store.put(kClient, "resp_3", response_of(10), after(80));
  EXPECT_EQ(store.num_responses(), 1U);
}

TEST(ResponseStore, KeepsNothingIfItMayNot) {
  ResponseStore store(limits(0));
  EXPECT_FALSE(store.keeps_any());
  store.put(kClient, "resp_1", response_of(10));
  EXPECT_FALSE(store.find(kClient, "resp_1"));
}

}  // namespace
}  // namespace vernal::openai_http
