// Answers of model families with what is in them (tests/golden/answers), and how tests read them.
#pragma once

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_parser.hpp"

namespace vernal {

/// One call as it was delivered or as it is expected.
struct AnswerCall {
  std::string name;
  std::string arguments;
  std::string id;

  bool operator==(const AnswerCall&) const = default;
};

/// Deltas put together.
struct WholeAnswer {
  std::string reasoning;
  std::string content;
  std::vector<AnswerCall> calls;

  bool operator==(const WholeAnswer&) const = default;

  void add(const std::vector<AnswerDelta>& deltas) {
    for (const AnswerDelta& delta : deltas) {
      switch (delta.part) {
        case AnswerPart::kReasoning:
          reasoning += delta.text;
          break;
        case AnswerPart::kContent:
          content += delta.text;
          break;
        case AnswerPart::kCallBegin:
          calls.push_back({delta.text, {}, delta.id});
          break;
        case AnswerPart::kCallArguments:
          calls.at(delta.call).arguments += delta.text;
          break;
      }
    }
  }
};

inline std::string as_text(const boost::json::value& value) {
  const boost::json::string& text = value.as_string();
  return {text.data(), text.size()};
}

/// One line of cases.jsonl.
struct AnswerCase {
  std::string id;
  std::string family;
  std::string template_file;  ///< empty: none
  bool is_thinking = false;
  AnswerEnd end = AnswerEnd::kStop;
  std::vector<ToolDefinition> tools;
  std::string text;
  boost::json::object expected;
  std::string grade;
};

inline std::ifstream open_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return file;
}

/// All cases of a folder.
inline std::vector<AnswerCase> read_answer_cases(const std::string& folder) {
  std::ifstream tools_file = open_file(folder + "/tools.json");
  const std::string tools_text((std::istreambuf_iterator<char>(tools_file)), {});
  const std::vector<ToolDefinition> all = read_tools(boost::json::parse(tools_text).as_array());
  std::ifstream file = open_file(folder + "/cases.jsonl");
  std::vector<AnswerCase> cases;
  for (std::string line; std::getline(file, line);) {
    const boost::json::object object = boost::json::parse(line).as_object();
    AnswerCase next;
    next.id = as_text(object.at("id"));
    next.family = as_text(object.at("family"));
    if (object.at("template").is_string()) next.template_file = as_text(object.at("template"));
    next.is_thinking = object.at("prompt_opens_thinking").as_bool();
    const boost::json::value* const finish = object.if_contains("finish");
    if (finish != nullptr && as_text(*finish) == "length") next.end = AnswerEnd::kLength;
    const boost::json::value* const offered = object.if_contains("tools");
    for (const ToolDefinition& tool : all) {
      bool is_offered = offered == nullptr;
      if (!is_offered) {
        for (const boost::json::value& name : offered->as_array()) {
          is_offered |= as_text(name) == tool.name;
        }
      }
      if (is_offered) next.tools.push_back(tool);
    }
    next.text = as_text(object.at("text"));
    next.expected = object.at("expected").as_object();
    next.grade = as_text(object.at("grade"));
    cases.push_back(std::move(next));
  }
  return cases;
}

/// The answer when the text comes in these pieces.
inline WholeAnswer parse_in_pieces(const AnswerSyntax& syntax, const AnswerCase& answer,
                                   const std::vector<std::string_view>& pieces) {
  AnswerParser parser(syntax, answer.tools, {.is_thinking = answer.is_thinking});
  WholeAnswer whole;
  for (const std::string_view piece : pieces) whole.add(parser.push(piece));
  whole.add(parser.finish(answer.end));
  return whole;
}

inline WholeAnswer parse_whole(const AnswerSyntax& syntax, const AnswerCase& answer) {
  return parse_in_pieces(syntax, answer, {answer.text});
}

}  // namespace vernal
