#include "text/grammar/calls/element_rules.hpp"

#include <algorithm>
#include <optional>

#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {
namespace {

constexpr std::u32string_view kItemName = U"item";
// Readers go down only so far (text/answer/values/element_values.cpp). Values below are JSON.
constexpr std::uint16_t kMostDepth = 60;

}  // namespace

std::string ElementRules::closing_tag(std::string_view name) const {
  return mark_ + "</" + std::string(name) + ">";
}

std::string ElementRules::key_text(std::uint32_t object, std::uint32_t key) const {
  return to_utf8(json_.object(object).keys[key].text);
}

void ElementRules::member(const Frame& object, std::string_view before, HeadSink& sink) {
  const Re next_keys = json_.members().next_keys(object);
  if (next_keys == kNothing) return;
  const std::size_t num_keys = json_.object(object.spec).keys.size();
  for (std::uint32_t i = 0; i < num_keys; ++i) {
    const std::u32string key = json_.object(object.spec).keys[i].text;
    if (!pool_.matches(next_keys, key)) continue;
    const Re text = text_of_(object, key, sink);
    for (Frame& end : json_.members().after_key(object, {true, i, {}})) {
      Frame begin;
      begin.value = end.value;
      end.kind = kMember;
      end.value = i;
      begin.parents = sink.parents_of(sink.intern(end));
      begin.depth = object.depth;
      begin.kind = text == kNothing ? kValue : kText;
      begin.spec = text;
      const std::string tag = std::string(before) + mark_ + "<" + to_utf8(key) + ">";
      sink.head(sink.lexer().word(tag), sink.intern(begin));
    }
  }
}

void ElementRules::item(const Frame& list, std::string_view before, HeadSink& sink) {
  const ArraySpec& array = json_.array(list.spec);
  if (list.count >= array.max) return;
  Frame end = list;
  end.kind = kItem;
  end.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(list.count + 1ULL, array.cap));
  Frame begin;
  begin.parents = sink.parents_of(sink.intern(end));
  begin.depth = list.depth;
  begin.kind = kValue;
  begin.value = array.item(list.count);
  sink.head(sink.lexer().word(std::string(before) + mark_ + "<item>"), sink.intern(begin));
}

void ElementRules::complete(const Frame& frame, HeadSink& sink) {
  switch (frame.kind) {
    case kMember: {
      Frame object = frame;
      object.value = 0;
      const std::string close = closing_tag(key_text(frame.spec, frame.value));
      member(object, close, sink);
      if (json_.members().can_close(object)) sink.head_of_parents(sink.lexer().word(close), frame);
      return;
    }
    case kItem: {
      const std::string close = closing_tag("item");
      item(frame, close, sink);
      if (frame.count >= json_.array(frame.spec).min) {
        sink.head_of_parents(sink.lexer().word(close), frame);
      }
      return;
    }
    default:
      for (const FrameId after : sink.parents(frame)) {
        value(frame.value, after, frame.kind == kText ? frame.spec : kNothing, sink);
      }
      return;
  }
}

void ElementRules::strings(const Shape& shape, ConjId conj, FrameId after, Re text,
                           HeadSink& sink) {
  if (shape.strings == kNothing) return;
  const Re limit = text == kNothing ? string_ : text;
  const Re bare = pool_.all_of(shape.strings, limit);
  if (pool_.is_nothing(bare)) {  // such as "1", which would be read as a number
    json_.value(conj, after, sink, kStrings);
    return;
  }
  sink.head(sink.lexer().raw(bare), after);
  if (!shape.are_literals) return;
  const Re others = pool_.all_of(shape.strings, pool_.complement(limit));
  if (pool_.is_nothing(others)) return;
  sink.head(sink.lexer().quoted(others, Spelling::kLiteral), after);
}

void ElementRules::value(ConjId conj, FrameId after, Re text, HeadSink& sink) {
  const Shape shape = json_.shape(conj);
  strings(shape, conj, after, text, sink);
  json_.value(conj, after, sink, kNulls | kBooleans | kNumbers);
  Frame inner;
  inner.parents = sink.parents_of(after);
  inner.depth = static_cast<std::uint16_t>(sink.frame(after).depth + 1);
  const auto all_arrays = [&](std::uint32_t id) {
    return has_elements(json_.array(id), inner.depth);
  };
  const auto all_objects = [&](std::uint32_t id) {
    return has_elements(json_.object(id), inner.depth);
  };
  if (!std::ranges::all_of(shape.arrays, all_arrays)) {
    json_.value(conj, after, sink, kArrays);
  } else {
    for (const std::uint32_t id : shape.arrays) {
      inner.spec = id;
      if (json_.array(id).min == 0) sink.head(sink.lexer().word("[]"), after);
      item(inner, "", sink);
    }
  }
  if (!std::ranges::all_of(shape.objects, all_objects)) {
    json_.value(conj, after, sink, kObjects);
  } else {
    for (const std::uint32_t id : shape.objects) {
      inner.spec = id;
      if (json_.members().can_close(inner)) sink.head(sink.lexer().word("{}"), after);
      member(inner, "", sink);
    }
  }
}

bool ElementRules::has_elements(const ArraySpec& array, std::uint16_t depth) const {
  return depth < kMostDepth && array.contained.empty() && array.domain.empty();
}

bool ElementRules::has_elements(const ObjectSpec& object, std::uint16_t depth) const {
  const auto is_item = [](const KeySpec& key) { return key.text == kItemName; };
  return depth < kMostDepth && !object.keys.empty() && object.some.empty() &&
         object.min <= object.keys.size() && std::ranges::none_of(object.keys, is_item);
}

}  // namespace vernal::grammar
