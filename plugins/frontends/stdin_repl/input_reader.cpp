#include "stdin_repl/input_reader.hpp"

#include <utility>

namespace vernal::stdin_repl {
namespace {

constexpr std::string_view kPrompt = "> ";
constexpr std::string_view kContinuationPrompt = "... ";
constexpr std::string_view kBlock = "\"\"\"";

}  // namespace

InputLine InputReader::read() {
  InputLine line = lines_.read(kPrompt);
  if (line.kind != InputLine::Kind::kLine) return line;
  if (line.text.starts_with(kBlock)) return read_block(line.text.substr(kBlock.size()));
  return read_continued(std::move(line.text));
}

InputLine InputReader::read_block(std::string text) {
  while (!text.ends_with(kBlock)) {
    InputLine line = lines_.read(kContinuationPrompt);
    if (line.kind != InputLine::Kind::kLine) return line;
    if (!text.empty()) text += '\n';  // nothing after the opening marks: the block begins below it
    text += line.text;
  }
  text.resize(text.size() - kBlock.size());
  if (text.ends_with('\n')) text.pop_back();
  return {InputLine::Kind::kLine, std::move(text)};
}

InputLine InputReader::read_continued(std::string text) {
  while (text.ends_with('\\')) {
    text.back() = '\n';
    InputLine line = lines_.read(kContinuationPrompt);
    if (line.kind != InputLine::Kind::kLine) return line;
    text += line.text;
  }
  return {InputLine::Kind::kLine, std::move(text)};
}

}  // namespace vernal::stdin_repl
