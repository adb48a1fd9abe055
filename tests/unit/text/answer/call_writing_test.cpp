// Grammars of calls: whatever they allow is read as calls that fit, in every form.
#include "text/answer/call_writing.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

#include "support/byte_tokenizer.hpp"
#include "text/answer/answer_parser.hpp"
#include "text/chat_template.hpp"
#include "text/exact_json.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/matcher.hpp"
#include "text/request/json_reader.hpp"
#include "text/tokenizer/byte_alphabet.hpp"
#include "unit/text/answer/answer_case.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

// A token for each byte, an end, and the control tokens of gpt-oss.
std::shared_ptr<const Tokenizer> make_tokenizer() {
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) {
    texts.push_back(character_of_byte(static_cast<std::uint8_t>(byte)));
  }
  Vocabulary vocabulary;
  vocabulary.model = TokenizerModel::kBytePair;
  vocabulary.pre_tokenizer = "gpt-2";
  for (const std::string& text : texts) {
    vocabulary.tokens.push_back({text, 0.0F, TokenType::kNormal});
  }
  for (const char* const control :
       {"<|call|>", "<|return|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|start|>",
        "<|end|>", "[TOOL_CALLS]", "<|\"|>"}) {
    vocabulary.tokens.push_back({control, 0.0F, TokenType::kControl});
  }
  vocabulary.eos = 256;
  return std::make_shared<const Tokenizer>(std::move(vocabulary));
}

const std::vector<ToolDefinition>& tools() {
  static const std::vector<ToolDefinition> kTools = read_tools(parse_json(R"([
    {"name": "get_weather", "parameters": {"type": "object", "required": ["city"], "properties": {
      "city": {"type": "string", "minLength": 1}, "unit": {"enum": ["celsius", "kelvin"]},
      "days": {"type": "integer", "minimum": 1, "maximum": 14}}}},
    {"name": "list_files", "parameters": {"properties": {}, "additionalProperties": false}},
    {"name": "set", "parameters": {"$ref": "#/definitions/Set", "definitions": {"Set": {
      "type": "object", "required": ["value", "on"], "properties": {
        "value": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "integer"}]},
        "on": {"type": "boolean"},
        "more": {"type": "object", "properties": {"a": {"type": "array", "maxItems": 2,
           "items": {"type": "string", "maxLength": 3}}}, "required": ["a"]}}}}}}])",
                                                                          {})
                                                                   .as_array());
  return kTools;
}

/// A random answer that the grammar allows; empty if it gets too long.
///   value_end   what ends a value; tried often, so that values are short
std::string random_answer(grammar::CompiledGrammar& grammar, const std::string& value_end,
                          const Tokenizer& tokenizer, std::mt19937& random) {
  grammar::Matcher matcher(grammar);
  std::string text;
  for (int step = 0; step < 2000; ++step) {
    if (random() % 4 == 0 && matcher.accept_bytes(value_end)) {
      text += value_end;
      continue;
    }
    const std::span<const std::uint32_t> mask = matcher.mask();
    std::vector<TokenId> allowed;
    for (TokenId token = 0; token < static_cast<TokenId>(tokenizer.size()); ++token) {
      const auto index = static_cast<std::size_t>(token);
      if ((mask[index / 32] >> (index % 32) & 1U) == 0) continue;
      if (tokenizer.is_end_of_generation(token)) {
        if (random() % 2 != 0) return text;
        continue;
      }
      // Texts of letters that end soon.
      const bool is_common = token >= ' ' && token < 127;
      const bool closes = token == '"' || token == '<' || token == '\n';
      const int weight = token > 255 ? 40 : closes ? 20 : is_common ? 4 : 1;
      for (int i = 0; i < weight; ++i) allowed.push_back(token);
    }
    if (allowed.empty()) continue;
    const TokenId token = allowed[random() % allowed.size()];
    if (!matcher.accept(token)) return "not accepted";
    text += tokenizer.token_bytes(token);
  }
  return {};
}

struct Call {
  std::string name;
  std::string arguments;
};

std::vector<Call> read_calls(const AnswerSyntax& syntax, const std::string& text,
                             std::string& content) {
  AnswerParser parser(syntax, tools(), {});
  std::vector<AnswerDelta> deltas = parser.push(text);
  for (AnswerDelta& delta : parser.finish(AnswerEnd::kStop)) deltas.push_back(std::move(delta));
  std::vector<Call> calls;
  for (const AnswerDelta& delta : deltas) {
    if (delta.part == AnswerPart::kContent) content += delta.text;
    if (delta.part == AnswerPart::kCallBegin) calls.push_back({std::string(delta.text), {}});
    if (delta.part == AnswerPart::kCallArguments) calls.back().arguments += delta.text;
  }
  EXPECT_EQ(parser.num_broken_calls(), 0U) << text;
  return calls;
}

/// Whether an object fits the schema of one of the tools.
bool fits(const Call& call) {
  for (const ToolDefinition& tool : tools()) {
    if (tool.name != call.name) continue;
    const json::value* const schema =
        tool.definition.at("function").get_object().if_contains("parameters");
    grammar::GrammarSource source;
    source.text = schema == nullptr ? R"({"type": "object"})" : exact_json_text(*schema);
    source.options.order = grammar::PropertyOrder::kAny;
    grammar::CompiledGrammar grammar(source);
    grammar::Matcher matcher(grammar);
    return matcher.accept_bytes(call.arguments) && matcher.can_end();
  }
  return false;
}

void expect_calls(const AnswerSyntax& syntax, bool is_list) {
  const std::shared_ptr<const Tokenizer> tokenizer = make_tokenizer();
  const auto source = call_grammar_source(syntax, tools(), is_list, *tokenizer);
  ASSERT_TRUE(source) << syntax.family << ": " << syntax.example;
  grammar::CompiledGrammar grammar(source->source,
                                   grammar::GrammarVocabulary::of(*tokenizer, tokenizer->size()));
  std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed): the same walks every time
  const std::string& after_value = source->source.calls.keyed.after_value;
  const std::string& mark = source->source.calls.keyed.string_mark;
  const bool has_text_mark = !mark.empty() && mark.front() != grammar::kControlByte;
  const std::string& element_mark = source->source.calls.keyed.element_mark;
  const std::string value_end = has_text_mark           ? mark
                                : !element_mark.empty() ? element_mark + "</"
                                : after_value.empty()   ? "\""
                                                        : after_value;
  std::size_t most = 0;
  for (int walk = 0; walk < 60; ++walk) {
    const std::string text = random_answer(grammar, value_end, *tokenizer, random);
    if (text.empty()) continue;
    std::string content;
    const std::vector<Call> calls = read_calls(syntax, text, content);
    ASSERT_EQ(content, "") << syntax.family << ": " << text;
    ASSERT_FALSE(calls.empty()) << syntax.family << ": " << text;
    for (const Call& call : calls) {
      ASSERT_TRUE(fits(call)) << syntax.family << ": " << call.name << call.arguments << "\n"
                              << text;
    }
    most = std::max(most, calls.size());
  }
  const bool may_be_several = is_list && !syntax.has_channels;
  EXPECT_EQ(most > 1, may_be_several) << syntax.family;
}

TEST(CallWriting, AllowsWhatIsReadAsCallsThatFit) {
  for (const std::string& family : answer_families()) {
    expect_calls(*find_answer_syntax(family), true);
    expect_calls(*find_answer_syntax(family), false);
  }
}

/// Whether a call of one tool, written as a family does, is whole by its grammar.
class CallOf {
 public:
  CallOf(const std::string& family, const std::string& schema)
      : tools_(read_tools(
            parse_json(R"([{"name": "t", "parameters": )" + schema + "}]", {}).as_array())),
        tokenizer_(make_tokenizer()),
        source_(*call_grammar_source(*find_answer_syntax(family), tools_, false, *tokenizer_)),
        grammar_(source_.source, grammar::GrammarVocabulary::of(*tokenizer_, tokenizer_->size())) {}

  bool operator()(const std::string& arguments) {
    const std::string begin = source_.source.calls.open + before();
    grammar::Matcher matcher(grammar_);
    return matcher.accept_bytes(begin) && matcher.accept_bytes(arguments) &&
           matcher.accept_bytes(after() + source_.source.calls.close) && matcher.can_end();
  }

 private:
  std::string before() const {
    std::string text;
    for (const grammar::CallPart& part : source_.source.calls.tools[0].parts) {
      if (part.kind == grammar::CallPart::Kind::kArguments) break;
      text += part.kind == grammar::CallPart::Kind::kPattern ? "1" : part.text;
    }
    return text;
  }
  std::string after() const { return source_.source.calls.tools[0].parts.back().text; }

  std::vector<ToolDefinition> tools_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  CallGrammarSource source_;
  grammar::CompiledGrammar grammar_;
};

/// Elements without the mark before each tag.
std::string marked(std::string text) {
  for (std::size_t at = text.find('<'); at != std::string::npos;) {
    const std::string mark = "]<]minimax[>[";
    text.insert(at, mark);
    at = text.find('<', at + mark.size() + 1);
  }
  return text;
}

TEST(CallWriting, NestsElementsAsDeepAsValues) {
  CallOf is_call("minimax_m3", R"({"properties": {"files": {"type": "array", "minItems": 1,
    "maxItems": 2, "items": {"type": "object", "required": ["name"], "properties": {
      "name": {"type": "string"}, "size": {"type": "integer"}}}}}})");
  EXPECT_TRUE(is_call(""));
  EXPECT_TRUE(is_call(marked("<files><item><name>a b</name></item></files>")));
  EXPECT_TRUE(
      is_call(marked("<files><item><size>3</size><name>a</name></item>"
                     "<item><name>b</name></item></files>")));
  EXPECT_FALSE(is_call(marked("<files></files>"))) << "no item";
  EXPECT_FALSE(is_call(marked("<files><item><size>3</size></item></files>"))) << "no name";
  EXPECT_FALSE(is_call(marked("<files><item><size>x</size><name>a</name></item></files>")));
  EXPECT_FALSE(is_call(marked("<files><item><name>a</name></size></files>"))) << "another tag";
  EXPECT_FALSE(is_call(marked("<files><item><name>12</name></item></files>")))
      << "it would be read as a number";
}

TEST(CallWriting, WritesAsJsonWhatElementsCannotExpress) {
  CallOf is_call("minimax_m3", R"({"properties": {
    "list": {"type": "array", "items": {"enum": ["1", "b"]}},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}},
    "box": {"type": "object", "properties": {"item": {"type": "integer"}}}}})");
  EXPECT_TRUE(is_call(marked("<list>[]</list>")));
  EXPECT_TRUE(is_call(marked("<list><item>b</item><item>\"1\"</item></list>")));
  EXPECT_FALSE(is_call(marked("<list><item>1</item></list>")));
  EXPECT_TRUE(is_call(marked("<map>{\"k\": 1}</map>")));
  EXPECT_TRUE(is_call(marked("<box>{\"item\": 1}</box>")));
  EXPECT_FALSE(is_call(marked("<box><item>1</item></box>"))) << "it would be read as a list";
}

TEST(CallWriting, SaysTheTypeOfATypedArgument) {
  CallOf is_call("kimi_k3", R"({"properties": {"a": {"type": ["string", "integer", "null"]},
    "b": {"type": "array", "items": {"type": "boolean"}}}})");
  const auto argument = [](const std::string& key, const std::string& type,
                           const std::string& value) {
    return "<|open|>argument key=\"" + key + "\" type=\"" + type + "\"<|sep|>" + value +
           "<|close|>argument<|sep|>";
  };
  EXPECT_TRUE(is_call(argument("a", "string", "12")));
  EXPECT_TRUE(is_call(argument("a", "number", "12")));
  EXPECT_TRUE(is_call(argument("a", "null", "null") + argument("b", "array", "[true]")));
  EXPECT_FALSE(is_call(argument("a", "number", "null")));
  EXPECT_FALSE(is_call(argument("a", "boolean", "true")));
  EXPECT_FALSE(is_call(argument("b", "string", "[true]")));
}

TEST(CallWriting, NamesNoGrammarWithoutToolsOrAnExample) {
  const std::shared_ptr<const Tokenizer> tokenizer = make_tokenizer();
  AnswerSyntax unread = *find_answer_syntax("hermes");
  unread.example = "call zyx_tool with Zyxvalue";
  EXPECT_FALSE(call_grammar_source(unread, tools(), true, *tokenizer));
  EXPECT_FALSE(call_grammar_source(*find_answer_syntax("hermes"), {}, true, *tokenizer));
}

}  // namespace
}  // namespace vernal
