// The keys clients may present.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernal::openai_http {

/// A set of keys. Only their SHA-256 hashes are kept. Immutable; any thread.
class ApiKeys {
 public:
  /// No key: every client is let in.
  ApiKeys() = default;

  /// Keys from text: one a line, surrounding blanks ignored, empty lines and lines that begin with
  /// '#' skipped, and a byte order mark before the first.
  static ApiKeys from_text(std::string_view text);

  /// Keys from a file of that form. Throws Error: INVALID_ARGUMENT if it cannot be read, is no
  /// regular file, is larger than 1 MiB or holds no key.
  static ApiKeys from_file(const std::string& path);

  bool are_required() const noexcept { return !hashes_.empty(); }

  /// The number of `key` among them, in the order of the text. How long that takes says nothing
  /// about the keys. Throws std::bad_alloc if there is no memory to find out.
  std::optional<std::size_t> find(std::string_view key) const;

  /// Whether a client with `key` is let in: it is one of them, or there are none.
  bool accept(std::string_view key) const { return hashes_.empty() || find(key).has_value(); }

 private:
  using Hash = std::array<unsigned char, 32>;
  static Hash hash_of(std::string_view key);
  std::vector<Hash> hashes_;
};

}  // namespace vernal::openai_http
