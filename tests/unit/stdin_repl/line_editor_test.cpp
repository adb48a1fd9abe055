// The line editor on a pseudo terminal, in the C locale that a process starts with.
#include "stdin_repl/line_editor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace vernal::stdin_repl {
namespace {

class LineEditorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    keyboard_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(keyboard_, 0);
    ASSERT_EQ(::grantpt(keyboard_), 0);
    ASSERT_EQ(::unlockpt(keyboard_), 0);
    terminal_ = ::open(::ptsname(keyboard_), O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal_, 0);
  }
  void TearDown() override {
    ::close(terminal_);
    ::close(keyboard_);
  }

  // Keys that come before the editor reads must not be edited by the terminal, as it does between
  // lines.
  void type(const std::string& keys) {
    termios mode{};
    ASSERT_EQ(::tcgetattr(terminal_, &mode), 0);
    mode.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
    ASSERT_EQ(::tcsetattr(terminal_, TCSANOW, &mode), 0);
    ASSERT_EQ(::write(keyboard_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  std::string shown() {
    std::string text(8192, '\0');
    const ssize_t count = ::read(keyboard_, text.data(), text.size());
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }

  int keyboard_ = -1;
  int terminal_ = -1;
  Attention attention_;
};

TEST_F(LineEditorTest, EditsTextBeyondAsciiWithoutAProcessLocale) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  type("gr\u00FC\u00DFex\x7F 中\u6587 🙂\x7F!\r");  // backspace takes the x and the face
  const InputLine line = editor.read("> ");
  EXPECT_EQ(line.kind, InputLine::Kind::kLine);
  EXPECT_EQ(line.text, "gr\u00FC\u00DFe 中\u6587 !");
  EXPECT_NE(shown().find("gr\u00FC\u00DFe"), std::string::npos);
  EXPECT_STREQ(::setlocale(LC_CTYPE, nullptr), "C");
}

TEST_F(LineEditorTest, KnowsTheUsualKeys) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  type("ell\033[HH\033[Fo\x01\033[3~h\x05\t!\r");
  EXPECT_EQ(editor.read("> ").text, "hello\t!");
}

TEST_F(LineEditorTest, GivesLinesThatCameTogetherOneByOne) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  type("one\rtwo\r\r");
  EXPECT_EQ(editor.read("> ").text, "one");
  EXPECT_EQ(editor.read("> ").text, "two");
  const InputLine empty = editor.read("> ");
  EXPECT_EQ(empty.kind, InputLine::Kind::kLine);
  EXPECT_EQ(empty.text, "");
}

TEST_F(LineEditorTest, EndsAtControlDOnAnEmptyLineOnly) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  type("ab\x02\x04\r");  // left, then delete the b
  EXPECT_EQ(editor.read("> ").text, "a");
  type("\x04");
  EXPECT_EQ(editor.read("> ").kind, InputLine::Kind::kEnd);
}

TEST_F(LineEditorTest, AnInterruptForgetsTheLine) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  attention_.interrupt();
  EXPECT_EQ(editor.read("> ").kind, InputLine::Kind::kInterrupted);
  EXPECT_NE(shown().find("^C"), std::string::npos);
  type("next\r");
  EXPECT_EQ(editor.read("> ").text, "next");
}

TEST_F(LineEditorTest, EventsOfARequestDoNotDisturbTheLine) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  attention_.notify();
  type("text\r");
  EXPECT_EQ(editor.read("> ").text, "text");
}

TEST_F(LineEditorTest, TheEndOfTheProcessEndsTheLineAndGivesTheTerminalBack) {
  termios before{};
  ASSERT_EQ(::tcgetattr(terminal_, &before), 0);
  LineEditor editor({terminal_, terminal_}, attention_, "");
  attention_.begin_drain();
  EXPECT_EQ(editor.read("> ").kind, InputLine::Kind::kClosed);
  termios after{};
  ASSERT_EQ(::tcgetattr(terminal_, &after), 0);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  EXPECT_EQ(before.c_iflag, after.c_iflag);
}

TEST_F(LineEditorTest, AClosedTerminalIsTheEnd) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  ::close(keyboard_);
  keyboard_ = -1;
  EXPECT_EQ(editor.read("> ").kind, InputLine::Kind::kEnd);
}

TEST_F(LineEditorTest, KeepsItsHistoryInAFile) {
  const vernal::testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "history").string();
  {
    LineEditor editor({terminal_, terminal_}, attention_, path);
    type("gr\u00FC\u00DFe \\ \"x\"\rlast\r  \r");
    for (int i = 0; i < 3; ++i) editor.read("> ");
  }
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  LineEditor editor({terminal_, terminal_}, attention_, path);
  type("\x10\x10\r");  // twice back
  EXPECT_EQ(editor.read("> ").text, "gr\u00FC\u00DFe \\ \"x\"");
}

TEST_F(LineEditorTest, LinesLongerThanTheTerminalAreWhole) {
  const winsize size{.ws_row = 10, .ws_col = 20, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(::ioctl(terminal_, TIOCSWINSZ, &size), 0);
  LineEditor editor({terminal_, terminal_}, attention_, "");
  const std::string text(300, 'x');
  type(text + "\r");
  EXPECT_EQ(editor.read("> ").text, text);
}

}  // namespace
}  // namespace vernal::stdin_repl
