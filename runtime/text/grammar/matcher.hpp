// Follows one answer through a grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "text/grammar/grammar.hpp"
#include "text/grammar/grammar_tables.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal::grammar {

/// Where an answer stands in a grammar. A copy is cheap: it is how a step is undone.
/// Thread   that of the grammar
class Matcher {
 public:
  /// The grammar must outlive the matcher.
  explicit Matcher(CompiledGrammar& grammar);

  /// Appends bytes to the answer. False if no answer goes on like this; then nothing is appended.
  bool accept_bytes(std::string_view bytes);
  /// Appends a token. An end token is accepted where the answer may end, and changes nothing.
  bool accept(TokenId token);
  /// The tokens that may come next, a bit for each logit. It holds the end tokens exactly where the
  /// answer may end. The words live until the next call for any matcher of the grammar. The grammar
  /// must have a vocabulary.
  std::span<const std::uint32_t> mask();
  /// The bytes that every answer goes on with; empty if there is a choice or the answer may end.
  std::string forced_text();
  /// Whether the mask holds a token that begins with `bytes` and goes further.
  bool allows_longer(std::string_view bytes);
  /// Whether the answer may end here.
  bool can_end() const noexcept;

 private:
  void move_to_current();

  CompiledGrammar* grammar_;
  std::shared_ptr<GrammarTables::Epoch> epoch_;
  std::uint32_t state_;
};

}  // namespace vernal::grammar
