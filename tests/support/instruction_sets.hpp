// The instruction sets of cpu_avx2 that can be tested here, as the system tells them.
#pragma once

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

namespace vernal::test {

/// Values of the key `isa` that this processor can run. Those that it cannot are named on standard
/// error.
inline std::vector<std::string> instruction_sets_here() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::unordered_set<std::string> flags;
  for (std::string line; flags.empty() && std::getline(cpuinfo, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) flags.insert(word);
  }
  std::vector<std::string> out{"avx2"};
  const auto add = [&](const char* isa, std::initializer_list<const char*> needed) {
    for (const char* flag : needed) {
      if (flags.contains(flag)) continue;
      std::fprintf(stderr, "isa = \"%s\" is not tested: this processor lacks %s\n", isa, flag);
      return;
    }
    out.emplace_back(isa);
  };
  add("avx_vnni", {"avx_vnni"});
  add("avx512_vnni", {"avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512vbmi"});
  return out;
}

}  // namespace vernal::test
