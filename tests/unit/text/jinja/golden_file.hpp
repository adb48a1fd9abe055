// Reads the files in tests/golden/chat.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <string>

namespace vernal::jinja {

inline std::string read_golden(const std::string& name) {
  const std::string path = std::string(VERNAL_GOLDEN_DIR) + "/chat/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string string_of(const boost::json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

}  // namespace vernal::jinja
