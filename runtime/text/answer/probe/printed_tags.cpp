#include "text/answer/probe/printed_tags.hpp"

#include <cstddef>

namespace vernal::probe {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::size_t kMostMarkBytes = 64;

}  // namespace

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view first_tag(std::string_view text) {
  text = stripped(text);
  if (text.empty() || (text.front() != '<' && text.front() != '[')) return {};
  const std::size_t end = text.find(text.front() == '<' ? '>' : ']');
  const bool is_tag = end != std::string_view::npos && end < kMostMarkBytes;
  return is_tag ? text.substr(0, end + 1) : std::string_view();
}

std::string_view last_tag(std::string_view text) {
  text = stripped(text);
  if (text.empty() || (text.back() != '>' && text.back() != ']')) return {};
  const std::size_t begin = text.rfind(text.back() == '>' ? '<' : '[');
  const bool is_tag = begin != std::string_view::npos && text.size() - begin <= kMostMarkBytes;
  return is_tag ? text.substr(begin) : std::string_view();
}

}  // namespace vernal::probe
