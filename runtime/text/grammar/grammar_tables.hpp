// What a compiled grammar and its matchers share.
#pragma once

#include <cstddef>
#include <memory>

#include "text/grammar/automaton/automaton.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/regex/pool.hpp"
#include "text/grammar/schema/json_rules.hpp"

namespace vernal::grammar {

/// Rules, and an automaton that grows with the answers. When it has grown too large, a new one takes
/// its place; matchers move over at their next call.
class GrammarTables {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;

  explicit GrammarTables(const GrammarSource& source);

  std::shared_ptr<Automaton> automaton() noexcept { return automaton_; }
  /// Starts a new automaton if the present one is too large.
  void keep_small();
  const WarningList& warnings() const noexcept { return warnings_; }
  /// Null unless the grammar is a schema.
  KeyLanguage* keys() noexcept { return json_ != nullptr ? &json_->keys() : nullptr; }
  RegexPool& pool() noexcept { return pool_; }

 private:
  WarningList warnings_;
  RegexPool pool_;
  std::unique_ptr<Rules> rules_;
  JsonRules* json_ = nullptr;
  std::shared_ptr<Automaton> automaton_;
};

}  // namespace vernal::grammar
