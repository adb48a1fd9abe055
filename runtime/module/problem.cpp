#include "module/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vernal {

std::string list_problems(const std::vector<Problem>& problems, std::size_t most) {
  std::string text;
  const std::size_t shown = std::min(problems.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += '\n';
    text += fmt::format("  {}: {}", problems[i].path, problems[i].text);
  }
  if (shown < problems.size()) text += fmt::format("\n  and {} more", problems.size() - shown);
  return text;
}

}  // namespace vernal
