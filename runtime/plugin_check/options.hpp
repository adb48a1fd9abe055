// What the command line asks for.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vernal::check {

struct Options {
  std::filesystem::path plugin;
  int level = 0;                  ///< operations up to this level are tested
  std::string group;              ///< empty: all
  std::vector<std::string> only;  ///< names of tests; empty: all
  std::vector<std::pair<std::string, std::string>> waivers;  ///< test, reason
  std::vector<std::string> settings;                         ///< "key=value" of the plugin's table
  std::filesystem::path model;                               ///< GGUF; empty: made-up models alone
  int limit_s = 0;                                           ///< of every test; 0: its own
  std::filesystem::path json;                                ///< empty: none
};

}  // namespace vernal::check
