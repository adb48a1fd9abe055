// From schemas to the values that they allow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/grammar/interner.hpp"
#include "text/grammar/options.hpp"
#include "text/grammar/regex/number_languages.hpp"
#include "text/grammar/regex/pool.hpp"
#include "text/grammar/schema/schema_document.hpp"
#include "text/grammar/schema/values.hpp"
#include "text/grammar/warning.hpp"

namespace vernal::grammar {

class ShapeTable;

/// A union or product has too many cases. It never leaves the library.
struct CaseLimit {};
/// A search for a value needs a schema that is still being computed. It never leaves the library.
struct SearchBlocked {};

/// What meets both.
ObjectCase meet(const ObjectCase& a, const ObjectCase& b, RegexPool& pool);
ArrayCase meet(const ArrayCase& a, const ArrayCase& b);
StringLanguage meet(const StringLanguage& a, const StringLanguage& b, RegexPool& pool);

/// Splits schemas and their complements by type, so that each type has languages and cases that can
/// be united and intersected. Both sides are narrow: a spelling that is not offered is in neither.
/// What cannot be expressed is allowed on both sides, with a warning. Everything is computed when it
/// is first asked for, and kept.
/// Source   Baazizi et al. 2021, arXiv 2104.14828, for negation at the leaves
/// Thread   one
class Evaluator {
 public:
  Evaluator(const SchemaDocument& document, RegexPool& pool, const GrammarOptions& options,
            WarningList& warnings);

  void set_shapes(ShapeTable& shapes) noexcept { shapes_ = &shapes; }

  /// The values of a schema, or those outside it.
  const Values& values_of(Literal literal);
  /// The values of all literals together.
  Values values_of_all(ConjId conj);

  ConjId conj_of(NodeId node, bool is_complement = false);
  ConjId both(ConjId a, ConjId b);
  const std::vector<Literal>& literals(ConjId conj) const { return conjs_[conj]; }

  KeyId key_id(const std::u32string& key);
  const std::u32string& key_text(KeyId id) const { return keys_[id]; }

  /// Errors   CaseLimit
  Values intersect(const Values& a, const Values& b);
  void unite(Values& into, Values more);
  /// The values outside a schema. Only what overlaps with it is cut, so that cases do not multiply.
  /// Errors   CaseLimit
  Values subtract(const Values& values, NodeId node);

  RegexPool& pool() noexcept { return pool_; }
  const GrammarOptions& options() const noexcept { return options_; }
  void warn(NodeId node, std::string keyword, std::string reason, Loss loss = Loss::kRelaxed);
  /// Whether some schema looks at what others have evaluated.
  bool has_unevaluated() const noexcept { return has_unevaluated_; }

 private:
  friend class NodeEvaluation;

  static constexpr std::size_t kMaxCases = 512;

  struct Known {
    std::unique_ptr<Values> values;
    bool is_open = false;  // being computed
    std::uint32_t searches = 0;
  };

  const SchemaDocument& document_;
  RegexPool& pool_;
  GrammarOptions options_;
  WarningList& warnings_;
  ShapeTable* shapes_ = nullptr;
  NumberBounds bounds_;
  NumberMultiples multiples_;
  bool has_unevaluated_ = false;
  std::uint32_t bounds_language_;
  std::uint32_t multiples_language_;
  Re integers_ = kNothing;
  Re fractions_ = kNothing;
  Re numbers_ = kNothing;
  std::vector<Known> known_;  // by literal
  Interner<std::vector<std::uint32_t>> conjs_;
  std::vector<std::u32string> keys_;
  std::unordered_map<std::u32string, KeyId> key_ids_;
};

}  // namespace vernal::grammar
