#include "openai_http/protocol/answer.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "vernal/error.hpp"

namespace vernal::openai_http {

void Answer::accept(const vernal_event& accepted) {
  prompt_tokens_ += accepted.prompt_tokens;
  warn(view(accepted.text));
}

void Answer::warn(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    const boost::json::value warning = boost::json::string(line.data(), line.size());
    // The prompts of one request may share a reason.
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end()) {
      warnings_.push_back(warning);
    }
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
}

void Answer::add_warnings(boost::json::object& to) {
  if (!warnings_.empty()) to["warnings"] = std::exchange(warnings_, {});
}

}  // namespace vernal::openai_http
