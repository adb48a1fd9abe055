// The keys that may come next in an object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/grammar/automaton/text_steps.hpp"
#include "text/grammar/interner.hpp"
#include "text/grammar/regex/pool.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"
#include "text/grammar/schema/word_lists.hpp"

namespace vernal::grammar {

/// What a finished key is.
struct KeyClass {
  bool is_named = false;
  std::uint32_t index = 0;     ///< named: in ObjectSpec::keys
  std::vector<bool> matching;  ///< otherwise: by ObjectSpec::patterns
};

/// One automaton for all keys of an object: an interval of the sorted named keys, the expression of
/// the others, and the patterns that tell those apart. So 200 optional keys cost one state a
/// character, whichever of them were used already.
class KeyLanguage : public LeafLanguage, public KeySpelling {
 public:
  KeyLanguage(RegexPool& pool, ShapeTable& shapes, WordLists& lists);

  /// Keys of `object` whose bit is set in list `offered`, and `unnamed`, some of ObjectSpec::unnamed.
  /// kNothing if there are none.
  Re keys(std::uint32_t object, std::uint32_t offered, Re unnamed);
  KeyClass classify(Re key) const;
  /// Whether every text of characters that need no escape goes on being a key.
  bool is_open(Re key) const;
  /// Whether keys that no schema names may come.
  bool has_unnamed(Re key) const;
  /// Whether no named key is left, so that the state says nothing but that.
  bool is_only_unnamed(Re key) const;
  std::uint32_t language() const noexcept { return language_; }

  bool accepts(std::uint32_t state) const override { return accepts_[state]; }
  void borders(std::uint32_t state, std::vector<std::uint32_t>& out) const override;
  bool next(std::uint32_t state, std::uint32_t code_point, std::uint32_t& out) override;
  bool is_never_empty() const override { return true; }
  Re spelled_freely(Re key) override;

 private:
  // A state is a list of words: these, then the patterns.
  enum Field : std::size_t {
    kSpec,
    kOffered,
    kFirst,
    kLast,
    kDepth,
    kFreely,
    kUnnamed,
    kNumFields
  };
  using State = std::vector<std::uint32_t>;

  bool is_offered(const State& state, std::uint32_t index) const;
  bool lives(const State& state) const;
  std::uint32_t intern(State state);
  bool find_accepts(const State& state);
  const ObjectSpec& spec(const State& state) const { return shapes_.object(state[kSpec]); }

  RegexPool& pool_;
  ShapeTable& shapes_;
  WordLists& lists_;
  std::uint32_t language_;
  Interner<State> states_;
  std::vector<bool> accepts_;
};

}  // namespace vernal::grammar
