// Request documents from clients: whatever the bytes are, a document is refused with RequestError
// or becomes a prompt in which every control token is the template's own.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "support/byte_tokenizer.hpp"
#include "text/request/prompt_builder.hpp"
#include "text/request/request_error.hpp"

namespace {

using vernal::PromptBuilder;
using vernal::TokenId;

// One start and one end for each message, and a start for the answer.
constexpr const char* kTemplate =
    "{% if tools %}{% for t in tools %}{{ t | tojson }}{{ t.function.name }}{% endfor %}{% endif %}"
    "{% for m in messages %}<|start|>{{ m.role }} {{ m.content | trim }}{{ m.reasoning_content }}"
    "{{ m.name }}{{ m.tool_call_id }}{% for c in m.tool_calls %}{{ c.function.name }}"
    "{{ c.function.arguments | tojson }}{% endfor %}<|end|>{% endfor %}<|start|>";

const PromptBuilder& builder() {
  static const PromptBuilder instance(
      vernal::test::make_byte_tokenizer(),
      vernal::ModelTemplates{
          std::make_shared<const vernal::ChatTemplate>(vernal::ChatTemplate::parse(kTemplate))},
      [] { return vernal::LocalTime{}; });
  return instance;
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void check(const vernal::RequestDocument& document) {
  const std::vector<TokenId> tokens = builder().tokens(document);
  require(builder().tokenizer().decode(tokens) == builder().text(document));
  if (!document.messages) {
    return;
  }
  std::size_t starts = 0;
  std::size_t ends = 0;
  for (const TokenId token : tokens) {
    starts += token == vernal::test::kStartToken ? 1U : 0U;
    ends += token == vernal::test::kEndToken ? 1U : 0U;
  }
  require(starts == document.messages->size() + 1 && ends == document.messages->size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool has_tokens : {false, true}) {
    try {
      const vernal::RequestDocument document = vernal::parse_request(text, {}, has_tokens);
      if (!has_tokens) {
        check(document);
      }
    } catch (const vernal::RequestError&) {
      continue;
    }
  }
  return 0;
}
