// The values of a JSON Schema as rules of the automaton.
#pragma once

#include <string_view>
#include <vector>

#include "text/grammar/automaton/rules.hpp"
#include "text/grammar/options.hpp"
#include "text/grammar/schema/key_language.hpp"
#include "text/grammar/schema/schema_document.hpp"
#include "text/grammar/schema/shapes.hpp"

namespace vernal::grammar {

/// JSON that fits a schema.
class JsonRules : public Rules {
 public:
  /// Reads the schema and what its keywords say, so that warnings are known.
  /// Errors   those of SchemaDocument; GrammarError: a schema that refers to itself in place, a
  ///          schema that no value fits
  JsonRules(std::string_view schema, RegexPool& pool, const GrammarOptions& options,
            WarningList& warnings);

  void begin(HeadSink& sink) override;
  void complete(FrameId frame, const LexState& lexeme, HeadSink& sink) override;
  KeyLanguage& keys() noexcept { return keys_; }

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
  };

  static constexpr std::uint16_t kMaxDepth = 200;  // of arrays and objects

  void check_references();
  void check_keywords();

  void value(ConjId conj, FrameId after, HeadSink& sink);
  void expect(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink);
  void expect_array(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink);
  void expect_object(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink);
  void items(const Frame& frame, HeadSink& sink);
  void counted_item(const Frame& frame, ConjId item, HeadSink& sink);
  void unique_item(const Frame& frame, HeadSink& sink);
  bool can_close_array(const Frame& frame) const;

  /// The language of the keys that may follow.
  Re next_keys(const Frame& frame);
  void after_key(const Frame& frame, const KeyClass& key, HeadSink& sink);
  bool can_close_object(const Frame& frame);
  std::uint32_t num_missing(const Frame& frame, const ObjectSpec& spec) const;

  bool has_bit(std::uint32_t list, std::uint32_t bit) const;
  std::uint32_t with_bit(std::uint32_t list, std::uint32_t bit);
  bool may_space() const { return options_.whitespace == Whitespace::kAny; }
  std::string_view comma() const;
  std::string_view colon() const;

  GrammarOptions options_;
  SchemaDocument document_;
  WarningList& warnings_;
  Evaluator evaluator_;
  ShapeTable shapes_;
  WordLists lists_;
  KeyLanguage keys_;
  ConjId root_ = kAnything;
};

}  // namespace vernal::grammar
