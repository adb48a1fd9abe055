#include "text/grammar/schema/json_rules.hpp"

#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/schema_checks.hpp"

namespace vernal::grammar {

JsonRules::JsonRules(std::span<const SchemaText> schemas, RegexPool& pool,
                     const GrammarOptions& options, WarningList& warnings, JsonNotation notation)
    : options_(options),
      notation_(std::move(notation)),
      document_(schemas, warnings),
      evaluator_(document_, pool, options, warnings),
      shapes_(evaluator_),
      items_(evaluator_, shapes_, lists_),
      members_(evaluator_, shapes_, lists_) {
  evaluator_.set_shapes(shapes_);
  lists_.intern({});
  if (!notation_.string_mark.empty() && notation_.string_mark.front() != kControlByte) {
    const Re mark = pool.literal(to_code_points(notation_.string_mark));
    not_marked_ = pool.complement(pool.concat(kAnyText, pool.concat(mark, kAnyText)));
  }
  check_references(document_);
  for (const NodeId root : document_.roots()) {
    roots_.push_back(evaluator_.conj_of(root));
  }
  check_keywords(document_, evaluator_, shapes_);
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    if (!shapes_.is_possible(roots_[i])) {
      throw GrammarError(document_[document_.roots()[i]].pointer, "", "no value fits this schema");
    }
  }
}

std::string_view JsonRules::comma() const {
  return options_.whitespace == Whitespace::kSpaced ? ", " : ",";
}

std::string_view JsonRules::colon() const {
  return options_.whitespace == Whitespace::kSpaced ? ": " : ":";
}

void JsonRules::begin(HeadSink& sink) { value(roots_.front(), sink.intern({0, kEnd}), sink); }

void JsonRules::value(ConjId conj, FrameId after, HeadSink& sink, ValueKinds kinds) {
  const Shape& shape = shapes_.shape(conj);
  Lexer& lexer = sink.lexer();
  const std::uint16_t depth = sink.frame(after).depth;
  scalars(shape, after, sink, kinds);
  if ((kinds & kStrings) != 0 && shape.strings != kNothing) {
    string(shape, conj, after, sink);
  }
  if (depth >= kMaxDepth) {
    return;
  }
  Frame inner;
  inner.parents = sink.parents_of(after);
  inner.depth = static_cast<std::uint16_t>(depth + 1);
  if ((kinds & kArrays) != 0) {
    for (const std::uint32_t array : shape.arrays) {
      inner.kind = kArrayFirst;
      inner.spec = array;
      sink.head(lexer.word("["), sink.intern(inner));
    }
  }
  if ((kinds & kObjects) == 0) return;
  for (const std::uint32_t object : shape.objects) {
    inner.kind = kObjectFirst;
    inner.spec = object;
    sink.head(lexer.word("{"), sink.intern(inner));
  }
}

void JsonRules::scalars(const Shape& shape, FrameId after, HeadSink& sink, ValueKinds kinds) {
  struct Spelled {
    Word word;
    ValueKinds kind;
    std::string_view text;
  };
  for (const Spelled& each : {Spelled{kNullWord, kNulls, notation_.null_word},
                              {kFalseWord, kBooleans, notation_.false_word},
                              {kTrueWord, kBooleans, notation_.true_word}}) {
    if ((shape.words & each.word) != 0 && (kinds & each.kind) != 0) {
      sink.head(sink.lexer().word(each.text), after);
    }
  }
  if ((kinds & kNumbers) != 0 && shape.numbers != kNothing) {
    sink.head(sink.lexer().raw(shape.numbers), after);
  }
}

void JsonRules::string(const Shape& shape, ConjId conj, FrameId after, HeadSink& sink) {
  if (notation_.string_mark.empty()) {
    const Spelling spelling = shape.are_literals ? Spelling::kLiteral : Spelling::kFree;
    sink.head(sink.lexer().quoted(shape.strings, spelling), after);
    return;
  }
  Frame inner;
  inner.parents = sink.parents_of(after);
  inner.depth = sink.frame(after).depth;
  inner.kind = kMarkedText;
  inner.value = conj;
  sink.head(sink.lexer().word(notation_.string_mark), sink.intern(inner));
}

void JsonRules::marked_string(const Frame& frame, HeadSink& sink) {
  Frame next = frame;
  if (frame.kind == kMarkedText) {
    next.kind = kMarkedEnd;
    const Re text = evaluator_.pool().all_of(shapes_.shape(frame.value).strings, not_marked_);
    sink.head(sink.lexer().raw(text), sink.intern(next));
  } else {
    sink.head_of_parents(sink.lexer().word(notation_.string_mark), frame);
  }
}

void JsonRules::complete(FrameId id, const LexState& lexeme, HeadSink& sink) {
  const Frame frame = sink.frame(id);
  if (frame.kind == kEnd) {
    sink.accept();
    return;
  }
  if (frame.kind == kMarkedText || frame.kind == kMarkedEnd) {
    marked_string(frame, sink);
    return;
  }
  if (frame.kind == kObjectKey &&
      (lexeme.kind == LexKind::kClosed || lexeme.kind == LexKind::kRaw)) {
    for (Frame& next : members_.after_key(frame, keys().classify(lexeme.re))) {
      next.kind = kObjectValue;
      sink.head(sink.lexer().word(colon()), sink.intern(next));
    }
    return;
  }
  expect(frame, id, may_space() && lexeme.kind != LexKind::kGap, sink);
}

void JsonRules::expect(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink) {
  switch (frame.kind) {
    case kArrayFirst:
    case kArrayNext:
    case kArrayAfter:
      expect_array(frame, id, may_have_gap, sink);
      return;
    case kObjectValue: {
      if (may_have_gap) {
        sink.head(sink.lexer().gap(), id);
      }
      Frame after = frame;
      after.kind = kObjectAfter;
      after.value = 0;
      value(frame.value, sink.intern(after), sink);
      return;
    }
    default:
      expect_object(frame, id, may_have_gap, sink);
      return;
  }
}

// A gap may follow a bracket and a comma, and come before the closing bracket.
void JsonRules::expect_array(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink) {
  Lexer& lexer = sink.lexer();
  const bool can_close = frame.kind != kArrayNext && items_.can_close(frame);
  if (may_have_gap && (frame.kind != kArrayAfter || can_close)) {
    sink.head(lexer.gap(), id);
  }
  if (can_close) {
    sink.head_of_parents(lexer.word("]"), frame);
  }
  if (frame.kind != kArrayAfter) {
    items(frame, sink);
  } else if (items_.can_go_on(frame) && (may_have_gap || !may_space())) {
    Frame next = frame;
    next.kind = kArrayNext;
    sink.head(lexer.word(comma()), sink.intern(next));
  }
}

void JsonRules::items(const Frame& frame, HeadSink& sink) {
  for (ArrayItem& item : items_.next(frame)) {
    item.after.kind = kArrayAfter;
    const FrameId after = sink.intern(item.after);
    if (item.text != nullptr) {
      sink.head(sink.lexer().word(*item.text), after);
    } else {
      value(item.value, after, sink);
    }
  }
}

void JsonRules::expect_object(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink) {
  Lexer& lexer = sink.lexer();
  const bool can_close = frame.kind != kObjectNext && members_.can_close(frame);
  if (may_have_gap && (frame.kind != kObjectAfter || can_close)) {
    sink.head(lexer.gap(), id);
  }
  if (can_close) {
    sink.head_of_parents(lexer.word("}"), frame);
  }
  const bool is_after = frame.kind == kObjectAfter;
  if (is_after && may_space() && !may_have_gap) {
    return;  // no comma after a gap
  }
  const Re keys = members_.next_keys(frame);
  if (keys == kNothing) {
    return;
  }
  Frame next = frame;
  next.kind = is_after ? kObjectNext : kObjectKey;
  const FrameId next_id = sink.intern(next);
  if (is_after) {
    sink.head(lexer.word(comma()), next_id);
  } else if (notation_.string_mark.empty()) {
    sink.head(lexer.quoted(keys, Spelling::kKey), next_id);
  } else {
    sink.head(lexer.raw(keys), next_id);
  }
}

}  // namespace vernal::grammar
