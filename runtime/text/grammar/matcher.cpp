#include "text/grammar/matcher.hpp"

#include "text/grammar/grammar_tables.hpp"

namespace vernal::grammar {

Matcher::Matcher(CompiledGrammar& grammar)
    : grammar_(&grammar),
      automaton_(grammar.tables_->automaton()),
      state_(automaton_->start()) {}

void Matcher::move_to_current() {
  grammar_->tables_->keep_small();
  std::shared_ptr<Automaton> current = grammar_->tables_->automaton();
  if (current != automaton_) {
    state_ = current->adopt(*automaton_, state_);
    automaton_ = std::move(current);
  }
}

bool Matcher::accept_bytes(std::string_view bytes) {
  move_to_current();
  StateId state = state_;
  for (const char byte : bytes) {
    state = automaton_->next(state, static_cast<std::uint8_t>(byte));
    if (state == kDeadState) {
      return false;
    }
  }
  state_ = state;
  return true;
}

bool Matcher::can_end() const noexcept { return automaton_->accepts(state_); }

}  // namespace vernal::grammar
