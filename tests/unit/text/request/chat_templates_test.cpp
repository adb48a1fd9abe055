// Which chat templates a model file has, and which one the deployment chooses.
#include "loading/chat_templates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "model/gguf_file.hpp"
#include "support/gguf_writer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ChatTemplates : public testing::Test {
 protected:
  void add(std::string key, std::string_view source) { writer_.add_string(std::move(key), source); }

  const GgufMetadata& metadata() {
    bytes_ = writer_.bytes();
    file_ = GgufFile::parse(bytes_, "made.gguf");
    return file_->metadata();
  }

  static ModelSettings settings(std::string chat_template) {
    ModelSettings settings;
    settings.name = "m";
    settings.chat_template = std::move(chat_template);
    return settings;
  }

  static std::string rendered(const std::shared_ptr<const ChatTemplate>& chat_template) {
    return chat_template ? chat_template->render({}, {}, system_clock()) : "none";
  }

  test::GgufWriter writer_;

 private:
  std::vector<std::byte> bytes_;
  std::optional<GgufFile> file_;
};

TEST_F(ChatTemplates, AreNamedByTheirKeys) {
  add("tokenizer.chat_template.rag", "rag");
  add("tokenizer.chat_template", "chat");
  add("tokenizer.chat_template.tool_use", "tools");
  add("tokenizer.chat_templates", "no template");
  std::vector<std::string> found;
  for (const StoredTemplate& stored : stored_chat_templates(metadata())) {
    found.push_back(std::string(stored.name) + "=" + std::string(stored.source));
  }
  EXPECT_THAT(found, ElementsAre("rag=rag", "default=chat", "tool_use=tools"));
}

TEST_F(ChatTemplates, ServeToolsFromTheOneForTools) {
  add("tokenizer.chat_template", "chat");
  add("tokenizer.chat_template.tool_use", "tools");
  const ModelTemplates templates = load_chat_templates(metadata(), settings("file"));
  EXPECT_EQ(rendered(templates.chat), "chat");
  EXPECT_EQ(rendered(templates.tool_use), "tools");
}

TEST_F(ChatTemplates, AreChosenByName) {
  add("tokenizer.chat_template", "chat");
  add("tokenizer.chat_template.tool_use", "tools");
  add("tokenizer.chat_template.rag", "rag");
  const ModelTemplates templates = load_chat_templates(metadata(), settings("file:rag"));
  EXPECT_EQ(rendered(templates.chat), "rag");
  EXPECT_EQ(rendered(templates.tool_use), "none");
  EXPECT_EQ(rendered(load_chat_templates(metadata(), settings("file:default")).chat), "chat");
}

TEST_F(ChatTemplates, RefuseANameThatIsNotThere) {
  add("tokenizer.chat_template", "chat");
  add("tokenizer.chat_template.rag", "rag");
  EXPECT_NO_THROW(check_chosen_template(metadata(), settings("file:rag")));
  EXPECT_NO_THROW(check_chosen_template(metadata(), settings("file")));
  try {
    check_chosen_template(metadata(), settings("file:tools"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_NOT_FOUND);
    EXPECT_STREQ(error.what(),
                 "chat_template = \"file:tools\": expected a chat template of the model file; it "
                 "has: default, rag");
  }
}

TEST_F(ChatTemplates, RefuseADefaultThatIsNoText) {
  writer_.add_integers("tokenizer.chat_template", GgufKind::kInt32, {1, 2});
  EXPECT_THROW(check_chosen_template(metadata(), settings("file")), Error);
  EXPECT_TRUE(stored_chat_templates(metadata()).empty());
}

TEST_F(ChatTemplates, SayWhyThereIsNone) {
  EXPECT_EQ(load_chat_templates(metadata(), settings("file")).problem,
            "the model file has no chat template");
  EXPECT_THAT(load_chat_templates(metadata(), settings("none")).problem, HasSubstr("\"none\""));
  add("tokenizer.chat_template.tool_use", "{{ 1 +");
  EXPECT_THAT(load_chat_templates(metadata(), settings("file")).problem,
              HasSubstr("only tool_use"));
  EXPECT_THAT(load_chat_templates(metadata(), settings("file:tool_use")).problem,
              HasSubstr("line 1"));
}

}  // namespace
}  // namespace vernal
