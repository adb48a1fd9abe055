// Times masks of grammars over the vocabulary of a model file. compare_grammars.py speaks with it.
//
//   grammar_worker MODEL           first line out: {"tokens": [hex, ...], "ends": [id, ...]}; then
//                                  for each line {"schema": text, "instances": [text, ...]} one
//                                  line {"compile_us": n, "mask_us": [...], "accepted": [...], "tokens": [...]}
#include <fmt/format.h>
#include <time.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "model/gguf_file.hpp"
#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/matcher.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace {

namespace json = boost::json;
using namespace vernal;
using namespace vernal::grammar;

/// Time that this thread computed, so that other programs of the machine do not count.
struct Clock {
  using duration = std::chrono::nanoseconds;
  static duration now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
};

double microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

json::object vocabulary_line(const Tokenizer& tokenizer) {
  json::array tokens;
  for (std::size_t i = 0; i < tokenizer.size(); ++i) {
    const auto token = static_cast<TokenId>(i);
    std::string hex;
    if (!tokenizer.is_special(token) && !tokenizer.is_end_of_generation(token)) {
      for (const char byte : tokenizer.token_bytes(token)) {
        hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      }
    }
    tokens.emplace_back(std::move(hex));
  }
  json::array ends;
  for (const TokenId end : tokenizer.end_of_generation()) {
    ends.emplace_back(end);
  }
  return {{"tokens", std::move(tokens)}, {"ends", std::move(ends)}};
}

/// Asks for a mask before each token, as a sampler does.
bool follow(Matcher& matcher, const std::vector<TokenId>& tokens, json::array& times) {
  for (const TokenId token : tokens) {
    const auto start = Clock::now();
    const std::span<const std::uint32_t> mask = matcher.mask();
    times.emplace_back(microseconds(Clock::now() - start));
    const auto index = static_cast<std::size_t>(token);
    const bool is_allowed = (mask[index / 32] >> (index % 32) & 1U) != 0;
    if (!is_allowed || !matcher.accept(token)) {
      return false;
    }
  }
  const auto start = Clock::now();
  matcher.mask();
  times.emplace_back(microseconds(Clock::now() - start));
  return matcher.can_end();
}

json::object run(const Tokenizer& tokenizer,
                 const std::shared_ptr<const GrammarVocabulary>& vocabulary,
                 const json::object& request) {
  GrammarSource source;
  source.text = request.at("schema").as_string();
  source.options.additional = AdditionalProperties::kSpec;
  source.options.order =
      request.at("any_order").as_bool() ? PropertyOrder::kAny : PropertyOrder::kSchema;
  json::object answer;
  try {
    const auto start = Clock::now();
    CompiledGrammar grammar(source, vocabulary);
    Matcher first(grammar);
    answer["compile_us"] = microseconds(Clock::now() - start);
    json::array times;
    json::array accepted;
    json::array tokens;
    for (const json::value& instance : request.at("instances").as_array()) {
      Matcher matcher(grammar);
      const std::vector<TokenId> ids = tokenizer.encode(instance.as_string());
      tokens.emplace_back(json::array(ids.begin(), ids.end()));
      accepted.emplace_back(follow(matcher, ids, times));
    }
    answer["mask_us"] = std::move(times);
    answer["accepted"] = std::move(accepted);
    answer["tokens"] = std::move(tokens);
  } catch (const GrammarError& error) {
    answer["error"] = error.what();
  }
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: grammar_worker MODEL\n";
    return 2;
  }
  const GgufFile file = GgufFile::open(argv[1]);
  const Tokenizer tokenizer(read_vocabulary(file));
  const auto start = Clock::now();
  const auto vocabulary = GrammarVocabulary::of(tokenizer, tokenizer.size());
  std::cerr << fmt::format("vocabulary of {} tokens in {:.1f} ms, {} nodes\n", tokenizer.size(),
                           microseconds(Clock::now() - start) / 1000,
                           vocabulary->all().nodes().size());
  std::cout << json::serialize(vocabulary_line(tokenizer)) << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const json::value request = json::parse(line);
    std::cout << json::serialize(run(tokenizer, vocabulary, request.as_object())) << std::endl;
  }
  return 0;
}
