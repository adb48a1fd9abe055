// Compiles arbitrary grammars of one kind and follows answers through them. Every input must end
// within its budget, and masks must be what each token alone says.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/grammar_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vernal::grammar;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view answer;
  GrammarSource source = fuzz_source(GrammarSource::Kind::kGbnf, input, answer);
  return fuzz_grammar(std::move(source), answer);
}
