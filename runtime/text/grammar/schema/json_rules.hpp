// The values of a JSON Schema as rules of the automaton.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/automaton/rules.hpp"
#include "text/grammar/options.hpp"
#include "text/grammar/schema/array_items.hpp"
#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/key_language.hpp"
#include "text/grammar/schema/object_members.hpp"
#include "text/grammar/schema/schema_document.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"
#include "text/grammar/schema/word_lists.hpp"
#include "text/grammar/value_kinds.hpp"

namespace vernal::grammar {

/// How values are written where it is not as JSON.
struct JsonNotation {
  std::string null_word = "null";
  std::string false_word = "false";
  std::string true_word = "true";
  /// Stands before and behind every string, which is then as it is: no quotes, no escapes. Keys are
  /// bare.
  std::string string_mark;
};

/// JSON that fits a schema: the whole text, or values in the rules of something larger.
class JsonRules : public Rules {
 public:
  /// The kinds of its frames are below.
  static constexpr std::uint16_t kKindsEnd = 32;

  /// Reads the schemas and what their keywords say, so that warnings are known. The text is a value
  /// of the first.
  /// Errors   those of SchemaDocument; GrammarError: a schema that refers to itself in place, a
  ///          schema that no value fits
  JsonRules(std::span<const SchemaText> schemas, RegexPool& pool, const GrammarOptions& options,
            WarningList& warnings, JsonNotation notation = {});

  void begin(HeadSink& sink) override;
  void complete(FrameId frame, const LexState& lexeme, HeadSink& sink) override;
  KeyLanguage& keys() noexcept { return members_.keys(); }

  // ---- for rules around it
  /// The values of schema number `index`.
  ConjId root(std::size_t index) const { return roots_[index]; }
  const Shape& shape(ConjId conj) { return shapes_.shape(conj); }
  const ObjectSpec& object(std::uint32_t id) { return shapes_.object(id); }
  const ArraySpec& array(std::uint32_t id) { return shapes_.array(id); }
  /// A value of these kinds comes, and then `after`.
  void value(ConjId conj, FrameId after, HeadSink& sink, ValueKinds kinds = kAllValues);
  ObjectMembers& members() noexcept { return members_; }

 private:
  enum Kind : std::uint16_t {
    kEnd,          // of the text
    kArrayFirst,   // after '['
    kArrayNext,    // after ','
    kArrayAfter,   // after an item
    kObjectFirst,  // after '{'
    kObjectNext,   // after ','
    kObjectKey,    // after a key
    kObjectValue,  // after ':'
    kObjectAfter,  // after a value
    kMarkedText,   // after the mark before a string
    kMarkedEnd,    // after the string
  };

  static constexpr std::uint16_t kMaxDepth = 200;  // of arrays and objects

  void scalars(const Shape& shape, FrameId after, HeadSink& sink, ValueKinds kinds);
  void string(const Shape& shape, ConjId conj, FrameId after, HeadSink& sink);
  void marked_string(const Frame& frame, HeadSink& sink);
  void expect(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink);
  void expect_array(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink);
  void expect_object(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink);
  void items(const Frame& frame, HeadSink& sink);

  bool may_space() const { return options_.whitespace == Whitespace::kAny; }
  std::string_view comma() const;
  std::string_view colon() const;

  GrammarOptions options_;
  JsonNotation notation_;
  SchemaDocument document_;
  Evaluator evaluator_;
  ShapeTable shapes_;
  WordLists lists_;
  ArrayItems items_;
  ObjectMembers members_;
  std::vector<ConjId> roots_;
  Re not_marked_ = kAnyText;  // texts without the mark that ends them
};

}  // namespace vernal::grammar
