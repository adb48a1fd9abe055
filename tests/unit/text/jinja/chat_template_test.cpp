#include "text/chat_template.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <thread>
#include <vector>

#include "golden_file.hpp"
#include "render.hpp"

namespace vernal {
namespace {

ChatTemplate published(const std::string& name) {
  return ChatTemplate::parse(jinja::read_golden("templates/" + name), name);
}

ChatTemplate::Inputs hello() {
  ChatTemplate::Inputs inputs;
  inputs.messages = boost::json::parse(R"([{"role": "user", "content": "Hello"}])").as_array();
  return inputs;
}

TEST(ChatTemplate, PassesTokensAndExtraVariables) {
  const ChatTemplate chat_template =
      ChatTemplate::parse("{{ bos_token }}{{ messages[0].content }}{{ mood }}{{ eos_token }}");
  ChatTemplate::Inputs inputs = hello();
  inputs.bos_token = "<s>";
  inputs.eos_token = "</s>";
  inputs.extra = {{"mood", "!"}, {"messages", "replaced"}};
  EXPECT_EQ(chat_template.render(inputs, {}, jinja::test_time), "<s>Hello!</s>");
}

TEST(ChatTemplate, LeavesToolsUndefinedWhenThereAreNone) {
  const ChatTemplate chat_template = ChatTemplate::parse("{{ tools is defined }}");
  ChatTemplate::Inputs inputs = hello();
  EXPECT_EQ(chat_template.render(inputs, {}, jinja::test_time), "False");
  inputs.tools = {1};
  EXPECT_EQ(chat_template.render(inputs, {}, jinja::test_time), "True");
}

TEST(ChatTemplate, AsksTheClockItIsGiven) {
  const ChatTemplate chat_template = ChatTemplate::parse("{{ strftime_now('%d %b %Y, %H:%M') }}");
  EXPECT_EQ(chat_template.render(hello(), {}, jinja::test_time), "22 Nov 2026, 09:30");
  EXPECT_EQ(chat_template.render(hello(), {}, system_clock()).size(), 18u);
}

TEST(ChatTemplate, FailsCleanlyWithoutAClock) {
  const ChatTemplate chat_template = ChatTemplate::parse("{{ strftime_now('%d') }}");
  EXPECT_THROW(chat_template.render(hello(), {}, nullptr), TemplateError);
}

TEST(ChatTemplate, StartsMessagesWithItsName) {
  try {
    ChatTemplate::parse("\n{{ 1 +").render(hello(), {}, jinja::test_time);
    FAIL() << "rendered";
  } catch (const TemplateError& error) {
    EXPECT_STREQ(error.what(), "chat template line 2: a tag has no end; expected '}}'");
  }
}

TEST(ChatTemplate, RendersOnManyThreadsAtOnce) {
  const ChatTemplate chat_template = published("Qwen3.5-4B.jinja");
  const std::string expected = chat_template.render(hello(), {}, jinja::test_time);
  std::vector<std::string> rendered(8);
  std::vector<std::thread> threads;
  for (std::string& text : rendered) {
    threads.emplace_back([&chat_template, &text] {
      for (int i = 0; i < 20; ++i) {
        text = chat_template.render(hello(), {}, jinja::test_time);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(rendered, std::vector<std::string>(8, expected));
}

TEST(ChatTemplate, RendersALongConversationWithinItsLimits) {
  const ChatTemplate chat_template = published("Qwen3.5-4B.jinja");
  ChatTemplate::Inputs inputs;
  for (int i = 0; i < 500; ++i) {
    inputs.messages.push_back({{"role", "user"}, {"content", std::string(2000, 'q')}});
    inputs.messages.push_back({{"role", "assistant"}, {"content", std::string(2000, 'a')}});
  }
  inputs.messages.push_back({{"role", "user"}, {"content", "last"}});
  EXPECT_GT(chat_template.render(inputs, {}, jinja::test_time).size(), 2'000'000u);
}

}  // namespace
}  // namespace vernal
