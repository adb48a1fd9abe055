// Parses and renders arbitrary templates. An input is a template, optionally followed by a zero
// byte and a JSON object of inputs. Every input must end in text or in a TemplateError.
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/jinja/error.hpp"
#include "text/jinja/template.hpp"

namespace {

boost::json::object default_inputs() {
  return boost::json::parse(R"({
    "messages": [{"role": "system", "content": "Be brief."},
                 {"role": "user", "content": "H\u00e9llo \u2603"},
                 {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
                  "function": {"name": "f", "arguments": {"a": [1, 2.5, null, true], "b": "x\n"}}}]},
                 {"role": "tool", "content": [{"type": "text", "text": "42"}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "n": 7, "x": 2.5, "d": {"k": "v"}})")
      .as_object();
}

boost::json::object inputs_from(std::string_view text) {
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse({text.data(), text.size()}, error);
  return !error.failed() && parsed.is_object() ? parsed.get_object() : boost::json::object{};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t separator = input.find('\0');
  static const boost::json::object defaults = default_inputs();
  vernal::RenderLimits limits;
  limits.max_steps = 50'000;
  limits.max_heap_bytes = std::uint64_t{4} << 20;
  limits.max_output_bytes = std::uint64_t{1} << 20;
  limits.allow_mutation = true;
  try {
    const auto parsed = vernal::jinja::Template::parse(input.substr(0, separator), "fuzz");
    parsed.render(
        separator == std::string_view::npos ? defaults : inputs_from(input.substr(separator + 1)),
        limits, [] { return vernal::LocalTime{2026, 11, 22, 9, 30, 0, 0}; });
  } catch (const vernal::TemplateError&) {
    return 0;  // the expected end of most inputs
  }
  return 0;
}
