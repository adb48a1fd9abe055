// Calls of tools as rules of the automaton.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/automaton/rules.hpp"
#include "text/grammar/calls/call_source.hpp"
#include "text/grammar/calls/element_rules.hpp"
#include "text/grammar/schema/json_rules.hpp"

namespace vernal::grammar {

/// One call or more, whose arguments fit the schemas of their tools. The frames of JSON values are
/// those of JsonRules, and so are the rules of which keys an object may have.
class CallRules : public Rules {
 public:
  /// Errors   those of JsonRules; GrammarError: a tool whose schema no object fits, a pattern that
  ///          cannot be expressed
  CallRules(const CallSource& source, RegexPool& pool, const GrammarOptions& options,
            WarningList& warnings);

  void begin(HeadSink& sink) override;
  void complete(FrameId frame, const LexState& lexeme, HeadSink& sink) override;
  KeyLanguage& keys() noexcept { return json_.keys(); }

 private:
  enum Kind : std::uint16_t {
    kPreamble = JsonRules::kKindsEnd,  // `count` parts of the preamble are done
    kOpened,                           // the section has begun
    kCall,                             // `count` parts of tool `spec` are done
    kGap,                              // before another call
    kClosed,                           // the section has ended
    kKey,                              // of arguments in keyed form: before a key
    kKeyAfter,
    kValue,   // before a value
    kText,    // before a string in tags that may be any text
    kString,  // before one that must not look like another value
    kValueAfter,
    kMember,  // after a value and what follows it
    kTyped,   // before a value whose kind number kind - kTyped of before_typed says
  };

  struct Piece {
    bool is_arguments = false;
    bool is_text = false;
    std::string text;
    Re pattern = kNothing;
  };
  struct Tool {
    std::vector<Piece> pieces;
    std::vector<std::u32string> text_keys;
  };

  std::vector<Piece> pieces_of(const std::vector<CallPart>& parts);
  void check_tools();
  void limit_texts();

  static void expect(const Piece& piece, FrameId after, HeadSink& sink);
  void expect_text(std::string_view text, const Frame& after, HeadSink& sink);
  void begin_calls(HeadSink& sink);
  void go_on_in_call(Frame call, HeadSink& sink);
  void end_call(HeadSink& sink);

  // Arguments in keyed form.
  void complete_keyed(const Frame& frame, const LexState& lexeme, HeadSink& sink);
  void begin_keyed(std::uint32_t tool, FrameId after, HeadSink& sink);
  void expect_member(const Frame& frame, std::string_view before_key, HeadSink& sink);
  void begin_values(const Frame& frame, const KeyClass& key, HeadSink& sink);
  void tagged_value(Frame frame, const KeyClass& key, HeadSink& sink);
  void typed_value(const Frame& frame, const Shape& shape, HeadSink& sink);
  bool is_text_key(std::uint32_t tool, std::u32string_view key) const;
  // What an argument may be that is a text whatever it looks like; kNothing: it is read by its look.
  Re element_text(const Frame& object, std::u32string_view key, HeadSink& sink) const;

  CallSource source_;
  RegexPool& pool_;
  JsonRules json_;
  std::vector<Piece> preamble_;
  Piece gap_;
  std::vector<Tool> tools_;
  Re not_ending_ = kAnyText;   // texts in tags
  Re not_literal_ = kAnyText;  // texts that are no literal
  std::optional<ElementRules> elements_;
};

}  // namespace vernal::grammar
