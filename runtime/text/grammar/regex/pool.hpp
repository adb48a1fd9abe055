// Regular expressions over code points, with intersection and complement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/grammar/interner.hpp"
#include "text/grammar/regex/charset.hpp"

namespace vernal::grammar {

/// An expression of a RegexPool. Equal expressions have equal numbers.
using Re = std::uint32_t;

inline constexpr Re kNothing = 0;    ///< matches no text
inline constexpr Re kEmptyText = 1;  ///< matches "" alone
inline constexpr Re kAnyText = 2;    ///< matches every text
inline constexpr std::uint32_t kUnlimited = 0xFFFFFFFFU;

enum class Op : std::uint8_t {
  kNothing,
  kEmptyText,
  kSet,
  kConcat,
  kRepeat,
  kOr,
  kAnd,
  kNot,
  kLeaf
};

/// Code points up to `last`, from the step before on, lead to `next`.
struct RegexStep {
  std::uint32_t last = 0;
  Re next = kNothing;
};

/// Languages that are not written as expressions, such as numbers above a bound: automata whose
/// states are numbered from 0.
class LeafLanguage {
 public:
  virtual ~LeafLanguage() = default;
  virtual bool accepts(std::uint32_t state) const = 0;
  /// Appends the first code points of the ranges in which next() is the same.
  virtual void borders(std::uint32_t state, std::vector<std::uint32_t>& out) const = 0;
  /// The state after `code_point`; false if no text of the language goes on like this.
  virtual bool next(std::uint32_t state, std::uint32_t code_point, std::uint32_t& out) = 0;
  /// Whether every state matches some text, so that nobody needs to search.
  virtual bool is_never_empty() const { return false; }
};

/// Thrown when an expression or a search outgrows its limit. It never leaves the library.
struct RegexLimit {};

/// Makes expressions and derives them: derivative(r, c) matches w if r matches cw.
/// Source   Brzozowski 1964; Owens, Reppy, Turon 2009, "Regular-expression derivatives re-examined"
/// Thread   one
class RegexPool {
 public:
  RegexPool();

  Re set(const Charset& set);
  Re concat(Re first, Re second);
  Re any_of(std::vector<Re> parts);
  Re all_of(std::vector<Re> parts);
  Re any_of(Re a, Re b) { return any_of(std::vector<Re>{a, b}); }
  Re all_of(Re a, Re b) { return all_of(std::vector<Re>{a, b}); }
  Re complement(Re body);
  Re repeat(Re body, std::uint32_t min, std::uint32_t max);
  Re literal(std::u32string_view text);
  /// Any of the texts, as a trie: a step costs the same for one text and for a thousand.
  Re literals(std::vector<std::u32string> texts);
  /// `language` is numbered by add_language.
  Re leaf(std::uint32_t language, std::uint32_t state);
  /// Returns its number. The language must outlive the pool.
  std::uint32_t add_language(LeafLanguage& language);

  Op op(Re re) const noexcept { return nodes_[re].op; }
  /// Body of a repetition.
  Re body(Re re) const noexcept { return nodes_[re].a; }
  std::uint32_t min_count(Re re) const noexcept { return nodes_[re].b; }
  std::uint32_t max_count(Re re) const noexcept { return nodes_[re].c; }
  std::uint32_t leaf_language(Re re) const noexcept { return nodes_[re].a; }
  std::uint32_t leaf_state(Re re) const noexcept { return nodes_[re].b; }
  bool is_nullable(Re re) const noexcept { return facts_[re].is_nullable; }
  /// A repetition of any character, or kAnyText.
  bool is_counted_text(Re re) const noexcept {
    return re == kAnyText || (op(re) == Op::kRepeat && body(re) == any_character_);
  }
  Re any_character() const noexcept { return any_character_; }

  /// What follows each code point, in ascending order up to the last code point. An expression that
  /// matches nothing is kNothing. The span lives as long as the pool.
  std::span<const RegexStep> steps(Re re);
  Re next(Re re, std::uint32_t code_point);
  /// Whether no text matches. A search that outgrows its limit, or what allow_searches() left,
  /// answers false.
  bool is_nothing(Re re);
  bool matches(Re re, std::u32string_view text);

  std::size_t size() const noexcept { return nodes_.size(); }
  /// Expressions made from now on may be this many more. RegexLimit is thrown beyond.
  void allow(std::size_t more) noexcept { limit_ = nodes_.size() + more; }
  /// Searches may look at this many expressions from now on.
  void allow_searches(std::size_t count) noexcept { searches_left_ = count; }

 private:
  struct Node {
    Op op = Op::kNothing;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
    bool operator==(const Node&) const = default;
    friend std::uint64_t hash_of(const Node& node) noexcept {
      return mix_hash(mix_hash(mix_hash(static_cast<std::uint64_t>(node.op), node.a), node.b),
                      node.c);
    }
  };
  enum class Fate : std::uint8_t { kUnknown, kSome, kNone };
  struct Facts {
    bool is_nullable = false;
    Fate fate = Fate::kUnknown;
    std::uint16_t depth = 0;  // of the recursion of derive()
  };

  Re make(Node node);
  Facts facts_of(const Node& node) const;
  Re derive(Re re, std::uint32_t code_point);
  void append_borders(Re re, std::vector<std::uint32_t>& out) const;
  const std::vector<std::uint32_t>& parts(Re re) const { return lists_[nodes_[re].a]; }
  Re make_list(Op op, std::vector<Re> parts);
  std::vector<RegexStep> raw_steps(Re re);
  const std::vector<RegexStep>& unchecked_steps(Re re);
  bool search_text(Re re);

  Interner<Node> nodes_;
  std::vector<Facts> facts_;
  Interner<std::vector<std::uint32_t>> lists_;
  Interner<Charset> sets_;
  std::vector<LeafLanguage*> languages_;
  std::vector<std::unique_ptr<std::vector<RegexStep>>> unchecked_;  // by expression
  std::vector<std::unique_ptr<std::vector<RegexStep>>> steps_;      // the same without dead ends
  std::vector<std::uint32_t> seen_in_;  // by expression: the last search that looked at it
  std::uint32_t search_ = 0;
  std::size_t searches_left_ = 8'000;
  std::size_t limit_ = 0;
  Re any_character_ = 0;
};

}  // namespace vernal::grammar
