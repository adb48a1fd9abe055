#include "openai_http/protocol/identifiers.hpp"

#include <sys/random.h>

#include <array>
#include <iterator>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {

std::string make_id(std::string_view prefix) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 12> random{};
  // Not OpenSSL's: one that lacks memory while it makes itself ready never gives any number.
  if (getrandom(random.data(), random.size(), 0) != std::ssize(random)) {
    throw RequestRefused(internal_error("the system has no random numbers"));
  }
  std::string id(prefix);
  for (const unsigned char byte : random) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

}  // namespace vernal::openai_http
