#include "text/request/request_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "text/exact_json.hpp"
#include "text/request/format_reader.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxStopBytes = 1024;
constexpr std::size_t kMaxKeyBytes = 512;
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMaxDeadlineMs = std::int64_t{7} * 24 * 3600 * 1000;
constexpr std::array<std::string_view, 10> kThinking = {
    "auto", "off", "on", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"};

// Variables of a template that come from elsewhere.
constexpr std::array<std::string_view, 5> kReservedVariables = {
    "messages", "tools", "add_generation_prompt", "bos_token", "eos_token"};

template <class T, class U>
void assign_if(T& target, const std::optional<U>& value) {
  if (value) {
    target = static_cast<T>(*value);
  }
}

void read_kind(ObjectReader& reader, RequestDocument& out) {
  const std::string kind = reader.find_string("kind", kMaxKeyBytes).value_or("generate");
  out.is_embedding = kind == "embed";
  if (!out.is_embedding && kind != "generate") {
    throw invalid_value("kind", "Invalid value for 'kind': expected generate or embed.");
  }
}

// The last message becomes the beginning of the answer.
void take_beginning(RequestDocument& out) {
  const bool has_one = out.messages && out.messages->size() > 1 &&
                       out.messages->back().role == "assistant" &&
                       out.messages->back().tool_calls.empty();
  if (!has_one) {
    throw invalid_value("continue_final_message",
                        "Invalid value for 'continue_final_message': it needs a last message of "
                        "the assistant, without calls, and another one before it.");
  }
  out.answer_beginning = out.messages->back().text();
  out.messages->pop_back();
}

void read_prompt(ObjectReader& reader, bool has_tokens, RequestDocument& out) {
  const json::array* messages = reader.find_array("messages");
  out.prompt = reader.find_string("prompt", std::numeric_limits<std::size_t>::max());
  const int given = (messages != nullptr ? 1 : 0) + (out.prompt ? 1 : 0) + (has_tokens ? 1 : 0);
  if (given != 1) {
    throw invalid_value(given == 0 ? "messages" : "prompt",
                        "Exactly one of messages, prompt and token ids is needed in a request.");
  }
  if (messages != nullptr) {
    out.messages = read_messages(*messages);
  }
  if (reader.find_bool("continue_final_message").value_or(false)) take_beginning(out);
}

void read_tools_and_choice(ObjectReader& reader, RequestDocument& out) {
  if (const json::array* tools = reader.find_array("tools")) {
    if (!tools->empty() && !out.messages) {
      throw invalid_value("tools",
                          "Invalid value for 'tools': tools need a request with messages.");
    }
    out.tools = read_tools(*tools);
  }
  out.tool_choice = read_tool_choice(reader, out.tools);
  if (out.tool_choice.is_none) out.tools.clear();
  assign_if(out.has_parallel_calls, reader.find_bool("parallel_tool_calls"));
  if (out.tool_choice.is_named) out.has_parallel_calls = false;
}

void read_stop(ObjectReader& reader, RequestDocument& out) {
  const json::array* stop = reader.find_array("stop");
  if (stop == nullptr) {
    return;
  }
  if (stop->size() > kMaxStopStrings) {
    throw invalid_value(
        "stop", fmt::format("Invalid value for 'stop': {} strings; at most {} are accepted.",
                            stop->size(), kMaxStopStrings));
  }
  for (std::size_t i = 0; i < stop->size(); ++i) {
    out.stop.push_back(read_string((*stop)[i], fmt::format("stop[{}]", i), kMaxStopBytes));
    if (out.stop.back().empty()) {
      throw invalid_value(fmt::format("stop[{}]", i),
                          "Invalid value for 'stop': a stop string must not be empty.");
    }
  }
}

bool read_whole(std::string_view digits, std::uint64_t& out) {
  const char* end = digits.data() + digits.size();
  const auto [parsed_to, error] = std::from_chars(digits.data(), end, out);
  return error == std::errc() && parsed_to == end;
}

void read_seed(ObjectReader& reader, RequestDocument& out) {
  const json::value* seed = reader.find("seed");
  std::uint64_t large = 0;  // above the largest int64
  if (seed != nullptr && is_written_number(*seed) && read_whole(written_text(*seed), large)) {
    out.seed = large;
    return;
  }
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  assign_if(out.seed, reader.find_integer("seed", kLeast, kNoLimit));
}

void read_thinking(ObjectReader& reader, RequestDocument& out) {
  assign_if(out.thinking, reader.find_string("thinking", kMaxKeyBytes));
  if (std::find(kThinking.begin(), kThinking.end(), out.thinking) == kThinking.end()) {
    throw invalid_value("thinking", fmt::format("Invalid value for 'thinking': expected one of {}.",
                                                fmt::join(kThinking, ", ")));
  }
  if (const auto budget = reader.find_integer("thinking_budget", 0, kNoLimit)) {
    out.thinking_budget = static_cast<std::uint64_t>(*budget);
    if (*budget == 0) out.thinking = "off";  // where the template has a switch
  }
  if (const json::object* kwargs = reader.find_object("template_kwargs")) {
    for (const auto& member : *kwargs) {
      if (std::find(kReservedVariables.begin(), kReservedVariables.end(), member.key()) !=
          kReservedVariables.end()) {
        throw invalid_value("template_kwargs",
                            "Invalid value for 'template_kwargs': it sets a variable that the "
                            "request has other fields for.");
      }
      out.template_kwargs[member.key()] = member.value();
    }
  }
}

void read_limits(ObjectReader& reader, RequestDocument& out) {
  assign_if(out.n, reader.find_integer("n", 1, kMaxChoices));
  if (const auto max_tokens = reader.find_integer("max_tokens", 0, kNoLimit)) {
    out.max_tokens = static_cast<std::uint64_t>(*max_tokens);
  }
  if (const auto logprobs = reader.find_integer("logprobs", 0, kMaxLogprobs)) {
    out.logprobs = static_cast<std::uint32_t>(*logprobs);
  }
  if (const auto logprobs = reader.find_integer("prompt_logprobs", 0, kMaxLogprobs)) {
    out.prompt_logprobs = static_cast<std::uint32_t>(*logprobs);
  }
  assign_if(out.echo, reader.find_bool("echo"));
  assign_if(out.priority, reader.find_integer("priority", -100, 100));
  if (const auto deadline = reader.find_integer("deadline_ms", 1, kMaxDeadlineMs)) {
    out.deadline = std::chrono::milliseconds(*deadline);
  }
  assign_if(out.reuses_prompt, reader.find_bool("cache_prompt"));
  reader.find_string("cache_key", kMaxKeyBytes);  // accepted; nothing is grouped by it yet
}

}  // namespace

RequestDocument parse_request(std::string_view text, const RequestDefaults& defaults,
                              bool has_tokens, const JsonLimits& limits) {
  const json::value document = parse_json(text, limits);
  ObjectReader reader(document, "");
  RequestDocument out;
  out.sampling = defaults.sampling;
  out.max_tokens = defaults.max_tokens;
  out.thinking = defaults.thinking;
  out.message_policy = defaults.message_policy;
  out.template_kwargs = defaults.template_kwargs;
  read_kind(reader, out);
  read_prompt(reader, has_tokens, out);
  read_tools_and_choice(reader, out);
  out.format = read_format(reader);
  read_sampling(reader, out.sampling, out.text_biases);
  out.rules = read_token_rules(reader);
  read_stop(reader, out);
  read_seed(reader, out);
  read_thinking(reader, out);
  read_limits(reader, out);
  reader.refuse_unknown_keys();
  return out;
}

}  // namespace vernal
