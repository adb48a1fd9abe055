#include "openai_http/http/api_keys.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

#include "vernal/error.hpp"
#include "vernal/frontend/byte_order_mark.hpp"

namespace vernal::openai_http {
namespace {

constexpr std::uintmax_t kLargestFile = 1 << 20;

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

[[noreturn]] void refuse_file(const std::string& path, std::string_view what) {
  throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("api_keys_file {}: {}", path, what));
}

}  // namespace

ApiKeys::Hash ApiKeys::hash_of(std::string_view key) {
  Hash hash{};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(key.data());
  if (SHA256(bytes, key.size(), hash.data()) == nullptr) throw std::bad_alloc();
  return hash;
}

ApiKeys ApiKeys::from_text(std::string_view text) {
  ApiKeys keys;
  text = without_byte_order_mark(text);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view key = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!key.empty() && key.front() != '#') keys.hashes_.push_back(hash_of(key));
  }
  return keys;
}

ApiKeys ApiKeys::from_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error || !std::filesystem::is_regular_file(status)) {
    refuse_file(path, "expected a regular file with one key a line, found " +
                          (error ? "none: " + error.message() : "a folder or device"));
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) refuse_file(path, error.message());
  if (size > kLargestFile) {
    refuse_file(path, fmt::format("expected at most 1 MiB of keys, found {} bytes", size));
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) refuse_file(path, "cannot be read");
  if (is_utf16(text)) refuse_file(path, "expected text in UTF-8, found UTF-16");
  ApiKeys keys = from_text(text);
  if (!keys.are_required()) refuse_file(path, "holds no key; expected one a line");
  return keys;
}

std::optional<std::size_t> ApiKeys::find(std::string_view key) const {
  const Hash hash = hash_of(key);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    if (CRYPTO_memcmp(hash.data(), hashes_[i].data(), hash.size()) == 0) found = i;
  }
  return found;
}

}  // namespace vernal::openai_http
