// UTF-8, and guesses of mistyped names.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "stdin_repl/nearest_name.hpp"
#include "stdin_repl/utf8.hpp"

namespace vernal::stdin_repl {
namespace {

TEST(Utf8, TextOfEveryLengthComesBack) {
  const std::string text = "a ü € 𝄞 中文 \xF4\x8F\xBF\xBF";
  EXPECT_EQ(to_utf8(to_wide(text)), text);
  EXPECT_EQ(to_wide("€𝄞").size(), 2u);
}

TEST(Utf8, DecodesCharactersThatComeInPieces) {
  Utf8Decoder decoder;
  decoder.push("\xE2\x82");
  EXPECT_FALSE(decoder.take());
  decoder.push("\xAC!");
  EXPECT_EQ(decoder.take(), L'€');
  EXPECT_EQ(decoder.take(), L'!');
}

TEST(Utf8, ReplacesWhatIsNoCharacter) {
  EXPECT_EQ(to_wide("a\xFFz"), L"a\uFFFDz");          // never a byte of UTF-8
  EXPECT_EQ(to_wide("\xE2\x82z"), L"\uFFFDz");        // cut short
  EXPECT_EQ(to_wide("\xC0\x80"), L"\uFFFD\uFFFD");    // too long a form
  EXPECT_EQ(to_wide("\xE0\x80\x80"), L"\uFFFD");      // the same in three bytes
  EXPECT_EQ(to_wide("\xED\xA0\x80"), L"\uFFFD");      // a surrogate
  EXPECT_EQ(to_wide("\xF4\x90\x80\x80"), L"\uFFFD");  // above U+10FFFF
}

TEST(Utf8, ForgetsAHalfCharacterWhenCleared) {
  Utf8Decoder decoder;
  decoder.push("x\xE2\x82");
  decoder.clear();
  decoder.push("y");
  EXPECT_EQ(decoder.take(), L'y');
}

TEST(VisibleText, LetsNoTextControlTheTerminal) {
  EXPECT_EQ(visible_text("\033[2Jgr\u00FC\u00DFe\r\n\tx\x07\x7F"), "␛[2Jgrüße\n\tx␇␡");
  EXPECT_EQ(visible_text("\u009B2J"), "\uFFFD2J");  // the one-character form of escape [
}

TEST(NearestName, FindsTheOneThatWasMeant) {
  constexpr std::array<std::string_view, 5> kNames = {"help", "model", "save", "set", "stats"};
  EXPECT_EQ(nearest_name("hlep", kNames), "help");
  EXPECT_EQ(nearest_name("modle", kNames), "model");
  EXPECT_EQ(nearest_name("st", kNames), "stats");
  EXPECT_EQ(nearest_name("sst", kNames), "set");
  EXPECT_EQ(nearest_name("zzzzzz", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
}

}  // namespace
}  // namespace vernal::stdin_repl
