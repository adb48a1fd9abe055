// Arguments in elements, nested as deep as their values: <key>value</key>, lists of <item>.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/automaton/rules.hpp"
#include "text/grammar/schema/json_rules.hpp"

namespace vernal::grammar {

/// Values as elements whose tags have a mark before them. A reader knows a list by its first element,
/// whose name is "item". Values that elements cannot express are JSON: those that are empty, lists
/// with conditions on their items, objects that must have a key which no schema names, or may have
/// one named "item". Objects have no other keys than those that their schema names.
class ElementRules {
 public:
  /// The kinds of its frames are below.
  static constexpr std::uint16_t kKindsBegin = 64;

  /// What the strings under a key may be, where they are not read by their look; kNothing else.
  using TextOf = std::function<Re(const Frame& object, std::u32string_view key, HeadSink& sink)>;

  ///   string   what a string may be that is read by its look
  /// All that is referred to outlives the object.
  ElementRules(std::string mark, RegexPool& pool, JsonRules& json, Re string, TextOf text_of)
      : mark_(std::move(mark)),
        pool_(pool),
        json_(json),
        string_(string),
        text_of_(std::move(text_of)) {}

  /// A member of `object` comes, a frame with `spec`, `count`, `set` and `bits`. Its parents come when
  /// the last one has ended.
  ///   before   stands before the tag
  void member(const Frame& object, std::string_view before, HeadSink& sink);
  /// What follows a lexeme of one of these rules.
  void complete(const Frame& frame, HeadSink& sink);

 private:
  enum Kind : std::uint16_t {
    kMember = kKindsBegin,  // an object, after the value of key `value`
    kItem,                  // a list, after an item
    kValue,                 // after an opening tag
    kText,                  // the same, with texts `spec` that are not read by their look
  };

  std::string closing_tag(std::string_view name) const;
  std::string key_text(std::uint32_t object, std::uint32_t key) const;
  // The tag of an item, and then its value.
  void item(const Frame& list, std::string_view before, HeadSink& sink);
  void value(ConjId conj, FrameId after, Re text, HeadSink& sink);
  void strings(const Shape& shape, ConjId conj, FrameId after, Re text, HeadSink& sink);
  bool has_elements(const ArraySpec& array, std::uint16_t depth) const;
  bool has_elements(const ObjectSpec& object, std::uint16_t depth) const;

  const std::string mark_;
  RegexPool& pool_;
  JsonRules& json_;
  const Re string_;
  const TextOf text_of_;
};

}  // namespace vernal::grammar
