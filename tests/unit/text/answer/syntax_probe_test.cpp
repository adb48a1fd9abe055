// What is learned of answers from the templates that are published with models.
#include "text/answer/syntax_probe.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "unit/text/answer/answer_case.hpp"

namespace vernal {
namespace {

const std::string kFolder = VERNAL_REFERENCE_DIR;

ProbedSyntax probed_source(const std::string& source) {
  const ChatTemplate chat_template = ChatTemplate::parse(source, "template");
  return probe_answer_syntax(chat_template, probe_template(chat_template),
                             [](std::string_view text) { return text == "<|tool_call_start|>"; });
}

ProbedSyntax probed(const std::string& file) {
  std::ifstream stream = open_file(kFolder + "/chat/templates/" + file);
  return probed_source(std::string((std::istreambuf_iterator<char>(stream)), {}));
}

/// Every published template, probed once.
const std::map<std::string, ProbedSyntax>& all_probed() {
  static const std::map<std::string, ProbedSyntax> all = [] {
    std::map<std::string, ProbedSyntax> out;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder + "/chat/templates")) {
      out.emplace(entry.path().filename().string(), probed(entry.path().filename().string()));
    }
    return out;
  }();
  return all;
}

TEST(SyntaxProbe, NamesTheFamilyWhoseFormTheTemplatePrints) {
  const std::map<std::string, std::string> expected = {
      {"Qwen-Qwen2.5-7B-Instruct.jinja", "hermes"},
      {"Qwen3.5-4B.jinja", "qwen3_xml"},
      {"GLM-4.6.jinja", "glm"},
      {"deepseek-ai-DeepSeek-V3.1.jinja", "deepseek_v31"},
      {"meta-llama-Llama-3.1-8B-Instruct.jinja", "llama3"},
      {"mistralai-Mistral-Nemo-Instruct-2407.jinja", "mistral_v3"},
      {"unsloth-mistral-Devstral-Small-2507.jinja", "mistral_v11"},
      {"google-gemma-4-31B-it-interleaved.jinja", "gemma4"},
      {"meetkai-functionary-medium-v3.1.jinja", "functionary_v31"},
      {"muse-glimmer.jinja", "unnamed"}};
  for (const auto& [file, family] : expected) {
    EXPECT_EQ(all_probed().at(file).syntax.family, family) << file;
    EXPECT_EQ(all_probed().at(file).origin, SyntaxOrigin::kLearned) << file;
  }
}

TEST(SyntaxProbe, LearnsWhatTheTemplateWritesBehindReasoning) {
  EXPECT_EQ(all_probed().at("Qwen3.5-4B.jinja").syntax.thinking_end, "\n</think>\n\n");
  EXPECT_EQ(all_probed().at("GLM-4.6.jinja").syntax.thinking_end, "</think>\n");
  EXPECT_EQ(all_probed().at("Apriel-1.6-15b-Thinker-fixed.jinja").syntax.thinking_end,
            "\n[BEGIN FINAL RESPONSE]\n");
}

TEST(SyntaxProbe, TakesMarksThatNoFamilyHasFromTheTemplate) {
  const std::string head = "{% for m in messages %}{{ '<' + m.role + '>' }}{{ m.content or '' }}";
  const std::string tail =
      "{{ '</' + m.role + '>' }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
  const std::string loop = "{% for c in m.tool_calls or [] %}";
  const ProbedSyntax json = probed_source(head + loop +
                                          "<<call>>{{ {'name': c.function.name, 'arguments': "
                                          "c.function.arguments} | tojson }}<</call>>{% endfor %}" +
                                          tail);
  const ProbedSyntax tags = probed_source(
      head + loop +
      "<my:run tool=\"{{ c.function.name }}\">{% for k, v in c.function.arguments.items() %}"
      "<my:arg is=\"{{ k }}\">{{ v }}</my:arg>{% endfor %}</my:run>{% endfor %}" +
      tail);
  for (const ProbedSyntax* found : {&json, &tags}) {
    EXPECT_EQ(found->origin, SyntaxOrigin::kLearned);
    EXPECT_EQ(found->syntax.family, "unnamed");
  }
  AnswerCase answer;
  answer.tools = read_answer_cases(kFolder + "/answers").front().tools;
  answer.text =
      "Now.<my:run tool=\"get_weather\"><my:arg is=\"city\">Bonn</my:arg><my:arg "
      "is=\"days\">2</my:arg></my:run>";
  const WholeAnswer whole = parse_whole(tags.syntax, answer);
  ASSERT_EQ(whole.calls.size(), 1U);
  EXPECT_EQ(whole.content, "Now.");
  EXPECT_EQ(whole.calls[0].arguments, R"({"city":"Bonn","days":2})");
}

TEST(SyntaxProbe, AssumesTagsAndBareObjectsWhereNothingIsShown) {
  const ProbedSyntax found =
      probe_answer_syntax(ChatTemplate::parse("{% for m in messages %}{{ m.content }}{% endfor %}"),
                          {}, [](std::string_view) { return false; });
  EXPECT_EQ(found.origin, SyntaxOrigin::kAssumed);
  EXPECT_EQ(found.syntax.family, "hermes");
}

TEST(SyntaxProbe, SeesThatAPromptEndsInTheThinking) {
  const AnswerSyntax& hermes = *find_answer_syntax("hermes");
  EXPECT_TRUE(ends_in_thinking("<|im_start|>assistant\n<think>\n", hermes));
  EXPECT_FALSE(ends_in_thinking("<|im_start|>assistant\n<think>\n\n</think>\n\n", hermes));
  EXPECT_TRUE(ends_in_thinking("Here are my reasoning steps:\n", *find_answer_syntax("apriel")));
}

TEST(SyntaxProbe, LearnsToReadTheAnswersOfThePublishedTemplates) {
  std::size_t num_read = 0;
  for (const AnswerCase& answer : read_answer_cases(kFolder + "/answers")) {
    if (answer.template_file.empty()) continue;
    SCOPED_TRACE(answer.id + " " + answer.template_file);
    const ProbedSyntax& found = all_probed().at(answer.template_file);
    const WholeAnswer named = parse_whole(*find_answer_syntax(answer.family), answer);
    EXPECT_EQ(parse_whole(found.syntax, answer), named) << found.syntax.family << "\n"
                                                        << answer.text;
    ++num_read;
  }
  EXPECT_GT(num_read, 150U);
}

}  // namespace
}  // namespace vernal
