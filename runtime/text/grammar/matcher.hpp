// Follows one answer through a grammar.
#pragma once

#include <memory>
#include <string_view>

#include "text/grammar/grammar.hpp"

namespace vernal::grammar {

class Automaton;

/// Where an answer stands in a grammar. A copy is cheap: it is how a step is undone.
/// Thread   that of the grammar
class Matcher {
 public:
  /// The grammar must outlive the matcher.
  explicit Matcher(CompiledGrammar& grammar);

  /// Appends bytes to the answer. False if no answer goes on like this; then nothing is appended.
  bool accept_bytes(std::string_view bytes);
  /// Whether the answer may end here.
  bool can_end() const noexcept;

 private:
  void move_to_current();

  CompiledGrammar* grammar_;
  std::shared_ptr<Automaton> automaton_;
  std::uint32_t state_;
};

}  // namespace vernal::grammar
