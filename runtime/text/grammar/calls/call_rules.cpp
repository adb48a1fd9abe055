#include "text/grammar/calls/call_rules.hpp"

#include <algorithm>
#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {
namespace {

// What is read as a number, a word, a list, an object or a quoted text, as JSON or as Python has it.
constexpr std::string_view kLiteral =
    R"(\s*(?:[-+]?[0-9.][-+0-9.eExXoObB_jJ]*|true|false|null|True|False|None|[\[{("'][\s\S]*)\s*)";

std::vector<SchemaText> schemas_of(const CallSource& source) {
  std::vector<SchemaText> schemas;
  for (const CalledTool& tool : source.tools) schemas.push_back({tool.name, tool.schema});
  return schemas;
}

JsonNotation notation_of(const CallSource& source) {
  JsonNotation notation;
  if (source.form == ArgumentForm::kPython) {
    notation.null_word = "None";
    notation.false_word = "False";
    notation.true_word = "True";
  }
  if (source.form == ArgumentForm::kMarked) notation.string_mark = source.keyed.string_mark;
  return notation;
}

}  // namespace

CallRules::CallRules(const CallSource& source, RegexPool& pool, const GrammarOptions& options,
                     WarningList& warnings)
    : source_(source),
      pool_(pool),
      json_(schemas_of(source_), pool, options, warnings, notation_of(source_)),
      preamble_(pieces_of(source_.preamble)),
      gap_(pieces_of({source_.gap}).front()) {
  for (const CalledTool& tool : source_.tools) {
    Tool& made = tools_.emplace_back();
    made.pieces = pieces_of(tool.parts);
    for (const std::string& key : tool.text_keys) made.text_keys.push_back(to_code_points(key));
  }
  check_tools();
  const bool has_elements = source_.form == ArgumentForm::kElements;
  if (source_.form == ArgumentForm::kTags || has_elements) limit_texts();
  if (!has_elements) return;
  elements_.emplace(source_.keyed.element_mark, pool_, json_, not_literal_,
                    [this](const Frame& object, std::u32string_view key, HeadSink& sink) {
                      return element_text(object, key, sink);
                    });
}

std::vector<CallRules::Piece> CallRules::pieces_of(const std::vector<CallPart>& parts) {
  std::vector<Piece> pieces;
  for (const CallPart& part : parts) {
    Piece& piece = pieces.emplace_back();
    piece.is_arguments = part.kind == CallPart::Kind::kArguments;
    piece.is_text = part.kind == CallPart::Kind::kText;
    piece.text = part.text;
    if (part.kind != CallPart::Kind::kPattern) continue;
    const Pattern pattern = parse_pattern(pool_, part.text, Anchoring::kWhole);
    if (!pattern.problem.empty()) throw GrammarError("#", "regex", pattern.problem);
    piece.pattern = pattern.re;
  }
  return pieces;
}

void CallRules::check_tools() {
  for (std::size_t i = 0; i < tools_.size(); ++i) {
    if (json_.shape(json_.root(i)).objects.empty()) {
      throw GrammarError(source_.tools[i].name + "#", "type", "no object fits this schema");
    }
  }
}

void CallRules::limit_texts() {
  for (const std::string& mark : source_.keyed.marks) {
    if (mark.empty() || mark.find(kControlByte) != std::string::npos) continue;  // never in a text
    const Re literal = pool_.literal(to_code_points(mark));
    const Re holds_mark = pool_.concat(kAnyText, pool_.concat(literal, kAnyText));
    not_ending_ = pool_.all_of(not_ending_, pool_.complement(holds_mark));
  }
  const Pattern literal = parse_pattern(pool_, kLiteral, Anchoring::kWhole);
  not_literal_ = pool_.all_of(not_ending_, pool_.complement(literal.re));
}

void CallRules::expect(const Piece& piece, FrameId after, HeadSink& sink) {
  Lexer& lexer = sink.lexer();
  sink.head(piece.is_text ? lexer.word(piece.text) : lexer.raw(piece.pattern), after);
}

void CallRules::expect_text(std::string_view text, const Frame& after, HeadSink& sink) {
  sink.head(sink.lexer().word(text), sink.intern(after));
}

void CallRules::begin(HeadSink& sink) {
  if (!preamble_.empty()) expect(preamble_.front(), sink.intern({0, kPreamble, 0, 0, 1}), sink);
  expect_text(source_.open, {0, kOpened}, sink);
}

void CallRules::complete(FrameId id, const LexState& lexeme, HeadSink& sink) {
  const Frame frame = sink.frame(id);
  switch (frame.kind) {
    case kPreamble:
      if (frame.count == preamble_.size()) {
        begin(sink);
      } else {
        expect(preamble_[frame.count], sink.intern({0, kPreamble, 0, 0, frame.count + 1}), sink);
      }
      return;
    case kGap:
      // Models like to end a line before they end the answer.
      if (source_.close.empty() && source_.gap_is_blank) sink.accept();
      begin_calls(sink);
      return;
    case kOpened:
      begin_calls(sink);
      return;
    case kCall:
      go_on_in_call(frame, sink);
      return;
    case kClosed:
      sink.accept();
      return;
    default:
      break;
  }
  if (frame.kind < JsonRules::kKindsEnd) {
    json_.complete(id, lexeme, sink);
  } else if (frame.kind >= ElementRules::kKindsBegin) {
    elements_->complete(frame, sink);
  } else {
    complete_keyed(frame, lexeme, sink);
  }
}

void CallRules::begin_calls(HeadSink& sink) {
  for (std::uint32_t i = 0; i < tools_.size(); ++i) go_on_in_call({0, kCall, 0, i}, sink);
}

void CallRules::go_on_in_call(Frame call, HeadSink& sink) {
  const std::vector<Piece>& pieces = tools_[call.spec].pieces;
  if (call.count == pieces.size()) {
    end_call(sink);
    return;
  }
  const Piece& piece = pieces[call.count++];
  const FrameId after = sink.intern(call);
  if (!piece.is_arguments) {
    expect(piece, after, sink);
  } else if (source_.form == ArgumentForm::kJson) {
    json_.value(json_.root(call.spec), after, sink, kObjects);
  } else {
    begin_keyed(call.spec, after, sink);
  }
}

void CallRules::end_call(HeadSink& sink) {
  expect_text(source_.close, {0, kClosed}, sink);
  if (source_.is_list) expect(gap_, sink.intern({0, kGap}), sink);
}

void CallRules::complete_keyed(const Frame& frame, const LexState& lexeme, HeadSink& sink) {
  Frame next = frame;
  if (frame.kind >= kTyped) {
    next.kind = kValueAfter;
    const ValueKinds kinds = source_.keyed.before_typed[frame.kind - kTyped].kinds;
    json_.value(frame.value, sink.intern(next), sink, kinds);
    return;
  }
  switch (frame.kind) {
    case kKey:
      next.kind = kKeyAfter;
      sink.head(sink.lexer().raw(json_.members().next_keys(frame)), sink.intern(next));
      return;
    case kKeyAfter:
      begin_values(frame, json_.keys().classify(lexeme.re), sink);
      return;
    case kValue: {
      next.kind = kValueAfter;
      const bool is_tagged = source_.form == ArgumentForm::kTags;
      json_.value(frame.value, sink.intern(next), sink,
                  is_tagged ? kAllValues & ~kStrings : kAllValues);
      return;
    }
    case kText:
    case kString: {
      next.kind = kValueAfter;
      const Re limit = frame.kind == kText ? not_ending_ : not_literal_;
      const Re text = pool_.all_of(json_.shape(frame.value).strings, limit);
      sink.head(sink.lexer().raw(text), sink.intern(next));
      return;
    }
    case kValueAfter:
      next.kind = kMember;
      next.value = 0;
      expect_text(source_.keyed.after_value, next, sink);
      return;
    default:
      expect_member(frame, source_.keyed.between + source_.keyed.before_key, sink);
      return;
  }
}

void CallRules::begin_keyed(std::uint32_t tool, FrameId after, HeadSink& sink) {
  Frame frame;
  frame.parents = sink.parents_of(after);
  frame.kind = kMember;
  const std::vector<std::uint32_t> objects = json_.shape(json_.root(tool)).objects;
  for (const std::uint32_t object : objects) {
    frame.spec = object;
    if (!elements_) {
      expect_member(frame, source_.keyed.before_key, sink);
      continue;
    }
    elements_->member(frame, "", sink);
    if (json_.members().can_close(frame)) go_on_in_call(sink.frame(after), sink);
  }
}

// Another key, or the end of the arguments.
void CallRules::expect_member(const Frame& frame, std::string_view before_key, HeadSink& sink) {
  if (json_.members().next_keys(frame) != kNothing) {
    Frame next = frame;
    next.kind = kKey;
    expect_text(before_key, next, sink);
  }
  if (!json_.members().can_close(frame)) return;
  for (const FrameId call : sink.parents(frame)) go_on_in_call(sink.frame(call), sink);
}

void CallRules::begin_values(const Frame& frame, const KeyClass& key, HeadSink& sink) {
  for (Frame& next : json_.members().after_key(frame, key)) {
    next.depth = 0;
    if (source_.form == ArgumentForm::kTags) {
      tagged_value(next, key, sink);
    } else {
      next.kind = kValue;
      expect_text(source_.keyed.before_value, next, sink);
    }
  }
}

// A key that no schema names is read as text.
void CallRules::tagged_value(Frame frame, const KeyClass& key, HeadSink& sink) {
  const KeyedForm& keyed = source_.keyed;
  const Shape& shape = json_.shape(frame.value);
  const bool has_others = shape.words != 0 || shape.numbers != kNothing || !shape.arrays.empty() ||
                          !shape.objects.empty();
  if (has_others && key.is_named && !keyed.before_typed.empty()) {
    typed_value(frame, shape, sink);
  } else if (has_others && key.is_named) {
    frame.kind = kValue;
    expect_text(keyed.before_value, frame, sink);
  }
  if (shape.strings == kNothing) return;
  const std::uint32_t tool = sink.frame(sink.parents(frame).front()).spec;
  const bool is_text = !keyed.before_string.empty() || !key.is_named ||
                       is_text_key(tool, json_.object(frame.spec).keys[key.index].text);
  frame.kind = is_text ? kText : kString;
  expect_text(keyed.before_string.empty() ? keyed.before_value : keyed.before_string, frame, sink);
}

void CallRules::typed_value(const Frame& frame, const Shape& shape, HeadSink& sink) {
  ValueKinds kinds = shape.numbers != kNothing ? kNumbers : 0;
  if ((shape.words & kNullWord) != 0) kinds |= kNulls;
  if ((shape.words & (kFalseWord | kTrueWord)) != 0) kinds |= kBooleans;
  if (!shape.arrays.empty()) kinds |= kArrays;
  if (!shape.objects.empty()) kinds |= kObjects;
  for (std::size_t i = 0; i < source_.keyed.before_typed.size(); ++i) {
    const TypedText& typed = source_.keyed.before_typed[i];
    if ((typed.kinds & kinds) == 0) continue;
    Frame next = frame;
    next.kind = static_cast<std::uint16_t>(kTyped + i);
    expect_text(typed.text, next, sink);
  }
}

bool CallRules::is_text_key(std::uint32_t tool, std::u32string_view key) const {
  return std::ranges::find(tools_[tool].text_keys, key) != tools_[tool].text_keys.end();
}

Re CallRules::element_text(const Frame& object, std::u32string_view key, HeadSink& sink) const {
  const Frame& parent = sink.frame(sink.parents(object).front());
  return parent.kind == kCall && is_text_key(parent.spec, key) ? not_ending_ : kNothing;
}

}  // namespace vernal::grammar
