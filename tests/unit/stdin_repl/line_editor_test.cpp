// The line editor on a pseudo terminal, in the C locale, in which a process starts.
#include "stdin_repl/line_editor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <thread>

#include "support/temporary_folder.hpp"

namespace vernal::stdin_repl {
namespace {

class LineEditorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // The terminal library keeps a description with text attributes until the process ends. This
    // terminal has no attributes.
    ::setenv("TERM", "vt52", 1);
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

  // Between lines the terminal edits keys itself. It must not edit keys that come before the editor
  // reads.
  void type(const std::string& keys) {
    termios mode{};
    ASSERT_EQ(::tcgetattr(terminal_, &mode), 0);
    mode.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
    ASSERT_EQ(::tcsetattr(terminal_, TCSANOW, &mode), 0);
    ASSERT_EQ(::write(keyboard_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  // Whether the terminal shows a text, now or soon.
  bool shows(const std::string& text) {
    constexpr int kPatienceMs = 10'000;
    pollfd polled = {keyboard_, POLLIN, 0};
    std::array<char, 4096> bytes;
    while (shown_.find(text) == std::string::npos) {
      if (::poll(&polled, 1, kPatienceMs) <= 0) return false;
      const ssize_t count = ::read(keyboard_, bytes.data(), bytes.size());
      if (count <= 0) return false;
      shown_.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return true;
  }

  int keyboard_ = -1;
  int terminal_ = -1;
  std::string shown_;
  Attention attention_;
};

TEST_F(LineEditorTest, EditsTextBeyondAsciiWithoutAProcessLocale) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  type("gr\u00FC\u00DFex\x7F 中\u6587 🙂\x7F!\r");  // backspace takes the x and the face
  const InputLine line = editor.read("> ");
  EXPECT_EQ(line.kind, InputLine::Kind::kLine);
  EXPECT_EQ(line.text, "gr\u00FC\u00DFe 中\u6587 !");
  EXPECT_TRUE(shows("gr\u00FC\u00DFe"));
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
  EXPECT_TRUE(shows("^C"));
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
  attention_.clear();  // as an answer does that goes on meanwhile
  EXPECT_EQ(editor.read("> ").kind, InputLine::Kind::kClosed);
  termios after{};
  ASSERT_EQ(::tcgetattr(terminal_, &after), 0);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  EXPECT_EQ(before.c_iflag, after.c_iflag);
}

// As a shell does while the process is stopped. The stop may come when the editor does not wait, and
// then nothing interrupts it.
TEST_F(LineEditorTest, TakesATerminalBackThatAnotherProgramHasSet) {
  LineEditor editor({terminal_, terminal_}, attention_, "");
  std::thread shell([&] {
    EXPECT_TRUE(shows("> "));
    shown_.clear();
    termios mode{};
    EXPECT_EQ(::tcgetattr(terminal_, &mode), 0);
    mode.c_lflag |= ICANON | ECHO;
    EXPECT_EQ(::tcsetattr(terminal_, TCSANOW, &mode), 0);
    EXPECT_TRUE(shows("> "));                 // the line is drawn again
    const std::string keys = "ab\x02\x04\r";  // only the editor knows how to delete the b
    EXPECT_EQ(::write(keyboard_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  });
  EXPECT_EQ(editor.read("> ").text, "a");
  shell.join();
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

TEST_F(LineEditorTest, AsksTheTerminalForItsStyles) {
  EXPECT_FALSE(LineEditor({terminal_, terminal_}, attention_, "").has_styles());
  ::setenv("TERM", "xterm", 1);
  EXPECT_TRUE(LineEditor({terminal_, terminal_}, attention_, "").has_styles());
  ::setenv("TERM", "no-such-terminal", 1);
  LineEditor editor({terminal_, terminal_}, attention_, "");
  EXPECT_FALSE(editor.has_styles());
  type("text\r");
  EXPECT_EQ(editor.read("> ").text, "text");
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
