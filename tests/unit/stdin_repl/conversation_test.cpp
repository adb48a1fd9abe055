// Conversations, their files, and the documents that are made from them.
#include "stdin_repl/conversation.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

namespace json = boost::json;

std::string refusal_of(const std::filesystem::path& path) {
  try {
    Conversation::load(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

Conversation greeting() {
  Conversation conversation;
  conversation.system = "Be brief.";
  conversation.messages = {{"user", "Grüße\n\"quoted\" \\ 🙂", {}},
                           {"assistant", "Hello", "The user greets."}};
  return conversation;
}

class ConversationTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    const std::filesystem::path path = folder_.path() / "file.json";
    std::ofstream(path) << text;
    return path;
  }

  vernal::testing::TemporaryFolder folder_;
};

TEST_F(ConversationTest, AsksWithTheWholeConversation) {
  GenerationOptions options;
  options.set("temperature", "0.5");
  options.set("seed", "-7");
  const json::value document = json::parse(greeting().request(options));
  EXPECT_EQ(document, json::parse(R"({"kind": "generate", "messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "user", "content": "Grüße\n\"quoted\" \\ 🙂"},
      {"role": "assistant", "content": "Hello", "reasoning_content": "The user greets."}],
      "sampling": {"temperature": 0.5}, "seed": -7})"));
}

TEST_F(ConversationTest, AsksForACompletionOfPlainText) {
  EXPECT_EQ(json::parse(completion_request("Once upon", {})),
            json::parse(R"({"kind": "generate", "prompt": "Once upon"})"));
}

TEST_F(ConversationTest, ComesBackFromAFileThatAnEditorMarked) {
  const std::filesystem::path path = folder_.path() / "chat.json";
  const Conversation saved = greeting();
  saved.save(path, "qwen");
  std::string text;
  std::getline(std::ifstream(path), text, '\0');
  std::ofstream(path, std::ios::binary) << "\xEF\xBB\xBF" << text;
  Conversation::load(path).save(path, "qwen");
  std::string again;
  std::getline(std::ifstream(path), again, '\0');
  EXPECT_EQ(again, text);
}

TEST_F(ConversationTest, ComesBackFromItsFile) {
  const std::filesystem::path path = folder_.path() / "chat.json";
  const Conversation saved = greeting();
  saved.save(path, "qwen");
  saved.save(path, "qwen");  // over itself
  const Conversation loaded = Conversation::load(path);
  EXPECT_EQ(loaded.system, saved.system);
  EXPECT_EQ(loaded.messages, saved.messages);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "chat.json.partial"));
}

TEST_F(ConversationTest, NamesThePathItCannotWrite) {
  const std::filesystem::path path = folder_.path() / "no" / "folder" / "chat.json";
  try {
    greeting().save(path, "qwen");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              path.string() + ": cannot be written: No such file or directory");
  }
}

TEST_F(ConversationTest, RefusesFilesThatAreNoConversation) {
  EXPECT_NE(refusal_of(folder_.path() / "none.json").find("No such file"), std::string::npos);
  EXPECT_NE(refusal_of(folder_.path()).find("is a folder"), std::string::npos);
  EXPECT_NE(refusal_of(write("{\"format\": ")).find("is no JSON"), std::string::npos);
  EXPECT_NE(refusal_of(write("[1, 2]")).find("is no saved conversation"), std::string::npos);
  EXPECT_NE(refusal_of(write(R"({"format": "vernal.conversation/1"})")).find("messages: expected"),
            std::string::npos);
}

TEST_F(ConversationTest, NamesTheMessageThatIsWrong) {
  const auto refusal_of_messages = [&](const std::string& messages) {
    return refusal_of(
        write(R"({"format": "vernal.conversation/1", "messages": )" + messages + "}"));
  };
  EXPECT_NE(refusal_of_messages(R"([{"role": "user"}])").find("messages[0].content: expected a"),
            std::string::npos);
  EXPECT_NE(refusal_of_messages(R"(["hello"])").find("messages[0]: expected an object"),
            std::string::npos);
  EXPECT_NE(refusal_of_messages(R"([{"role": "user", "content": "a"},
                                    {"role": "system", "content": "b"}])")
                .find("messages[1].role: expected user or assistant"),
            std::string::npos);
}

TEST(GenerationOptions, AreLeftOutUntilSetAndAgainAfterDefault) {
  GenerationOptions options;
  json::object document;
  options.add_to(document);
  EXPECT_TRUE(document.empty());
  options.set("top_k", "40");
  options.set("min_p", "0.05");
  options.set("max_tokens", "128");
  options.set("thinking", "off");
  options.set("top_k", "default");
  options.add_to(document);
  EXPECT_EQ(document, json::parse(R"({"sampling": {"min_p": 0.05}, "max_tokens": 128,
                                      "thinking": "off"})"));
  EXPECT_EQ(options.value_of("top_k"), "default");
  EXPECT_EQ(options.value_of("min_p"), "0.05");
  EXPECT_EQ(options.value_of("thinking"), "off");
}

TEST(GenerationOptions, RefuseValuesOfAnotherKind) {
  GenerationOptions options;
  for (const auto& [name, value] : {std::pair{"temperature", "nan"},
                                    {"temperature", "1x"},
                                    {"top_k", "1.5"},
                                    {"max_tokens", "many"},
                                    {"seed", "99999999999999999999"}}) {
    EXPECT_THROW(options.set(name, value), Error) << name << " " << value;
    EXPECT_EQ(options.value_of(name), "default");
  }
}

TEST(GenerationOptions, PassValuesOutOfRangeToTheCoreWhichRefusesThem) {
  GenerationOptions options;
  options.set("temperature", "2.5");
  options.set("top_k", "-1");
  options.set("thinking", "perhaps");
  json::object document;
  options.add_to(document);
  EXPECT_EQ(document, json::parse(R"({"sampling": {"temperature": 2.5, "top_k": -1},
                                      "thinking": "perhaps"})"));
}

TEST(GenerationOptions, SuggestTheNearestName) {
  GenerationOptions options;
  try {
    options.set("temprature", "1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "there is no option \"temprature\"; did you mean \"temperature\"?");
  }
}

}  // namespace
}  // namespace vernal::stdin_repl
