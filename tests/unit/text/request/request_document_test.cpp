#include "text/request/request_document.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <cmath>

#include "text/request/request_error.hpp"
#include "text/request/sampling_bounds.hpp"

namespace vernal {
namespace {

RequestDocument parse(std::string_view text) { return parse_request(text, {}, false); }

// A request with one message and these further members.
std::string with(std::string_view members) {
  return fmt::format(R"({{"messages": [{{"role": "user", "content": "hi"}}]{}{}}})",
                     members.empty() ? "" : ", ", members);
}

struct Refusal {
  std::int32_t code;
  std::string error_code;
  std::string param;
  std::uint32_t http;
  std::string message;
};

Refusal refusal(std::string_view text, bool has_tokens = false) {
  try {
    parse_request(text, {}, has_tokens);
  } catch (const RequestError& error) {
    return {error.code(), std::string(error.kind().code), error.details().param,
            error.kind().http_status, error.what()};
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

TEST(RequestDocument, ReadsEveryField) {
  const RequestDocument document = parse(R"({
    "kind": "generate",
    "messages": [
      {"role": "developer", "content": "be brief"},
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "ann"},
      {"role": "assistant", "content": null, "reasoning_content": "hm",
       "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]},
      {"role": "tool", "content": "7", "tool_call_id": "c1"}],
    "tools": [{"name": "f", "description": "d", "parameters": {"type": "object"}}],
    "tool_choice": "auto", "format": {"type": "text"}, "template_kwargs": {"a": true}, "thinking": "high",
    "sampling": {"temperature": 0.5, "top_k": 5, "top_p": 0.9, "min_p": 0.1, "repetition_penalty": 1.1,
                 "presence_penalty": -1, "frequency_penalty": 2, "logit_bias": {"3": -100, "4": 1.5}},
    "stop": ["x", "yy"], "max_tokens": 65536, "n": 2, "logprobs": 5, "seed": -1,
    "priority": 3, "deadline_ms": 1000, "cache_key": "k"})");
  ASSERT_EQ(document.messages->size(), 4U);
  EXPECT_EQ((*document.messages)[0].role, "system");
  EXPECT_EQ((*document.messages)[1].text(), "a\nb");
  EXPECT_EQ((*document.messages)[1].name, "ann");
  const ChatMessage& calling = (*document.messages)[2];
  EXPECT_EQ(calling.reasoning, "hm");
  EXPECT_EQ(calling.tool_calls.at(0).arguments.at("x").as_int64(), 1);
  EXPECT_EQ((*document.messages)[3].tool_call_id, "c1");
  EXPECT_EQ(document.tools.at(0).name, "f");
  EXPECT_EQ(document.thinking, "high");
  EXPECT_TRUE(document.template_kwargs.at("a").as_bool());
  EXPECT_EQ(document.sampling.temperature, 0.5);
  EXPECT_EQ(document.sampling.top_k, 5U);
  EXPECT_EQ(document.sampling.logit_bias.size(), 2U);
  EXPECT_EQ(document.stop.size(), 2U);
  EXPECT_EQ(document.max_tokens, 65536U);
  EXPECT_EQ(document.n, 2U);
  EXPECT_EQ(document.logprobs, 5U);
  EXPECT_EQ(document.seed, ~std::uint64_t{0});
  EXPECT_EQ(document.deadline, std::chrono::milliseconds(1000));
}

TEST(RequestDocument, TakesWhatIsAbsentOrNullFromTheDefaults) {
  RequestDefaults defaults;
  defaults.sampling.temperature = 0.6;
  defaults.sampling.top_k = 20;
  defaults.thinking = "off";
  defaults.max_tokens = 7;
  defaults.template_kwargs["x"] = 1;
  const RequestDocument document = parse_request(
      with(
          R"("sampling": {"top_k": 3, "temperature": null}, "seed": null, "template_kwargs": {"y": 2})"),
      defaults, false);
  EXPECT_EQ(document.sampling.temperature, 0.6);
  EXPECT_EQ(document.sampling.top_k, 3U);
  EXPECT_EQ(document.thinking, "off");
  EXPECT_EQ(document.max_tokens, 7U);
  EXPECT_EQ(document.template_kwargs.size(), 2U);
  EXPECT_FALSE(document.seed);
}

TEST(RequestDocument, NamesTheFieldAtFault) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("temperature": 1)", "temperature"},
      {R"("sampling": {"temprature": 1})", "sampling.temprature"},
      {R"("sampling": {"temperature": 2.5})", "sampling.temperature"},
      {R"("sampling": {"temperature": "1"})", "sampling.temperature"},
      {R"("sampling": [])", "sampling"},
      {R"("sampling": {"top_k": 1.5})", "sampling.top_k"},
      {R"("sampling": {"top_p": -0.1})", "sampling.top_p"},
      {R"("sampling": {"logit_bias": {"a": 1}})", "sampling.logit_bias"},
      {R"("sampling": {"logit_bias": {"-1": 1}})", "sampling.logit_bias"},
      {R"("sampling": {"logit_bias": {"1": 101}})", "sampling.logit_bias.1"},
      {R"("sampling": {"repetition_penalty": 100.5})", "sampling.repetition_penalty"},
      {R"("n": 9)", "n"},
      {R"("n": 0)", "n"},
      {R"("n": true)", "n"},
      {R"("logprobs": 21)", "logprobs"},
      {R"("min_tokens": -1)", "min_tokens"},
      {R"("bad_words": [""])", "bad_words[0]"},
      {R"("max_tokens": -5)", "max_tokens"},
      {R"("stop": "x")", "stop"},
      {R"("stop": [""])", "stop[0]"},
      {R"("stop": ["a", 1])", "stop[1]"},
      {R"("stop": ["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"])",
       "stop"},
      {R"("seed": 1.5)", "seed"},
      {R"("thinking": "very")", "thinking"},
      {R"("template_kwargs": {"messages": []})", "template_kwargs"},
      {R"("priority": 1000)", "priority"},
      {R"("deadline_ms": 0)", "deadline_ms"},
      {R"("kind": "dance")", "kind"},
      {R"("prompt": "x")", "prompt"},
      {R"("tools": [{"name": ""}])", "tools[0].name"},
      {R"("tools": [{"name": "f"}, {"name": "f"}])", "tools[1].name"},
      {R"("tools": [{"name": "f", "parameters": "x"}])", "tools[0].parameters"},
      {R"("tools": [{"type": "function"}])", "tools[0].name"},
      {R"("tool_choice": {"name": "g"}, "tools": [{"name": "f"}])", "tool_choice.name"},
      {R"("tool_choice": {"name": "f"}, "tools": [{"name": "f"}, {"name": "g"}],
          "allowed_tools": ["g"])",
       "tool_choice.name"},
      {R"("tool_choice": "maybe", "tools": [{"name": "f"}])", "tool_choice"},
      {R"("tools": [{"name": "f"}], "allowed_tools": [])", "allowed_tools"},
      {R"("tools": [{"name": "f"}], "allowed_tools": ["f", "g"])", "allowed_tools[1]"},
      {R"("tool_choice": "required")", "tool_choice"},
      {R"("format": {"type": "json_schema"})", "format.schema"},
      {R"("format": {"type": "json_schema", "schema": 1})", "format.schema"},
      {R"("format": {"type": "regex"})", "format.pattern"},
      {R"("format": {"type": "gbnf", "grammar": 1})", "format.grammar"},
      {R"("format": {"type": "choices", "choices": []})", "format.choices"},
      {R"("format": {"type": "choices", "choices": ["a", 1]})", "format.choices[1]"},
      {R"("format": {"type": "json", "schema": {}})", "format.schema"},
      {R"("format": {"type": "xml"})", "format.type"},
  };
  for (const auto& [members, param] : cases) {
    const Refusal found = refusal(with(members));
    EXPECT_EQ(found.param, param) << members;
    EXPECT_EQ(found.http, 400U) << members;
    EXPECT_EQ(found.code, VERNAL_INVALID_ARGUMENT) << members;
    EXPECT_GE(found.message.size(), 30U) << found.message;
    for (const char* word : {"max_tokens", "context length", "token limit", "prompt length"}) {
      EXPECT_EQ(found.message.find(word), std::string::npos) << found.message;
    }
  }
}

TEST(RequestDocument, RefusesMessagesThatAreNone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"([])", "messages"},
      {R"("x")", "messages"},
      {R"([1])", "messages[0]"},
      {R"([{"content": "x"}])", "messages[0].role"},
      {R"([{"role": "king", "content": "x"}])", "messages[0].role"},
      {R"([{"role": "user"}])", "messages[0].content"},
      {R"([{"role": "user", "content": 1}])", "messages[0].content"},
      {R"([{"role": "user", "content": "x", "extra": 1}])", "messages[0].extra"},
      {R"([{"role": "user", "content": "x", "tool_calls": []}])", "messages[0].tool_calls"},
      {R"([{"role": "user", "content": [{"type": "text"}]}])", "messages[0].content[0].text"},
      {R"([{"role": "assistant", "tool_calls": [{"function": {}}]}])",
       "messages[0].tool_calls[0].function.name"},
  };
  for (const auto& [messages, param] : cases) {
    EXPECT_EQ(refusal(fmt::format(R"({{"messages": {}}})", messages)).param, param) << messages;
  }
  const Refusal image = refusal(
      R"({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]})");
  EXPECT_EQ(image.error_code, "unsupported_content");
  EXPECT_EQ(image.param, "messages[0].content[0]");
}

TEST(RequestDocument, ReadsWhichToolsMayOrMustBeCalled) {
  const auto choice = [](const std::string& members) {
    return parse(with(R"("tools": [{"name": "f"}, {"name": "g"}], )" + members)).tool_choice;
  };
  EXPECT_FALSE(choice(R"("tool_choice": "auto")").is_required);
  const ToolChoice required = choice(R"("tool_choice": "required")");
  EXPECT_TRUE(required.is_required);
  EXPECT_FALSE(required.is_named);
  EXPECT_TRUE(required.allows("f") && required.allows("g"));
  const ToolChoice named = choice(R"("tool_choice": {"name": "f"}, "allowed_tools": ["f"])");
  EXPECT_TRUE(named.is_required && named.is_named);
  EXPECT_TRUE(named.allows("f"));
  EXPECT_FALSE(named.allows("g"));
  const ToolChoice some = choice(R"("allowed_tools": ["g"])");
  EXPECT_FALSE(some.is_required);
  EXPECT_FALSE(some.allows("f"));
  EXPECT_TRUE(parse(with(R"("tools": [{"name": "f"}], "tool_choice": "none")")).tools.empty());
}

TEST(RequestDocument, ReadsWhatTheAnswerIsHeldTo) {
  using Kind = grammar::GrammarSource::Kind;
  EXPECT_FALSE(parse(with(R"("format": {"type": "text"})")).format);
  const auto format = [](const std::string& value) {
    return parse(with(R"("format": )" + value)).format.value();
  };
  const auto schema =
      format(R"({"type": "json_schema", "schema": {"maximum": 0.10}, "strict": true})");
  EXPECT_EQ(schema.kind, Kind::kSchema);
  EXPECT_EQ(schema.text, R"({"maximum": 0.10})") << "numbers keep their digits";
  EXPECT_TRUE(schema.options.strict);
  EXPECT_EQ(format(R"({"type": "json"})").text, R"({"type": "object"})");
  EXPECT_EQ(format(R"({"type": "regex", "pattern": "a+"})").text, "a+");
  EXPECT_EQ(format(R"({"type": "regex", "pattern": "a+"})").kind, Kind::kRegex);
  EXPECT_EQ(format(R"({"type": "gbnf", "grammar": "root ::= \"a\""})").kind, Kind::kGbnf);
  EXPECT_EQ(format(R"({"type": "choices", "choices": ["a", "b"]})").choices,
            (std::vector<std::string>{"a", "b"}));
}

TEST(RequestDocument, TakesExactlyOneKindOfPrompt) {
  EXPECT_EQ(parse(R"({"prompt": "x"})").prompt, "x");
  EXPECT_FALSE(parse_request("{}", {}, true).prompt);
  refusal("{}");
  refusal(R"({"prompt": "x"})", true);
  refusal(R"({"prompt": "x", "messages": [{"role": "user", "content": "y"}]})");
}

TEST(RequestDocument, RefusesWhatIsNoJson) {
  std::string deep = R"({"prompt": "x", "template_kwargs": {"a": )";
  deep += std::string(200, '[') + std::string(200, ']') + "}}";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("nonsense"),
        std::string(R"({"prompt": "x", "seed": 1e999})"), std::string("{\"prompt\": \"\xFF\"}"),
        std::string(R"({"prompt": "\ud800"})"), std::string(R"({"prompt": "x", "seed": NaN})"),
        std::string(R"({"prompt": "x"} trailing)"), deep}) {
    const Refusal found = refusal(text);
    EXPECT_EQ(found.code, VERNAL_INVALID_ARGUMENT) << text;
    EXPECT_EQ(found.http, 400U) << text;
  }
}

TEST(RequestDocument, BoundsSizeAndMemory) {
  JsonLimits limits;
  limits.max_bytes = 1000;
  const std::string text = fmt::format(R"({{"prompt": "{}"}})", std::string(1000, 'x'));
  try {
    parse_request(text, {}, false, limits);
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_EQ(error.kind().http_status, 413U);
  }
  std::string many = R"({"prompt": "x", "template_kwargs": {"a": [)";
  for (int i = 0; i < 2'000'000; ++i) many += "0,";
  many += "0]}}";
  EXPECT_EQ(refusal(many).http, 413U);
}

TEST(RequestDocument, TakesSamplingUpToItsBoundsAndNoFurther) {
  std::vector<std::pair<std::string_view, SamplingBounds>> rows;
  for (const SamplingNumber& setting : kSamplingNumbers) {
    rows.emplace_back(setting.name, setting.bounds);
  }
  for (const SamplingCount& setting : kSamplingCounts) {
    rows.emplace_back(setting.name, setting.bounds);
  }
  for (const auto& [name, bounds] : rows) {
    const auto request = [&, member = name](double value) {
      return with(fmt::format(R"("sampling": {{"{}": {}}})", member, value));
    };
    EXPECT_NO_THROW(parse(request(bounds.least))) << name;
    EXPECT_NO_THROW(parse(request(bounds.most))) << name;
    for (const double beyond : {bounds.least - 1, bounds.most + 1}) {
      const Refusal found = refusal(request(beyond));
      EXPECT_EQ(found.param, fmt::format("sampling.{}", name));
      EXPECT_EQ(found.http, 400U);
    }
  }
}

TEST(RequestDocument, ReadsTheOrderOfTheSamplersAndTheirBreakers) {
  const RequestDocument document = parse(with(
      R"("sampling": {"samplers": ["temperature", "top_k"], "dry_sequence_breakers": ["", "\n"]})"));
  EXPECT_TRUE(document.sampling.has_own_order);
  EXPECT_EQ(document.sampling.samplers,
            (std::vector<SamplerStage>{SamplerStage::kTemperature, SamplerStage::kTopK}));
  EXPECT_EQ(document.sampling.dry_sequence_breakers, std::vector<std::string>{"\n"});
  EXPECT_FALSE(parse(with(R"("sampling": {})")).sampling.has_own_order);
  for (const char* wrong : {R"(["top_q"])", R"(["top_k", "top_k"])", R"([1])", R"("top_k")"}) {
    const std::string text = with(fmt::format(R"("sampling": {{"samplers": {}}})", wrong));
    EXPECT_EQ(refusal(text).param.substr(0, 17), "sampling.samplers") << wrong;
  }
}

TEST(RequestDocument, ReadsBiasesOfTokensAndOfTexts) {
  const RequestDocument document = parse(
      with(R"("sampling": {"logit_bias": [[5, 1.5], ["hello", false], [7.0, -100], ["x", 2]]})"));
  ASSERT_EQ(document.sampling.logit_bias.size(), 2U);
  EXPECT_EQ(document.sampling.logit_bias[0].token, 5);
  EXPECT_EQ(document.sampling.logit_bias[1].bias, -100.0F);
  ASSERT_EQ(document.text_biases.size(), 2U);
  EXPECT_EQ(document.text_biases[0].text, "hello");
  EXPECT_TRUE(std::isinf(document.text_biases[0].bias));
  for (const char* wrong : {"[[5]]", "[5]", "[[5, true]]", "[[1.5, 1]]", "[[-1, 1]]", "[[5, 101]]",
                            "[[[], 1]]", R"({"5": "x"})", R"({"x": 1})"}) {
    const std::string text = with(fmt::format(R"("sampling": {{"logit_bias": {}}})", wrong));
    EXPECT_EQ(refusal(text).param.substr(0, 19), "sampling.logit_bias") << wrong;
  }
}

TEST(RequestDocument, KeepsBrokenArgumentsOfCallsAsText) {
  const RequestDocument document = parse(R"({"messages": [{"role": "assistant", "tool_calls": [
    {"function": {"name": "a", "arguments": "{broken"}}, {"function": {"name": "b", "arguments": ""}},
    {"function": {"name": "c", "arguments": {"k": "v"}}}, {"function": {"name": "d"}}]}]})");
  const auto& calls = document.messages->at(0).tool_calls;
  EXPECT_TRUE(calls[0].arguments.is_null());
  EXPECT_EQ(calls[0].arguments_text, "{broken");
  EXPECT_TRUE(calls[1].arguments.as_object().empty());
  EXPECT_EQ(calls[2].arguments.at("k").as_string(), "v");
  EXPECT_TRUE(calls[3].arguments.is_object());
}

}  // namespace
}  // namespace vernal
