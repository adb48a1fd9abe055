// The backends that a test runs on: all of this tree, or those that the environment names.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::test {

/// Names of plugins. VERNAL_TEST_BACKENDS="cuda_sm86_emu,mine" replaces those of the tree.
inline std::vector<std::string> backends_under_test() {
  const char* const named = std::getenv("VERNAL_TEST_BACKENDS");
  std::vector<std::string> out;
  const std::string_view list = named != nullptr ? named : "reference,cpu_avx2";
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) out.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

inline bool is_under_test(std::string_view backend) {
  return std::ranges::count(backends_under_test(), backend) > 0;
}

/// Those of `cases` whose member `backend` is under test.
template <class Case>
std::vector<Case> under_test(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& c) { return !is_under_test(c.backend); });
  return cases;
}

}  // namespace vernal::test
