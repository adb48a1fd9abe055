// Renders every published template of tests/golden/chat as the transformers library does.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>
#include <string>

#include "golden_file.hpp"
#include "render.hpp"
#include "text/chat_template.hpp"

namespace vernal {
namespace {

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
      inputs.bos_token = jinja::string_of(value);
    } else if (key == "eos_token") {
      inputs.eos_token = jinja::string_of(value);
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
                  .emplace(name, ChatTemplate::parse(jinja::read_golden("templates/" + name), name))
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
    const std::string text = chat_template.render(inputs, {}, jinja::test_time);
    ASSERT_TRUE(expected.contains("text")) << "rendered instead of failing: " << text;
    EXPECT_EQ(text, jinja::string_of(expected.at("text")));
  } catch (const TemplateRaised& raised) {
    ASSERT_TRUE(expected.contains("raised")) << raised.what();
    EXPECT_EQ(raised.what(), jinja::string_of(expected.at("raised")));
  } catch (const TemplateError& error) {
    EXPECT_TRUE(expected.contains("error")) << error.what();
  }
}

TEST(ChatTemplateGolden, RendersAsTransformersDoes) {
  const boost::json::value document = boost::json::parse(jinja::read_golden("cases.json"));
  TemplateShelf templates;
  std::size_t num_cases = 0;
  for (const boost::json::value& entry : document.at("cases").as_array()) {
    const boost::json::object& expected = entry.as_object();
    const std::string name = jinja::string_of(expected.at("template"));
    SCOPED_TRACE(name + " " + jinja::string_of(expected.at("case")));
    check_case(templates.get(name), expected);
    ++num_cases;
  }
  EXPECT_EQ(num_cases, 920u);
}

}  // namespace
}  // namespace vernal
