// What chats and completions answer alike: warnings, timings and progress.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "openai_http/openai/chat_answer.hpp"
#include "openai_http/openai/completion_answer.hpp"
#include "unit/openai_http/openai/answer_fixture.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::chunks_of;
using testing::hello;
using testing::kIdentity;
using testing::MockEvent;
using testing::play;
using testing::request_of;

TEST(Warnings, StandInTheDocumentOrInTheFirstChunk) {
  const json::array expected = {"Tools stand in a preamble.", "The budget was cut."};
  for (const bool is_chat : {true, false}) {
    for (const bool is_streamed : {true, false}) {
      const GenerationRequest request = request_of(is_streamed);
      const auto answer = is_chat ? make_chat_answer(request, kIdentity)
                                  : make_completion_answer(request, kIdentity);
      answer->warn("Tools stand in a preamble.\nThe budget was cut.");
      answer->warn("The budget was cut.");
      answer->warn("");
      const std::string out = play(*answer, hello());
      if (!is_streamed) {
        EXPECT_EQ(json::parse(out).at("warnings"), expected);
        continue;
      }
      const std::vector<json::object> chunks = chunks_of(out);
      EXPECT_EQ(chunks.front().at("warnings"), expected);
      EXPECT_FALSE(chunks.back().contains("warnings"));
    }
  }
}

TEST(Warnings, AreAbsentWithoutAReason) {
  const auto answer = make_chat_answer(request_of(false), kIdentity);
  EXPECT_FALSE(json::parse(play(*answer, hello())).as_object().contains("warnings"));
}

TEST(Streams, TellTimingsAndProgressIfTheyAreAskedFor) {
  for (const bool is_chat : {true, false}) {
    GenerationRequest request = request_of(true);
    request.timings_per_token = true;
    request.reports_progress = true;
    const auto answer =
        is_chat ? make_chat_answer(request, kIdentity) : make_completion_answer(request, kIdentity);
    MockEvent start = testing::started(4);
    start.prompt_tokens = 10;
    MockEvent first = testing::delta("a");
    first.prompt_tokens = 10;
    first.cached_tokens = 4;
    first.completion_tokens = 1;
    MockEvent second = first;
    second.completion_tokens = 2;
    const auto chunks = chunks_of(play(*answer, {start, first, second, testing::finished()}));
    std::vector<const json::object*> told;
    for (const json::object& chunk : chunks) {
      if (chunk.contains("timings") || chunk.contains("prompt_progress")) told.push_back(&chunk);
    }
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0]->at("prompt_progress"),
              json::parse(R"({"total":10,"cache":4,"processed":4,"time_ms":2.0})"));
    EXPECT_EQ(told[1]->at("prompt_progress").at("processed"), 10);
    EXPECT_EQ(told[1]->at("timings").at("predicted_n"), 1);
    EXPECT_EQ(told[1]->at("timings").at("prompt_n"), 6);
    EXPECT_EQ(told[2]->at("timings").at("predicted_n"), 2);
    EXPECT_FALSE(told[2]->contains("prompt_progress"));
    const auto plain = is_chat ? make_chat_answer(request_of(true), kIdentity)
                               : make_completion_answer(request_of(true), kIdentity);
    for (const json::object& chunk : chunks_of(play(*plain, {start, first, testing::finished()}))) {
      EXPECT_FALSE(chunk.contains("timings") || chunk.contains("prompt_progress"));
    }
  }
}

TEST(Timings, CountWhatWasDecodedAfterTheFirstToken) {
  const auto speed = [](std::uint32_t n, std::uint64_t tokens) {
    const auto answer = make_chat_answer(request_of(false, n), kIdentity);
    const json::value document = json::parse(play(*answer, {testing::finished(10, tokens)}));
    return document.at("timings").at("predicted_per_second").to_number<double>();
  };
  EXPECT_EQ(speed(1, 0), 0.0);
  EXPECT_EQ(speed(1, 1), 0.0);
  EXPECT_EQ(speed(1, 5), 1000.0);
  EXPECT_EQ(speed(3, 7), 1000.0);
}

TEST(Timings, TellOfGuessesWhereThereWereSome) {
  const auto document = [](std::uint64_t guessed, std::uint64_t accepted) {
    testing::MockEvent end = testing::finished();
    end.draft_tokens = guessed;
    end.accepted_tokens = accepted;
    const auto answer = make_chat_answer(request_of(false), kIdentity);
    return json::parse(play(*answer, {testing::delta("a"), testing::choice_finished(), end}));
  };
  const json::value some = document(9, 7);
  EXPECT_EQ(some.at("timings").at("draft_n"), 9);
  EXPECT_EQ(some.at("timings").at("draft_n_accepted"), 7);
  const json::value& details = some.at("usage").at("completion_tokens_details");
  EXPECT_EQ(details.at("accepted_prediction_tokens"), 7);
  EXPECT_EQ(details.at("rejected_prediction_tokens"), 2);
  EXPECT_FALSE(document(0, 0).at("timings").as_object().contains("draft_n"));
}

}  // namespace
}  // namespace vernal::openai_http
