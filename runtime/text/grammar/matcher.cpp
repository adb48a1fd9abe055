#include "text/grammar/matcher.hpp"

#include <bit>
#include <utility>

namespace vernal::grammar {

Matcher::Matcher(CompiledGrammar& grammar)
    : grammar_(&grammar), epoch_(grammar.tables_->epoch()), state_(epoch_->automaton.start()) {}

void Matcher::move_to_current() {
  grammar_->tables_->keep_small();
  std::shared_ptr<GrammarTables::Epoch> current = grammar_->tables_->epoch();
  if (current != epoch_) {
    state_ = current->automaton.adopt(epoch_->automaton, state_);
    epoch_ = std::move(current);
  }
}

bool Matcher::accept_bytes(std::string_view bytes) {
  move_to_current();
  StateId state = state_;
  for (const char byte : bytes) {
    state = epoch_->automaton.next(state, static_cast<std::uint8_t>(byte));
    if (state == kDeadState) {
      return false;
    }
  }
  state_ = state;
  return true;
}

bool Matcher::accept(TokenId token) {
  const GrammarVocabulary* vocabulary = grammar_->tables_->vocabulary();
  if (vocabulary->is_end(token)) {
    return can_end();
  }
  const std::string_view bytes = vocabulary->bytes(token);
  return !bytes.empty() && accept_bytes(bytes);
}

std::span<const std::uint32_t> Matcher::mask() {
  move_to_current();
  return epoch_->masks->mask(state_);
}

std::string Matcher::forced_text() {
  constexpr std::size_t kMaxForced = 4'096;
  move_to_current();
  Automaton& automaton = epoch_->automaton;
  std::string text;
  for (StateId state = state_; text.size() < kMaxForced && !automaton.accepts(state);) {
    const ByteSet& live = automaton.live_bytes(state);
    int count = 0;
    unsigned only = 0;
    for (unsigned word = 0; word < live.size(); ++word) {
      count += std::popcount(live[word]);
      only =
          live[word] != 0 ? word * 64 + static_cast<unsigned>(std::countr_zero(live[word])) : only;
    }
    if (count != 1) {
      break;
    }
    text += static_cast<char>(only);
    state = automaton.next(state, static_cast<std::uint8_t>(only));
  }
  return text;
}

bool Matcher::allows_longer(std::string_view bytes) {
  const std::span<const TokenTrie::Node> below =
      grammar_->tables_->vocabulary()->all().below(bytes);
  if (below.empty()) {
    return false;
  }
  const std::span<const std::uint32_t> allowed = mask();
  const TokenTrie& trie = grammar_->tables_->vocabulary()->all();
  for (const TokenTrie::Node& node : below) {
    for (const TokenId token : trie.tokens_at(node)) {
      const auto index = static_cast<std::size_t>(token);
      if ((allowed[index / 32] >> (index % 32) & 1U) != 0) {
        return true;
      }
    }
  }
  return false;
}

bool Matcher::can_end() const noexcept { return epoch_->automaton.accepts(state_); }

}  // namespace vernal::grammar
