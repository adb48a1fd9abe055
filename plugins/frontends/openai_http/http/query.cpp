#include "openai_http/http/query.hpp"

#include <charconv>

namespace vernal::openai_http {
namespace {

std::string decoded_query_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
      continue;
    }
    const std::string_view digits = text.substr(i).substr(0, 3);
    unsigned value = 0;
    const bool is_escape = digits.size() == 3 && digits.front() == '%';
    const char* const end = digits.data() + digits.size();
    if (is_escape && std::from_chars(digits.data() + 1, end, value, 16).ptr == end) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (decoded_query_text(pair.substr(0, equals)) == key) {
      return equals == std::string_view::npos ? std::string()
                                              : decoded_query_text(pair.substr(equals + 1));
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return std::nullopt;
}

}  // namespace vernal::openai_http
