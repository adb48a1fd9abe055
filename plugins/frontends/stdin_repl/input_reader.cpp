#include "stdin_repl/input_reader.hpp"

#include <utility>

namespace vernal::stdin_repl {
namespace {

constexpr std::string_view kPrompt = "> ";
constexpr std::string_view kContinuationPrompt = "... ";
constexpr std::string_view kBlock = "\"\"\"";

}  // namespace

Input InputReader::read() {
  InputLine line = lines_.read(kPrompt);
  if (line.kind != InputLine::Kind::kLine) return {line.kind};
  if (line.text.starts_with(kBlock)) return read_block(line.text.substr(kBlock.size()));
  return read_continued(std::move(line.text));
}

Input InputReader::read_block(std::string text) {
  bool begins_below = text.empty();  // a line feed after the opening quotes is not part of the text
  while (!text.ends_with(kBlock)) {
    const InputLine line = lines_.read(kContinuationPrompt);
    if (line.kind != InputLine::Kind::kLine) return {line.kind};
    if (!begins_below) text += '\n';
    begins_below = false;
    text += line.text;
  }
  text.resize(text.size() - kBlock.size());
  if (text.ends_with('\n')) text.pop_back();
  return {InputLine::Kind::kLine, std::move(text), true};
}

Input InputReader::read_continued(std::string text) {
  while (text.ends_with('\\')) {
    text.back() = '\n';
    const InputLine line = lines_.read(kContinuationPrompt);
    if (line.kind != InputLine::Kind::kLine) return {line.kind};
    text += line.text;
  }
  return {InputLine::Kind::kLine, std::move(text)};
}

}  // namespace vernal::stdin_repl
