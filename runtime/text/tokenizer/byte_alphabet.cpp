#include "text/tokenizer/byte_alphabet.hpp"

#include <array>
#include <cstddef>

#include "text/tokenizer/utf8.hpp"

namespace vernal {
namespace {

constexpr char32_t kFirstStandIn = 0x100;
constexpr std::size_t kNumStandIns = 68;

constexpr bool prints(int byte) noexcept {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// The bytes that are not written as themselves, in ascending order.
constexpr std::array<std::uint8_t, kNumStandIns> bytes_with_stand_in() noexcept {
  std::array<std::uint8_t, kNumStandIns> bytes{};
  std::size_t count = 0;
  for (int byte = 0; byte < 256; ++byte) {
    if (!prints(byte)) bytes[count++] = static_cast<std::uint8_t>(byte);
  }
  return bytes;
}

constexpr std::array<std::uint8_t, kNumStandIns> kBytesWithStandIn = bytes_with_stand_in();

}  // namespace

int byte_of_character(char32_t character) noexcept {
  if (character < kFirstStandIn) {
    const int byte = static_cast<int>(character);
    return prints(byte) ? byte : -1;
  }
  const auto index = static_cast<std::size_t>(character - kFirstStandIn);
  return index < kBytesWithStandIn.size() ? kBytesWithStandIn[index] : -1;
}

std::string character_of_byte(std::uint8_t byte) {
  char32_t character = byte;
  if (!prints(byte)) {
    character = kFirstStandIn;
    while (kBytesWithStandIn[character - kFirstStandIn] != byte) ++character;
  }
  if (character < 0x80) return {static_cast<char>(character)};
  return {static_cast<char>(0xC0U | (character >> 6U)),
          static_cast<char>(0x80U | (character & 0x3FU))};
}

bool append_bytes_of_text(std::string_view text, std::string& bytes) {
  bool all_known = true;
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    const int byte =
        character.status == Utf8Status::kValid ? byte_of_character(character.code_point) : -1;
    if (byte >= 0) {
      bytes.push_back(static_cast<char>(byte));
    } else {
      bytes.append(text.substr(0, character.length));
      all_known = false;
    }
    text.remove_prefix(character.length);
  }
  return all_known;
}

}  // namespace vernal
