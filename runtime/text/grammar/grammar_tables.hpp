// What a compiled grammar and its matchers share.
#pragma once

#include <cstddef>
#include <memory>

#include "text/grammar/automaton/automaton.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/mask/mask_table.hpp"
#include "text/grammar/regex/pool.hpp"
#include "text/grammar/schema/key_language.hpp"

namespace vernal::grammar {

/// Rules, and an automaton that grows with the answers. When it has grown too large, a new one takes
/// its place; matchers move over at their next call.
class GrammarTables {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;

  GrammarTables(const GrammarSource& source, std::shared_ptr<const GrammarVocabulary> vocabulary);

  /// An automaton and the masks of its states.
  struct Epoch {
    Epoch(Rules& rules, RegexPool& pool, KeyLanguage* keys, bool raw_is_long)
        : automaton(rules, pool, keys) {
      if (raw_is_long) {
        automaton.lexer().set_raw_is_long();
      }
    }
    Automaton automaton;
    std::unique_ptr<MaskTable> masks;  ///< null without a vocabulary
  };
  std::shared_ptr<Epoch> epoch() noexcept { return epoch_; }
  /// Starts a new epoch if the automaton is too large.
  void keep_small() {
    if (epoch_->automaton.bytes() > kMaxBytes) {
      start_epoch();
    }
  }
  const GrammarVocabulary* vocabulary() const noexcept { return vocabulary_.get(); }
  const WarningList& warnings() const noexcept { return warnings_; }
  /// Null unless the grammar has a schema.
  KeyLanguage* keys() noexcept { return keys_; }

 private:
  void make_rules(const GrammarSource& source);
  void start_epoch();

  WarningList warnings_;
  RegexPool pool_;
  std::unique_ptr<Rules> rules_;
  KeyLanguage* keys_ = nullptr;
  bool is_json_ = false;
  std::shared_ptr<const GrammarVocabulary> vocabulary_;
  std::shared_ptr<Epoch> epoch_;
};

}  // namespace vernal::grammar
