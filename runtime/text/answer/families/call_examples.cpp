#include "text/answer/families/call_examples.hpp"

#include <algorithm>
#include <array>

namespace vernal {
namespace {

struct Example {
  std::string_view family;
  std::string_view text;
};

constexpr std::array<Example, 36> kExamples = {{
    {"hermes",
     "<tool_call>\n{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}\n"
     "</tool_call>"},
    {"qwen3_xml",
     "<tool_call>\n<function=zyx_tool>\n<parameter=zyx_key>\nZyxvalue\n</parameter>\n"
     "</function>\n</tool_call>"},
    {"llama3", "{\"name\": \"zyx_tool\", \"parameters\": {\"zyx_key\": \"Zyxvalue\"}}"},
    {"pythonic", "[zyx_tool(zyx_key='Zyxvalue')]"},
    {"mistral_v3",
     "[TOOL_CALLS][{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue"
     "\"}, \"id\": \"zyx000001\"}]"},
    {"mistral_v11", "[TOOL_CALLS]zyx_tool[ARGS]{\"zyx_key\": \"Zyxvalue\"}"},
    {"deepseek_v3",
     "<\uFF5Ctool\u2581calls\u2581begin\uFF5C><\uFF5Ctool\u2581call\u2581begin\uFF5C>funct"
     "ion<\uFF5Ctool\u2581sep\uFF5C>zyx_tool\n```json\n{\"zyx_key\": \"Zyxvalue\"}\n"
     "```<\uFF5Ctool\u2581call\u2581end\uFF5C><\uFF5Ctool\u2581calls\u2581end\uFF5C>"},
    {"deepseek_v31",
     "<\uFF5Ctool\u2581calls\u2581begin\uFF5C><\uFF5Ctool\u2581call\u2581begin\uFF5C>zyx_t"
     "ool<\uFF5Ctool\u2581sep\uFF5C>{\"zyx_key\": \"Zyxvalue\"}<\uFF5Ctool\u2581call"
     "\u2581end\uFF5C><\uFF5Ctool\u2581calls\u2581end\uFF5C>"},
    {"dsml",
     "<\uFF5CDSML\uFF5Cfunction_calls>\n<\uFF5CDSML\uFF5Cinvoke name=\"zyx_tool\">\n"
     "<\uFF5CDSML\uFF5Cparameter name=\"zyx_key\" string=\"true\">Zyxvalue</\uFF5CDSML"
     "\uFF5Cparameter>\n</\uFF5CDSML\uFF5Cinvoke>\n</\uFF5CDSML\uFF5Cfunction_calls>"},
    {"glm",
     "<tool_call>zyx_tool\n<arg_key>zyx_key</arg_key>\n<arg_value>Zyxvalue</arg_value>\n"
     "</tool_call>"},
    {"kimi_k2",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.zyx_tool:0<|tool_call_argum"
     "ent_begin|>{\"zyx_key\": \"Zyxvalue\"}<|tool_call_end|><|tool_calls_section_end|>"},
    {"harmony",
     "<|channel|>commentary to=functions.zyx_tool <|constrain|>json<|message|>{\"zyx_key"
     "\": \"Zyxvalue\"}<|call|>"},
    {"gemma4", "<|tool_call>call:zyx_tool{zyx_key:<|\"|>Zyxvalue<|\"|>}<tool_call|>"},
    {"functiongemma",
     "<start_function_call>call:zyx_tool{zyx_key:<escape>Zyxvalue<escape>}<end_function_ca"
     "ll>"},
    {"granite3",
     "<|tool_call|>[{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}]"},
    {"command_r7b",
     "<|START_ACTION|>[\n"
     "    {\"tool_call_id\": \"0\", \"tool_name\": \"zyx_tool\", \"parameters\": {\"zyx_ke"
     "y\": \"Zyxvalue\"}}\n]<|END_ACTION|>"},
    {"nemotron_v2",
     "<TOOLCALL>[{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}]</TO"
     "OLCALL>"},
    {"minimax_m1",
     "<tool_calls>\n{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}\n"
     "</tool_calls>"},
    {"minimax_m2",
     "<minimax:tool_call>\n<invoke name=\"zyx_tool\">\n"
     "<parameter name=\"zyx_key\">Zyxvalue</parameter>\n</invoke>\n</minimax:tool_call>"},
    {"minimax_m3",
     "]<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name=\"zyx_tool\">]<]minimax[>[<zyx_key>Zyxv"
     "alue]<]minimax[>[</zyx_key>]<]minimax[>[</invoke>\n]<]minimax[>[</tool_call>"},
    {"phi4",
     "<|tool_call|>[{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue"
     "\"}}]<|/tool_call|>"},
    {"firefunction",
     "functools[{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}]"},
    {"lfm2", "<|tool_call_start|>[zyx_tool(zyx_key='Zyxvalue')]<|tool_call_end|>"},
    {"functionary_v31", "<function=zyx_tool>{\"zyx_key\": \"Zyxvalue\"}</function>"},
    {"functionary_v32", "zyx_tool\n{\"zyx_key\": \"Zyxvalue\"}"},
    {"seed_oss",
     "<seed:tool_call>\n<function=zyx_tool>\n<parameter=zyx_key>Zyxvalue</parameter>\n"
     "</function>\n</seed:tool_call>"},
    {"apriel",
     "<tool_calls>[{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}]</"
     "tool_calls>"},
    {"hunyuan_a13b",
     "<tool_calls>[{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}]</"
     "tool_calls>"},
    {"hunyuan_hy3",
     "<tool_calls:opensource>\n<tool_call:opensource>zyx_tool<tool_sep:opensource>\n"
     "<arg_key:opensource>zyx_key</arg_key:opensource>\n"
     "<arg_value:opensource>Zyxvalue</arg_value:opensource>\n</tool_call:opensource>\n"
     "</tool_calls:opensource>"},
    {"step3",
     "<\uFF5Ctool_calls_begin\uFF5C><\uFF5Ctool_call_begin\uFF5C>function<\uFF5Ctool_sep"
     "\uFF5C><steptml:invoke name=\"zyx_tool\"><steptml:parameter name=\"zyx_key\">Zyxvalu"
     "e</steptml:parameter></steptml:invoke><\uFF5Ctool_call_end\uFF5C><\uFF5Ctool_calls_e"
     "nd\uFF5C>"},
    {"bare_json",
     "```json\n{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue\"}}\n```"},
    {"minicpm5", "<function name=\"zyx_tool\"><param name=\"zyx_key\">Zyxvalue</param></function>"},
    {"command_r_plus",
     "Action:\n```json\n"
     "[{\"tool_name\": \"zyx_tool\", \"parameters\": {\"zyx_key\": \"Zyxvalue\"}}]\n```"},
    {"kimi_k3",
     "<|open|>tools<|sep|><|open|>call tool=\"zyx_tool\" index=\"1\"<|sep|><|open|>argument key=\""
     "zyx_key\" type=\"string\"<|sep|>Zyxvalue<|close|>argument<|sep|><|close|>call<|sep|><|close|>"
     "tools<|sep|>"},
    {"apertus", "<|tools_prefix|>[{\"zyx_tool\": {\"zyx_key\": \"Zyxvalue\"}}]<|tools_suffix|>"},
    {"gigachat",
     "<|function_call|>{\"name\": \"zyx_tool\", \"arguments\": {\"zyx_key\": \"Zyxvalue"
     "\"}}"},
}};

}  // namespace

std::string_view call_example(std::string_view family) {
  const auto* const found = std::ranges::find(kExamples, family, &Example::family);
  return found == kExamples.end() ? std::string_view() : found->text;
}

}  // namespace vernal
