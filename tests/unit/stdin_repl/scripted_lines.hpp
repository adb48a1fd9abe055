// The lines that a user would type.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "stdin_repl/line_source.hpp"

namespace vernal::stdin_repl {

/// Gives one line after another, then the end of input. Keeps the prompts.
class ScriptedLines final : public LineSource {
 public:
  explicit ScriptedLines(std::vector<InputLine> lines) : lines_(std::move(lines)) {}

  InputLine read(std::string_view prompt) override {
    prompts.emplace_back(prompt);
    return next_ < lines_.size() ? lines_[next_++] : InputLine{InputLine::Kind::kEnd, {}};
  }

  std::vector<std::string> prompts;

 private:
  std::vector<InputLine> lines_;
  std::size_t next_ = 0;
};

inline InputLine typed(std::string text) { return {InputLine::Kind::kLine, std::move(text)}; }
inline InputLine interrupted() { return {InputLine::Kind::kInterrupted, {}}; }

}  // namespace vernal::stdin_repl
