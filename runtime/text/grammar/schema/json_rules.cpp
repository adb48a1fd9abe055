#include "text/grammar/schema/json_rules.hpp"

#include <algorithm>
#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {

JsonRules::JsonRules(std::span<const SchemaText> schemas, RegexPool& pool,
                     const GrammarOptions& options, WarningList& warnings, JsonNotation notation)
    : options_(options),
      notation_(std::move(notation)),
      document_(schemas, warnings),
      evaluator_(document_, pool, options, warnings),
      shapes_(evaluator_),
      keys_(pool, shapes_, lists_) {
  evaluator_.set_shapes(shapes_);
  lists_.intern({});
  if (!notation_.string_mark.empty() && notation_.string_mark.front() != kControlByte) {
    const Re mark = pool.literal(to_code_points(notation_.string_mark));
    not_marked_ = pool.complement(pool.concat(kAnyText, pool.concat(mark, kAnyText)));
  }
  check_references();
  for (const NodeId root : document_.roots()) {
    roots_.push_back(evaluator_.conj_of(root));
  }
  check_keywords();
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    if (!shapes_.is_possible(roots_[i])) {
      throw GrammarError(document_[document_.roots()[i]].pointer, "", "no value fits this schema");
    }
  }
}

// A schema that applies itself to the same value again says nothing that can be computed.
void JsonRules::check_references() {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(document_.size(), Mark::kNew);
  struct Visit {
    NodeId node;
    std::vector<NodeId> next;
  };
  const auto visit_of = [&](NodeId id) {
    const SchemaNode& node = document_[id];
    std::vector<NodeId> next{node.ref, node.not_, node.if_, node.then_, node.else_};
    for (const auto* list : {&node.all_of, &node.any_of, &node.one_of}) {
      next.insert(next.end(), list->begin(), list->end());
    }
    for (const Dependency& dependency : node.dependencies) {
      next.push_back(dependency.schema);
    }
    return Visit{id, std::move(next)};
  };
  constexpr std::size_t kMaxInPlace = 300;  // schemas that apply one another to one value
  for (NodeId root = 0; root < document_.size(); ++root) {
    std::vector<Visit> path;
    if (marks[root] == Mark::kNew) {
      path.push_back(visit_of(root));
      marks[root] = Mark::kOpen;
    }
    while (!path.empty()) {
      if (path.back().next.empty()) {
        marks[path.back().node] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const NodeId next = path.back().next.back();
      path.back().next.pop_back();
      if (next == kNoNode || marks[next] == Mark::kDone) {
        continue;
      }
      if (marks[next] == Mark::kOpen || path.size() > kMaxInPlace) {
        throw GrammarError(document_[path.back().node].pointer, "$ref",
                           marks[next] == Mark::kOpen
                               ? "the schema applies itself to the same value again"
                               : "too many schemas apply one another to one value");
      }
      marks[next] = Mark::kOpen;
      path.push_back(visit_of(next));
    }
  }
}

// What may have to be relaxed is computed now, so that the client is told.
void JsonRules::check_keywords() {
  for (NodeId id = 0; id < document_.size(); ++id) {
    const SchemaNode& node = document_[id];
    const bool is_uncertain = !node.one_of.empty() || node.not_ != kNoNode || node.if_ != kNoNode ||
                              !node.all_of.empty() || node.multiple_of || node.pattern ||
                              node.format || !node.pattern_properties.empty() ||
                              node.unevaluated_items != kNoNode ||
                              node.unevaluated_properties != kNoNode || node.contains != kNoNode;
    if (is_uncertain) {
      evaluator_.values_of(id * 2);
    }
    if (node.has_unique_items) {
      const Shape& shape = shapes_.shape(evaluator_.conj_of(id));
      for (const std::uint32_t array : shape.arrays) {
        const ArraySpec& spec = shapes_.array(array);
        if (spec.is_unique && spec.domain.empty()) {
          evaluator_.warn(id, "uniqueItems",
                          "items of more than 200 possible values are not compared");
        }
      }
    }
  }
}

bool JsonRules::has_bit(std::uint32_t list, std::uint32_t bit) const {
  const std::vector<std::uint32_t>& words = lists_[list];
  return bit / 32 < words.size() && (words[bit / 32] >> (bit % 32) & 1U) != 0;
}

std::uint32_t JsonRules::with_bit(std::uint32_t list, std::uint32_t bit) {
  std::vector<std::uint32_t> words = lists_[list];
  words.resize(std::max<std::size_t>(words.size(), bit / 32 + 1), 0);
  words[bit / 32] |= 1U << (bit % 32);
  return lists_.intern(std::move(words)).first;
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
    for (const Frame& next : frames_after_key(frame, keys_.classify(lexeme.re))) {
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
  const bool can_close = frame.kind != kArrayNext && can_close_array(frame);
  if (may_have_gap && (frame.kind != kArrayAfter || can_close)) {
    sink.head(lexer.gap(), id);
  }
  if (can_close) {
    sink.head_of_parents(lexer.word("]"), frame);
  }
  if (frame.kind != kArrayAfter) {
    items(frame, sink);
  } else if (frame.count < shapes_.array(frame.spec).max && (may_have_gap || !may_space())) {
    Frame next = frame;
    next.kind = kArrayNext;
    sink.head(lexer.word(comma()), sink.intern(next));
  }
}

bool JsonRules::can_close_array(const Frame& frame) const {
  const ArraySpec& spec = shapes_.array(frame.spec);
  const std::vector<std::uint32_t>& counts = lists_[frame.set];
  for (std::size_t i = 0; i < spec.contained.size(); ++i) {
    if ((i < counts.size() ? counts[i] : 0) < spec.contained[i].min) {
      return false;
    }
  }
  return frame.count >= spec.min;
}

void JsonRules::items(const Frame& frame, HeadSink& sink) {
  const ArraySpec& spec = shapes_.array(frame.spec);
  if (frame.count >= spec.max) {
    return;
  }
  Frame after = frame;
  after.kind = kArrayAfter;
  after.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(frame.count + 1ULL, spec.cap));
  if (!spec.domain.empty()) {
    unique_item(after, sink);
  } else if (spec.contained.empty()) {
    value(spec.item(frame.count), sink.intern(after), sink);
  } else {
    after.count = frame.count;
    counted_item(after, spec.item(frame.count), sink);
  }
}

void JsonRules::unique_item(const Frame& after, HeadSink& sink) {
  const std::vector<std::string>& domain = shapes_.array(after.spec).domain;
  for (std::uint32_t i = 0; i < domain.size(); ++i) {
    if (!has_bit(after.set, i)) {
      Frame used = after;
      used.set = with_bit(after.set, i);
      sink.head(sink.lexer().word(domain[i]), sink.intern(used));
    }
  }
}

// Each condition is either met by this item and counted, or not counted.
void JsonRules::counted_item(const Frame& frame, ConjId item, HeadSink& sink) {
  const ArraySpec& spec = shapes_.array(frame.spec);
  struct Choice {
    ConjId value;
    std::vector<std::uint32_t> counts;
  };
  std::vector<std::uint32_t> start = lists_[frame.set];
  start.resize(spec.contained.size(), 0);
  std::vector<Choice> choices{{item, start}};
  for (std::size_t i = 0; i < spec.contained.size() && choices.size() <= 64; ++i) {
    const Contained& contained = spec.contained[i];
    if (frame.count < contained.from) {
      continue;
    }
    std::vector<Choice> next;
    for (const Choice& choice : choices) {
      const std::uint32_t count = choice.counts[i];
      const bool has_max = contained.max != kNoLimit;
      if (!has_max && count >= contained.min) {
        next.push_back(choice);
        continue;
      }
      if (count < contained.max) {
        Choice counted = choice;
        counted.value = evaluator_.both(choice.value, contained.value);
        ++counted.counts[i];
        next.push_back(std::move(counted));
      }
      Choice other = choice;
      other.value = has_max ? evaluator_.both(choice.value, contained.other) : choice.value;
      next.push_back(std::move(other));
    }
    choices = std::move(next);
  }
  for (const Choice& choice : choices) {
    Frame after = frame;
    after.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(frame.count + 1ULL, spec.cap));
    after.set = lists_.intern(choice.counts).first;
    value(choice.value, sink.intern(after), sink);
  }
}

void JsonRules::expect_object(const Frame& frame, FrameId id, bool may_have_gap, HeadSink& sink) {
  Lexer& lexer = sink.lexer();
  const bool can_close = frame.kind != kObjectNext && can_close_object(frame);
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
  const Re keys = next_keys(frame);
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

std::uint32_t JsonRules::num_missing(const Frame& frame, const ObjectSpec& spec) const {
  std::uint32_t missing = 0;
  for (std::uint32_t i = 0; i < spec.keys.size(); ++i) {
    missing += spec.keys[i].is_required && !has_bit(frame.set, i) ? 1 : 0;
  }
  return missing;
}

bool JsonRules::can_close_object(const Frame& frame) {
  const ObjectSpec& spec = shapes_.object(frame.spec);
  const auto all_some = static_cast<std::uint32_t>((std::uint64_t{1} << spec.some.size()) - 1);
  return frame.count >= spec.min && frame.bits == all_some && num_missing(frame, spec) == 0;
}

Re JsonRules::next_keys(const Frame& frame) {
  const ObjectSpec& spec = shapes_.object(frame.spec);
  if (frame.count >= spec.max) {
    return kNothing;
  }
  const std::uint32_t missing = num_missing(frame, spec);
  const bool only_required = spec.max != kNoLimit && spec.max - frame.count <= missing;
  std::vector<std::uint32_t> offered((spec.keys.size() + 31) / 32, 0);
  const auto offer = [&](std::uint32_t index) {
    const KeySpec& key = spec.keys[index];
    if (key.is_offered && !has_bit(frame.set, index) && (key.is_required || !only_required)) {
      offered[index / 32] |= 1U << (index % 32);
    }
  };
  bool has_unnamed = !only_required;
  if (options_.order == PropertyOrder::kAny) {
    for (std::uint32_t i = 0; i < spec.keys.size(); ++i) {
      offer(i);
    }
  } else {
    // From the last key that was used to the first one that must come.
    const auto num_keys = static_cast<std::uint32_t>(spec.keys.size());
    std::uint32_t position = num_keys;
    while (position > 0 && !has_bit(frame.set, spec.order[position - 1])) {
      --position;
    }
    if (has_bit(frame.set, num_keys)) {  // unnamed keys came
      position = num_keys;
    }
    for (; position < num_keys; ++position) {
      offer(spec.order[position]);
      if (spec.keys[spec.order[position]].is_required) {
        break;
      }
    }
    has_unnamed = has_unnamed && missing == 0;
  }
  return keys_.keys(frame.spec, lists_.intern(std::move(offered)).first, has_unnamed);
}

std::vector<Frame> JsonRules::frames_after_key(const Frame& frame, const KeyClass& key) {
  ObjectSpec& spec = shapes_.object(frame.spec);
  Frame next = frame;
  next.kind = kObjectValue;
  const bool counts = spec.max != kNoLimit || frame.count < spec.min;
  next.count += counts ? 1 : 0;
  ConjId conj = kAnything;
  std::uint32_t some = 0;
  if (key.is_named) {
    next.set = with_bit(frame.set, key.index);
    conj = spec.keys[key.index].value;
    some = spec.keys[key.index].some;
  } else {
    conj = shapes_.unnamed_value(spec, key.matching);
    const std::size_t first = spec.patterns.size() - spec.some.size();
    for (std::size_t i = 0; i < spec.some.size(); ++i) {
      some |= key.matching[first + i] ? 1U << i : 0U;
    }
    if (options_.order == PropertyOrder::kSchema) {
      next.set = with_bit(frame.set, static_cast<std::uint32_t>(spec.keys.size()));
    }
  }
  // Either the value meets a condition that some property must meet, or another one will.
  std::vector<std::pair<ConjId, std::uint32_t>> choices{{conj, frame.bits}};
  for (std::uint32_t i = 0; i < spec.some.size() && choices.size() <= 64; ++i) {
    if ((some & ~frame.bits & (1U << i)) != 0) {
      const std::size_t count = choices.size();
      for (std::size_t c = 0; c < count; ++c) {
        choices.emplace_back(evaluator_.both(choices[c].first, spec.some[i].value),
                             choices[c].second | (1U << i));
      }
    }
  }
  std::vector<Frame> frames;
  for (const auto& [value, bits] : choices) {
    if (shapes_.is_possible(value)) {
      next.value = value;
      next.bits = bits;
      frames.push_back(next);
    }
  }
  return frames;
}

}  // namespace vernal::grammar
