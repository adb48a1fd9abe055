// What rules of any kind tell the automaton.
#pragma once

#include <vector>

#include "text/grammar/automaton/frame.hpp"
#include "text/grammar/automaton/lexer.hpp"

namespace vernal::grammar {

/// Takes the continuations that rules find.
class HeadSink {
 public:
  virtual ~HeadSink() = default;
  /// A lexeme may begin, and `frame` comes after it.
  virtual void head(LexId lexeme, FrameId frame) = 0;
  /// The text may end here.
  virtual void accept() = 0;
  virtual FrameId intern(const Frame& frame) = 0;
  /// The set of one frame, for Frame::parents.
  virtual std::uint32_t parents_of(FrameId frame) = 0;
  /// A lexeme may begin, and the parents of `frame` come after it.
  virtual void head_of_parents(LexId lexeme, const Frame& frame) = 0;
  virtual const Frame& frame(FrameId id) const = 0;
  /// The parents of `frame`.
  virtual std::vector<FrameId> parents(const Frame& frame) const = 0;
  virtual Lexer& lexer() = 0;
};

/// Rules in which lexemes follow each other: those of a JSON Schema or of a context-free grammar.
/// They expand nothing before it is reached.
/// Thread   one
class Rules {
 public:
  virtual ~Rules() = default;
  /// What a text begins with.
  virtual void begin(HeadSink& sink) = 0;
  /// What follows when `lexeme`, a state of the lexer that accepts, ends before `frame`.
  virtual void complete(FrameId frame, const LexState& lexeme, HeadSink& sink) = 0;
};

}  // namespace vernal::grammar
