#include <fmt/format.h>
#include <openssl/evp.h>

#include "module/printer.hpp"
#include "vernal/error.hpp"

namespace vernal {

std::array<std::uint8_t, 32> fingerprint_module(const Module& module) {
  const std::string text = dump_module(module);
  std::array<std::uint8_t, 32> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size()) {
    throw Error(VERNAL_INTERNAL, "fingerprint of a module: SHA-256 failed");
  }
  return digest;
}

std::string fingerprint_text(const std::array<std::uint8_t, 32>& fingerprint) {
  return fmt::format("{:02x}", fmt::join(fingerprint, ""));
}

}  // namespace vernal
