// Renders every published template of tests/golden/chat as the transformers library does.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "text/chat_template.hpp"

namespace vernal {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string golden(const std::string& name) {
  return std::string(VERNAL_GOLDEN_DIR) + "/chat/" + name;
}

/// The moment the renderings were made at: 2026-11-22T09:30:00.
LocalTime golden_time() { return {2026, 11, 22, 9, 30, 0, 0}; }

std::string text_of(const boost::json::value& value) {
  return std::string(value.as_string().begin(), value.as_string().end());
}

ChatTemplate::Inputs inputs_of(const boost::json::object& given) {
  ChatTemplate::Inputs inputs;
  for (const auto& [key, value] : given) {
    if (key == "messages") {
      inputs.messages = value.as_array();
    } else if (key == "tools") {
      inputs.tools = value.as_array();
    } else if (key == "add_generation_prompt") {
      inputs.add_generation_prompt = value.as_bool();
    } else if (key == "bos_token") {
      inputs.bos_token = text_of(value);
    } else if (key == "eos_token") {
      inputs.eos_token = text_of(value);
    } else {
      inputs.extra[key] = value;
    }
  }
  return inputs;
}

class TemplateShelf {
 public:
  const ChatTemplate& get(const std::string& name) {
    auto found = templates_.find(name);
    if (found == templates_.end()) {
      found = templates_
                  .emplace(name, ChatTemplate::parse(read_file(golden("templates/" + name)), name))
                  .first;
    }
    return found->second;
  }

 private:
  std::map<std::string, ChatTemplate> templates_;
};

void check_case(const ChatTemplate& chat_template, const boost::json::object& expected) {
  const ChatTemplate::Inputs inputs = inputs_of(expected.at("inputs").as_object());
  try {
    const std::string text = chat_template.render(inputs, {}, golden_time);
    ASSERT_TRUE(expected.contains("text")) << "rendered instead of failing: " << text;
    EXPECT_EQ(text, text_of(expected.at("text")));
  } catch (const TemplateRaised& raised) {
    ASSERT_TRUE(expected.contains("raised")) << raised.what();
    EXPECT_EQ(raised.what(), text_of(expected.at("raised")));
  } catch (const TemplateError& error) {
    EXPECT_TRUE(expected.contains("error")) << error.what();
  }
}

TEST(ChatTemplateGolden, RendersAsTransformersDoes) {
  const boost::json::value document = boost::json::parse(read_file(golden("cases.json")));
  TemplateShelf templates;
  std::size_t num_cases = 0;
  for (const boost::json::value& entry : document.at("cases").as_array()) {
    const boost::json::object& expected = entry.as_object();
    const std::string name = text_of(expected.at("template"));
    SCOPED_TRACE(name + " " + text_of(expected.at("case")));
    check_case(templates.get(name), expected);
    ++num_cases;
  }
  EXPECT_EQ(num_cases, 920u);
}

}  // namespace
}  // namespace vernal
