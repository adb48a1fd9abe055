// The conversation at a terminal, with scripted lines and events, and a console that keeps its
// text.
#include "stdin_repl/repl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "unit/stdin_repl/fake_console.hpp"
#include "unit/stdin_repl/fake_engine.hpp"
#include "unit/stdin_repl/scripted_lines.hpp"

namespace vernal::stdin_repl {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ReplTest : public ::testing::Test {
 protected:
  void run(std::vector<InputLine> lines) {
    ScriptedLines source(std::move(lines));
    Repl(source, chat_, screen_).run();
    prompts_ = source.prompts;
  }

  // The contents of the messages of a document that was sent, or its prompt.
  std::vector<std::string> sent(std::size_t index) const {
    const json::object document = json::parse(engine_.documents.at(index)).as_object();
    if (const json::value* prompt = document.if_contains("prompt")) {
      return {"prompt: " + std::string(prompt->as_string())};
    }
    std::vector<std::string> contents;
    for (const json::value& message : document.at("messages").as_array()) {
      contents.emplace_back(message.at("content").as_string());
    }
    return contents;
  }

  FakeEngine engine_;
  FakeConsole console_;
  Attention attention_;
  AnswerClient answers_{engine_.client(), attention_};
  Screen screen_{console_.client(), false};
  Settings settings_;
  Chat chat_{engine_.client(), answers_, screen_, settings_};
  std::vector<std::string> prompts_;
};

TEST_F(ReplTest, AnswersAndCarriesTheConversationOn) {
  engine_.scripts = {answer_of({"Hel", "lo."}), answer_of({"Fine.\n"})};
  run({typed("Hi"), typed("  "), typed("How are you?")});
  EXPECT_THAT(sent(0), ElementsAre("Hi"));
  EXPECT_THAT(sent(1), ElementsAre("Hi", "Hello.", "How are you?"));
  EXPECT_THAT(console_.written, HasSubstr("Hello.\n11 tokens in 0.5 s (20.0 tokens/s); prompt 35 "
                                          "tokens, 20 of them reused, in 0.3 s (50.0 tokens/s)\n"));
  EXPECT_THAT(console_.written, HasSubstr("Fine.\n11 tokens"));
  EXPECT_EQ(engine_.num_released, 2);
}

TEST_F(ReplTest, ShowsReasoningAndKeepsItWithTheAnswer) {
  engine_.scripts = {
      {{.type = VERNAL_EVENT_DELTA, .text = "Hm.", .channel = VERNAL_CHANNEL_REASONING},
       {.type = VERNAL_EVENT_DELTA, .text = "Yes."},
       {.type = VERNAL_EVENT_FINISHED}}};
  run({typed("Well?")});
  EXPECT_THAT(console_.written, HasSubstr("Hm.\nYes.\n"));
  ASSERT_EQ(chat_.conversation().messages.size(), 2u);
  EXPECT_EQ(chat_.conversation().messages[1], (Message{"assistant", "Yes.", "Hm."}));
}

TEST_F(ReplTest, PutsContinuedLinesAndBlocksTogether) {
  engine_.scripts = {answer_of({"a"}), answer_of({"b"}), answer_of({"c"}), answer_of({"d"})};
  run({typed("one\\"), typed("two"), typed("\"\"\""), typed("/quit is text\\"), typed("  end"),
       typed("\"\"\""), typed("\"\"\"same line\"\"\""), typed("\"\"\"first"), typed("last\"\"\"")});
  EXPECT_EQ(sent(0).back(), "one\ntwo");
  EXPECT_EQ(sent(1).back(), "/quit is text\\\n  end");
  EXPECT_EQ(sent(2).back(), "same line");
  EXPECT_EQ(sent(3).back(), "first\nlast");
  EXPECT_THAT(prompts_,
              ElementsAre("> ", "... ", "> ", "... ", "... ", "... ", "> ", "> ", "... ", "> "));
}

TEST_F(ReplTest, AnInterruptForgetsAnUnfinishedInput) {
  engine_.scripts = {answer_of({"a"})};
  run({typed("\"\"\""), typed("forgotten"), interrupted(), typed("kept")});
  EXPECT_THAT(sent(0), ElementsAre("kept"));
}

TEST_F(ReplTest, ASecondInterruptInARowHintsAtQuit) {
  run({interrupted(), typed(""), interrupted()});
  EXPECT_THAT(console_.written, Not(HasSubstr("ends the conversation")));
  run({interrupted(), interrupted(), interrupted()});
  EXPECT_THAT(console_.written, HasSubstr("/quit or Ctrl-D ends the conversation\n"));
}

TEST_F(ReplTest, AnInterruptStopsTheAnswerAndKeepsWhatCame) {
  engine_.scripts = {
      {{.type = VERNAL_EVENT_DELTA, .text = "Once upon"},
       {.type = VERNAL_EVENT_DELTA, .text = " a time", .before = [&] { attention_.interrupt(); }},
       {.type = VERNAL_EVENT_DELTA, .text = " never shown"}},
      answer_of({"there was"})};
  run({typed("A story."), typed("Go on.")});
  EXPECT_EQ(engine_.num_cancelled, 1);
  EXPECT_THAT(console_.written, HasSubstr("Once upon a time\nstopped\n"));
  EXPECT_THAT(console_.written, Not(HasSubstr("never shown")));
  EXPECT_THAT(sent(1), ElementsAre("A story.", "Once upon a time", "Go on."));
}

TEST_F(ReplTest, AnInterruptBeforeAnyTextTakesTheQuestionBack) {
  engine_.scripts = {{{.type = VERNAL_EVENT_ACCEPTED, .before = [&] { attention_.interrupt(); }}},
                     answer_of({"yes"})};
  run({typed("Wrong question"), typed("Right question")});
  EXPECT_THAT(sent(1), ElementsAre("Right question"));
}

TEST_F(ReplTest, AFailedRequestIsOneLineAndLeavesTheConversationAsItWas) {
  engine_.scripts = {answer_of({"Hello."}),
                     error_of(VERNAL_CONTEXT_OVERFLOW, "the prompt has 5000 tokens,\nof 4096"),
                     answer_of({"Fine."})};
  run({typed("Hi"), typed("too long"), typed("shorter"), typed("refused")});
  EXPECT_THAT(console_.written, HasSubstr("error: the prompt has 5000 tokens, of 4096\n"));
  EXPECT_THAT(sent(2), ElementsAre("Hi", "Hello.", "shorter"));
  EXPECT_THAT(console_.written, HasSubstr("error: 64 requests wait already\n"));
  EXPECT_EQ(chat_.conversation().messages.size(), 4u);
}

TEST_F(ReplTest, TextOfTheModelCannotControlTheTerminal) {
  engine_.scripts = {answer_of({"\033]0;title\007"}), error_of(VERNAL_INTERNAL, "\033[2J")};
  run({typed("Hi"), typed("Hi")});
  EXPECT_EQ(console_.written.find('\033'), std::string::npos);
  EXPECT_EQ(console_.written.find('\007'), std::string::npos);
}

TEST_F(ReplTest, RegenAnswersTheLastQuestionAgain) {
  engine_.scripts = {answer_of({"first"}), answer_of({"second"})};
  run({typed("Hi"), typed("/regen")});
  EXPECT_THAT(sent(1), ElementsAre("Hi"));
  EXPECT_EQ(chat_.conversation().messages.back().content, "second");
}

TEST_F(ReplTest, RegenThatFailsKeepsTheAnswerThatWasThere) {
  engine_.scripts = {answer_of({"first"}), error_of(VERNAL_INTERNAL, "no luck")};
  run({typed("/regen"), typed("Hi"), typed("/regen")});
  EXPECT_THAT(console_.written, HasSubstr("error: there is no question to answer again\n"));
  EXPECT_EQ(chat_.conversation().messages.back().content, "first");
}

TEST_F(ReplTest, SuggestsTheNearestCommand) {
  run({typed("/hlep"), typed("/xyzzy")});
  EXPECT_THAT(console_.written, HasSubstr("error: there is no command /hlep; did you mean /help?"));
  EXPECT_THAT(console_.written, HasSubstr("error: there is no command /xyzzy; /help lists them"));
  EXPECT_TRUE(engine_.documents.empty());
}

TEST_F(ReplTest, HelpNamesEveryCommand) {
  run({typed("/help")});
  for (const Command& command : commands()) {
    EXPECT_THAT(console_.written, HasSubstr("/" + std::string(command.name) + " "));
  }
}

TEST_F(ReplTest, QuitEndsBeforeTheNextLine) {
  run({typed("/quit"), typed("Hi")});
  EXPECT_TRUE(engine_.documents.empty());
}

TEST_F(ReplTest, TwoSlashesStandForOne) {
  engine_.scripts = {answer_of({"a"})};
  run({typed("//etc/passwd is what?")});
  EXPECT_THAT(sent(0), ElementsAre("/etc/passwd is what?"));
}

TEST_F(ReplTest, SetsOptionsOfRequests) {
  engine_.scripts = {answer_of({"a"}), answer_of({"b"})};
  run({typed("/set temperature 0"), typed("/set top_q 1"), typed("/set seed 42"), typed("/set"),
       typed("Hi"), typed("/set temperature default"), typed("Hi")});
  EXPECT_THAT(console_.written, HasSubstr("temperature = 0\n"));
  EXPECT_THAT(console_.written, HasSubstr("error: there is no option \"top_q\"; did you mean"));
  const json::object first = json::parse(engine_.documents.at(0)).as_object();
  EXPECT_EQ(first.at("sampling").at("temperature").to_number<double>(), 0.0);
  EXPECT_EQ(first.at("seed").to_number<int>(), 42);
  EXPECT_FALSE(json::parse(engine_.documents.at(1)).as_object().contains("sampling"));
}

TEST_F(ReplTest, ChangesAndForgetsTheSystemMessage) {
  engine_.scripts = {answer_of({"a"}), answer_of({"b"})};
  run({typed("/system Be brief."), typed("Hi"), typed("/clear"), typed("/system"),
       typed("/system none"), typed("Hi")});
  EXPECT_THAT(sent(0), ElementsAre("Be brief.", "Hi"));
  EXPECT_THAT(sent(1), ElementsAre("Hi"));
  EXPECT_THAT(console_.written, HasSubstr("no system message\n"));
}

TEST_F(ReplTest, SavesAndLoadsTheConversation) {
  const vernal::testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "a chat.json").string();
  engine_.scripts = {answer_of({"Hello."}), answer_of({"Fine."})};
  run({typed("Hi"), typed("/save " + path), typed("/clear"), typed("/load " + path),
       typed("And you?"), typed("/load"), typed("/load " + path + ".none")});
  EXPECT_THAT(sent(1), ElementsAre("Hi", "Hello.", "And you?"));
  EXPECT_THAT(console_.written, HasSubstr("error: expected /load FILE\n"));
  EXPECT_THAT(console_.written, HasSubstr("cannot be read: No such file"));
  EXPECT_EQ(chat_.conversation().messages.size(), 4u);
}

TEST_F(ReplTest, ChangesTheModel) {
  engine_.scripts = {answer_of({"a"}), answer_of({"b"})};
  run({typed("Hi"), typed("/model"), typed("/model plian"), typed("/model plain"),
       typed("Once upon a time")});
  EXPECT_THAT(console_.written, HasSubstr("* qwen  qwen2, 4096 tokens of context\n  plain"));
  EXPECT_THAT(console_.written, HasSubstr("did you mean \"plain\"?"));
  EXPECT_THAT(engine_.model_names, ElementsAre("qwen", "plain"));
}

TEST_F(ReplTest, CompletesTextWhereThereIsNoChatTemplate) {
  engine_.scripts = {answer_of({" there"}), answer_of({" was"})};
  run({typed("/model plain"), typed("Once upon"), typed("a time"), typed("/regen")});
  EXPECT_THAT(console_.written, HasSubstr("plain has no chat template"));
  EXPECT_THAT(sent(0), ElementsAre("prompt: Once upon"));
  EXPECT_THAT(sent(1), ElementsAre("prompt: a time"));
}

TEST_F(ReplTest, ShowsFiguresOfTheAnswersSoFar) {
  engine_.scripts = {answer_of({"a"}), answer_of({"b"})};
  run({typed("/stats"), typed("/stats off"), typed("Hi"), typed("/stats maybe")});
  EXPECT_THAT(console_.written, HasSubstr("no answer yet\n"));
  EXPECT_THAT(console_.written, Not(HasSubstr("tokens/s")));
  EXPECT_THAT(console_.written, HasSubstr("error: expected /stats, /stats on or /stats off"));
  run({typed("Hi"), typed("/stats")});
  EXPECT_THAT(console_.written, HasSubstr("last answer: 11 tokens in 0.5 s (20.0 tokens/s)"));
  EXPECT_THAT(console_.written, HasSubstr("2 answers: 22 tokens in 1.0 s (20.0 tokens/s)"));
  EXPECT_THAT(console_.written, HasSubstr("context: 46 of 4096 tokens"));
}

TEST_F(ReplTest, TellsWhenAnAnswerWasCutOrEmpty) {
  Script cut = answer_of({"Once"});
  cut[2].finish_reason = VERNAL_FINISH_LENGTH;
  engine_.scripts = {cut, answer_of({})};
  run({typed("Hi"), typed("Hi")});
  EXPECT_THAT(console_.written, HasSubstr("the answer was cut"));
  EXPECT_THAT(console_.written, HasSubstr("the answer is empty"));
}

TEST_F(ReplTest, AnEngineThatRefusesEverythingDoesNotEndTheLoop) {
  run({typed("Hi"), typed("Hi"), typed("/quit")});
  EXPECT_EQ(engine_.documents.size(), 2u);
}

TEST_F(ReplTest, ATerminalThatIsGoneEndsTheLoopAndTheRequest) {
  engine_.scripts = {{{.type = VERNAL_EVENT_DELTA,
                       .text = "a",
                       .before = [&] { console_.write_status = VERNAL_UNAVAILABLE; }},
                      {.type = VERNAL_EVENT_DELTA, .text = "b"}}};
  EXPECT_THROW(run({typed("Hi"), typed("Hi")}), Error);
  EXPECT_EQ(engine_.documents.size(), 1u);
  EXPECT_EQ(engine_.num_released, 1);
  EXPECT_EQ(answers_.active(), 0u);
}

TEST_F(ReplTest, TheEndOfTheProcessCancelsTheAnswer) {
  engine_.scripts = {
      {{.type = VERNAL_EVENT_DELTA, .text = "a", .before = [&] { attention_.stop(); }}}};
  run({typed("Hi")});
  EXPECT_EQ(engine_.num_cancelled, 1);
}

TEST(TerminalPrinter, ErasesTheProgressOfALongPrompt) {
  FakeConsole console;
  const Screen screen(console.client(), true);
  FakeEngine engine;
  Attention attention;
  AnswerClient answers(engine.client(), attention);
  Chat chat(engine.client(), answers, screen, {.shows_stats = false});
  engine.scripts = {{{.type = VERNAL_EVENT_PROGRESS, .done = 512, .total = 1024},
                     {.type = VERNAL_EVENT_DELTA, .text = "Yes."},
                     {.type = VERNAL_EVENT_FINISHED}}};
  chat.ask("long");
  EXPECT_EQ(console.written,
            "\r\033[K\033[2mreading the prompt: 512 of 1024 tokens\033[0m\r\033[KYes.\n");
}

}  // namespace
}  // namespace vernal::stdin_repl
