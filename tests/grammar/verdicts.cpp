// Reads schemas with instances from standard input and prints what the grammar says to each. One
// JSON object a line: {"schema": text, "instances": [text, ...], "formats": bool, "choice": ...}.
// One line comes back for each: {"error": ...} or {"us": compile time, "warnings": [[pointer,
// keyword, reason], ...], "accepted": [bool, ...]}. run_corpus.py speaks with it.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <ctime>
#include <iostream>
#include <string>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/matcher.hpp"

namespace {

namespace json = boost::json;
using namespace vernal::grammar;

json::object verdicts(const json::object& request) {
  GrammarSource source;
  source.text = request.at("schema").as_string();
  source.options.order = PropertyOrder::kAny;
  source.options.additional = AdditionalProperties::kSpec;
  source.options.asserts_formats = request.at("formats").as_bool();
  if (const json::value* all = request.if_contains("all_numbers");
      all != nullptr && all->as_bool()) {
    source.options.numbers = NumberSpelling::kAll;
  }
  json::object answer;
  // Of this process alone: other programs of the machine do not count.
  const std::clock_t start = std::clock();
  const auto elapsed = [&] { return (std::clock() - start) * 1'000'000 / CLOCKS_PER_SEC; };
  try {
    CompiledGrammar grammar(source);
    answer["us"] = elapsed();
    json::array accepted;
    json::array bytes;  // that could be followed
    for (const json::value& instance : request.at("instances").as_array()) {
      Matcher matcher(grammar);
      const std::string_view text = instance.as_string();
      std::size_t read = 0;
      while (read < text.size() && matcher.accept_bytes(text.substr(read, 1))) {
        ++read;
      }
      accepted.push_back(read == text.size() && matcher.can_end());
      bytes.push_back(read);
    }
    answer["total_us"] = elapsed();
    answer["accepted"] = std::move(accepted);
    answer["bytes"] = std::move(bytes);
    json::array warnings;
    for (const GrammarWarning& warning : grammar.warnings()) {
      warnings.push_back(json::array{warning.pointer, warning.keyword, warning.reason});
    }
    answer["warnings"] = std::move(warnings);
  } catch (const GrammarError& error) {
    answer["us"] = elapsed();
    answer["error"] = error.what();
    answer["keyword"] = error.keyword();
  }
  return answer;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const json::value request = json::parse(line);
    std::cout << json::serialize(verdicts(request.as_object())) << std::endl;
  }
  return 0;
}
