// The console's thread with a pipe: one prompt, one answer, and how it ends.
#include "stdin_repl/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <future>
#include <string>

#include "unit/stdin_repl/fake_console.hpp"
#include "unit/stdin_repl/fake_engine.hpp"
#include "unit/stdin_repl/fake_host.hpp"

namespace vernal::stdin_repl {
namespace {

using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe(pipe_.data()), 0);
    console_.input = pipe_[0];
    take_log();
  }
  void TearDown() override {
    ::close(pipe_[0]);
    close_input();
  }

  void type(const std::string& text) {
    ASSERT_EQ(::write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_input() {
    if (pipe_[1] >= 0) ::close(pipe_[1]);
    pipe_[1] = -1;
  }
  // Runs a session on the given input. Returns the error that the core gets at its end.
  std::string run(const Settings& settings = {}) {
    close_input();
    Session session(settings, engine_.client(), console_.client());
    std::future<std::string> finished = console_.finished.get_future();
    session.start();
    std::string error = finished.get();
    session.stop();
    return error;
  }

  std::array<int, 2> pipe_{-1, -1};
  FakeEngine engine_;
  FakeConsole console_;
};

TEST_F(SessionTest, WritesTheAnswerAndNothingElse) {
  Script script = answer_of({"Hel", "lo"});
  script[0].text = "a warning";
  script.insert(script.begin() + 1,
                {.type = VERNAL_EVENT_DELTA, .text = "Hm.", .channel = VERNAL_CHANNEL_REASONING});
  engine_.scripts = {script};
  type("What is\nthis?\n");
  EXPECT_EQ(run({.system = "Be brief.", .max_tokens = 9}), "");
  EXPECT_EQ(console_.written, "Hello\n");
  EXPECT_EQ(engine_.documents.at(0),
            R"({"kind":"generate","messages":[{"role":"system","content":"Be brief."},)"
            R"({"role":"user","content":"What is\nthis?"}],"max_tokens":9})");
  const std::vector<LogLine> log = take_log();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].text, "a warning");
}

TEST_F(SessionTest, PassesBytesOfTheAnswerThroughAsTheyAre) {
  engine_.scripts = {answer_of({"\033[1mbold\r\n"})};
  type("Hi");
  EXPECT_EQ(run(), "");
  EXPECT_EQ(console_.written, "\033[1mbold\r\n");
}

TEST_F(SessionTest, KeepsControlCharactersFromATerminal) {
  console_.is_output_terminal = true;
  engine_.scripts = {answer_of({"\033[1mbold"})};
  type("Hi");
  EXPECT_EQ(run(), "");
  EXPECT_EQ(console_.written, "␛[1mbold\n");
}

TEST_F(SessionTest, AFailedRequestIsLoggedAndSeenByTheCore) {
  engine_.scripts = {error_of(VERNAL_CONTEXT_OVERFLOW, "the prompt is too long")};
  type("Hi\n");
  EXPECT_EQ(run(), "the prompt is too long");
  EXPECT_EQ(console_.written, "");
  const std::vector<LogLine> log = take_log();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].level, VERNAL_LOG_ERROR);
  EXPECT_EQ(log[0].text, "the prompt is too long");
}

TEST_F(SessionTest, AnEmptyInputIsAnError) {
  type(" \n");
  EXPECT_THAT(run(), HasSubstr("standard input: expected a prompt"));
  EXPECT_TRUE(engine_.documents.empty());
}

TEST_F(SessionTest, AnUnknownModelIsAnError) {
  type("Hi\n");
  EXPECT_THAT(run({.model = "qwne"}), HasSubstr("did you mean \"qwen\"?"));
}

TEST_F(SessionTest, CompletesTextWhereThereIsNoChatTemplate) {
  engine_.scripts = {answer_of({" there was"})};
  type("Once upon\n");
  EXPECT_EQ(run({.model = "plain"}), "");
  EXPECT_EQ(engine_.documents.at(0), R"({"kind":"generate","prompt":"Once upon"})");
  EXPECT_EQ(console_.written, " there was\n");
}

TEST_F(SessionTest, AClosedOutputAbandonsTheRequest) {
  engine_.scripts = {answer_of({"a", "b"})};
  console_.write_status = VERNAL_UNAVAILABLE;
  type("Hi\n");
  EXPECT_NE(run(), "");
  EXPECT_EQ(engine_.num_released, 1);
}

TEST_F(SessionTest, OneTerminalOfTwoIsNoConversation) {
  console_.is_input_terminal = true;
  engine_.scripts = {answer_of({"Hello"})};
  type("/help\n");
  EXPECT_EQ(run(), "");
  EXPECT_EQ(console_.written, "Hello\n");
}

TEST_F(SessionTest, StopsWhileItWaitsForInput) {
  Session session({}, engine_.client(), console_.client());
  session.start();
  session.stop();
  EXPECT_TRUE(engine_.documents.empty());
}

TEST_F(SessionTest, StopsInTheMiddleOfAnAnswer) {
  std::promise<void> submitted;
  engine_.scripts = {
      {{.type = VERNAL_EVENT_DELTA, .text = "a", .before = [&] { submitted.set_value(); }}}};
  type("Hi\n");
  close_input();
  Session session({}, engine_.client(), console_.client());
  session.start();
  submitted.get_future().wait();
  EXPECT_EQ(session.active(), 1u);
  session.begin_drain();
  session.stop();
  EXPECT_EQ(engine_.num_cancelled, 1);
  EXPECT_EQ(session.active(), 0u);
}

}  // namespace
}  // namespace vernal::stdin_repl
