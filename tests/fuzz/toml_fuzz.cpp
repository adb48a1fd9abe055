// Any bytes are either a deployment or refused with a message of whole printable lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "config/deployment.hpp"
#include "support/invented_schemas.hpp"
#include "vernal/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto make_schemas = [](const vernal::RuntimeSettings&) {
    return std::make_unique<vernal::testing::InventedSchemas>();
  };
  try {
    vernal::parse_deployment(text, "fuzz.toml", make_schemas);
  } catch (const vernal::Error& error) {
    const std::string_view message = error.what();
    const auto steers = [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; };
    if (message.empty() || std::ranges::any_of(message, steers)) std::abort();
  }
  return 0;
}
