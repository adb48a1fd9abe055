// Texts that must not stand in an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sampling/sampler.hpp"
#include "text/request/token_rules.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// Stands between the sampler and the output of one choice. Tokens whose text may be the beginning of
/// a banned text are held back until more text decides it, so nothing that was handed out is ever
/// taken back. When a banned text is complete, tokens are taken back, and the first of them is
/// forbidden at its place from then on: the next draw there gives another one.
///
/// How many are taken back is the engine's choice: all from the token in which the text begins (a
/// rewind), or the last one only, where the model's state cannot be cut. Engine thread.
class BannedTexts {
 public:
  /// Both outlive the object.
  BannedTexts(const Tokenizer& tokenizer, const TokenRules& rules);

  /// Whether there is any such text. Nothing else is called if not.
  bool is_on() const noexcept { return !texts_.empty(); }

  /// Takes the newest token of the answer. Returns how many of the newest tokens a rewind would take
  /// back; 0: nothing is wrong. Unless it is 0, take_back() has to follow.
  std::size_t push(const SampledToken& token);
  /// Takes back the newest tokens, and forbids the first of them at its place.
  void take_back(std::size_t count);
  /// The tokens that may be handed out now.
  std::vector<SampledToken> release();
  /// The tokens that are still held, at the end of the answer.
  std::vector<SampledToken> flush();

  /// What must not come next.
  std::span<const TokenId> forbidden() const noexcept { return forbidden_here_; }
  /// Whether so much was taken back that the answer had better end.
  bool is_exhausted() const noexcept { return num_taken_back_ >= kMaxTakenBack; }

 private:
  static constexpr std::size_t kMaxTakenBack = 4096;

  struct BannedText {
    std::string text;  // in lower case if case does not count
    bool ignores_case;
    bool rewinds;
  };
  struct HeldToken {
    SampledToken token;
    std::size_t begin;  // of its bytes in text_
  };
  struct Forbidden {
    std::size_t position;  // in the answer
    TokenId token;
  };

  // Where the first banned text begins in text_; npos: none is there.
  const BannedText* find(std::size_t& begin) const noexcept;
  // Where a suffix of text_ begins that is the beginning of a banned text; the size: none does.
  std::size_t begin_of_partial() const noexcept;
  bool is_at(const BannedText& banned, std::size_t begin, std::size_t length) const noexcept;
  void collect_forbidden();

  const Tokenizer& tokenizer_;
  std::vector<BannedText> texts_;
  std::deque<HeldToken> held_;
  std::string text_;  // of the tokens that are held
  std::size_t num_tokens_ = 0;
  std::size_t num_taken_back_ = 0;
  std::vector<Forbidden> forbidden_;
  std::vector<TokenId> forbidden_here_;
};

}  // namespace vernal
