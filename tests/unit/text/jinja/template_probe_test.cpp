#include "text/template_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "golden_file.hpp"

namespace vernal {
namespace {

using testing::UnorderedElementsAre;

TemplateCapabilities published(const std::string& name) {
  return probe_template(ChatTemplate::parse(jinja::read_golden("templates/" + name), name));
}

TemplateCapabilities found_in(std::string_view source) {
  return probe_template(ChatTemplate::parse(source));
}

/// Every template of tests/golden/chat, probed once.
class PublishedTemplates : public testing::Test {
 protected:
  using Predicate = std::function<bool(const TemplateCapabilities&)>;

  static void SetUpTestSuite() {
    const auto folder = std::filesystem::path(VERNAL_GOLDEN_DIR) / "chat/templates";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      found_.emplace(entry.path().stem().string(), published(name));
    }
  }

  static std::vector<std::string> all_that(const Predicate& is_so) {
    std::vector<std::string> names;
    for (const auto& [name, capabilities] : found_) {
      if (is_so(capabilities)) names.push_back(name);
    }
    return names;
  }

  /// Of those that print calls.
  static std::size_t num_callers_that(const Predicate& is_so) {
    return all_that([&](const TemplateCapabilities& found) {
             return found.supports_tool_calls && is_so(found);
           })
        .size();
  }

  inline static std::map<std::string, TemplateCapabilities> found_;
};

TEST_F(PublishedTemplates, TakeArgumentsInThreeForms) {
  ASSERT_EQ(found_.size(), 49U);
  const auto takes = [](ArgumentForm form) {
    return [form](const TemplateCapabilities& found) { return found.arguments == form; };
  };
  EXPECT_EQ(num_callers_that([](const auto&) { return true; }), 40U);
  EXPECT_EQ(num_callers_that(takes(ArgumentForm::kEither)), 9U);
  EXPECT_EQ(num_callers_that(takes(ArgumentForm::kObject)), 30U);
  EXPECT_EQ(num_callers_that(takes(ArgumentForm::kText)), 1U);
  EXPECT_EQ(published("deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja").arguments,
            ArgumentForm::kText);
}

TEST_F(PublishedTemplates, AskForNullOrForText) {
  EXPECT_THAT(
      all_that([](const auto& found) { return found.empty_content == EmptyContent::kNull; }),
      UnorderedElementsAre("deepseek-ai-DeepSeek-R1-Distill-Llama-8B"));
  EXPECT_THAT(all_that([](const auto& found) {
                return found.supports_tool_calls && found.empty_content == EmptyContent::kText;
              }),
              UnorderedElementsAre("CohereForAI-c4ai-command-r-plus-tool_use", "GLM-4.6",
                                   "LFM2.5-8B-A1B", "Qwen-QwQ-32B", "Qwen-Qwen3-0.6B",
                                   "unsloth-mistral-Devstral-Small-2507"));
}

TEST_F(PublishedTemplates, DropTextBesideCallsOrCallsBesideText) {
  EXPECT_THAT(
      all_that(
          [](const auto& found) { return found.text_beside_calls == TextBesideCalls::kDropped; }),
      UnorderedElementsAre("Cohere2MoE", "MiniMax-M1", "Mistral-Small-3.2-24B-Instruct-2506",
                           "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
                           "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
                           "meta-llama-Llama-3.1-8B-Instruct", "meta-llama-Llama-3.2-3B-Instruct",
                           "mistralai-Mistral-Nemo-Instruct-2407", "muse-glimmer"));
  EXPECT_THAT(all_that([](const auto& found) {
                return found.text_beside_calls == TextBesideCalls::kSeparate;
              }),
              UnorderedElementsAre("deepseek-ai-DeepSeek-R1-Distill-Llama-8B"));
}

TEST_F(PublishedTemplates, HaveTheirHabitsWithCalls) {
  EXPECT_THAT(
      all_that([](const auto& found) { return found.takes_one_call_a_message; }),
      UnorderedElementsAre("GigaChat3-10B-A1.8B", "GigaChat3.1-10B-A1.8B",
                           "meta-llama-Llama-3.1-8B-Instruct", "meta-llama-Llama-3.2-3B-Instruct"));
  EXPECT_THAT(all_that([](const auto& found) { return found.needs_short_call_ids; }),
              UnorderedElementsAre("Mistral-Small-3.2-24B-Instruct-2506",
                                   "mistralai-Mistral-Nemo-Instruct-2407"));
  EXPECT_THAT(
      all_that([](const auto& found) { return found.reasoning_member != "reasoning_content"; }),
      UnorderedElementsAre("LFM2.5-8B-A1B"));
}

// Some raise on every conversation with calls, as the transformers library does with them.
TEST_F(PublishedTemplates, PrintToolsAndCallsOrNot) {
  EXPECT_EQ(all_that([](const auto& found) { return found.supports_tools; }).size(), 40U);
  EXPECT_THAT(
      all_that([](const auto& found) { return !found.supports_tool_calls; }),
      UnorderedElementsAre("HuggingFaceTB-SmolLM3-3B", "Kimi-K2-Instruct", "LFM2.5-Instruct",
                           "fireworks-ai-llama-3-firefunction-v2", "google-gemma-2-2b-it",
                           "ibm-granite-granite-3.3-2B-Instruct", "llama-cpp-deepseek-r1",
                           "llama-cpp-rwkv-world", "microsoft-Phi-3.5-mini-instruct"));
}

TEST(TemplateProbe, SeesWhatAModernTemplateCanDo) {
  const TemplateCapabilities found = published("Qwen3.5-4B.jinja");
  EXPECT_TRUE(found.supports_system_role);
  EXPECT_TRUE(found.supports_tools);
  EXPECT_TRUE(found.supports_tool_calls);
  EXPECT_EQ(found.arguments, ArgumentForm::kObject);
  EXPECT_TRUE(found.accepts_content_parts);
  EXPECT_FALSE(found.requires_content_parts);
  EXPECT_TRUE(found.has_thinking_switch);
}

TEST(TemplateProbe, SeesWhatAPlainTemplateCannotDo) {
  const TemplateCapabilities found = published("google-gemma-2-2b-it.jinja");
  EXPECT_FALSE(found.supports_system_role);
  EXPECT_FALSE(found.supports_tools);
  EXPECT_FALSE(found.supports_tool_calls);
  EXPECT_FALSE(found.requires_content_parts);
  EXPECT_FALSE(found.has_thinking_switch);
}

TEST(TemplateProbe, SeesTemplatesThatTakePartsOnly) {
  const TemplateCapabilities found = found_in(
      "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}");
  EXPECT_TRUE(found.accepts_content_parts);
  EXPECT_TRUE(found.requires_content_parts);
  EXPECT_TRUE(found.supports_system_role);
}

TEST(TemplateProbe, TakesNoToolListForPrintedArguments) {
  EXPECT_EQ(found_in("{{ tools }}{% for m in messages %}{{ m.content }}{% for c in m.tool_calls "
                     "%}{{ c.function.arguments | tojson }}{% endfor %}{% endfor %}")
                .arguments,
            ArgumentForm::kObject);
}

TEST(TemplateProbe, SurvivesTemplatesThatAlwaysFail) {
  const TemplateCapabilities found = found_in("{{ raise_exception('no') }}");
  EXPECT_FALSE(found.supports_system_role);
  EXPECT_FALSE(found.supports_tool_calls);
}

}  // namespace
}  // namespace vernal
