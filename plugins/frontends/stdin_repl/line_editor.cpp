#include "stdin_repl/line_editor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stdin_repl/settings.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

constexpr int kHistoryLines = 1000;
constexpr int kTerminalCheckMs = 500;  // how soon a terminal that was taken away is noticed

struct KeyBinding {
  const wchar_t* keys;
  const wchar_t* function;
};

// Keys that the library does not bind, or binds only if the description of the terminal has them.
constexpr std::array kKeyBindings = {
    KeyBinding{L"\\e[1~", L"ed-move-to-beg"},      KeyBinding{L"\\e[H", L"ed-move-to-beg"},
    KeyBinding{L"\\eOH", L"ed-move-to-beg"},       KeyBinding{L"\\e[4~", L"ed-move-to-end"},
    KeyBinding{L"\\e[F", L"ed-move-to-end"},       KeyBinding{L"\\eOF", L"ed-move-to-end"},
    KeyBinding{L"\\e[3~", L"ed-delete-next-char"}, KeyBinding{L"\\e[1;5C", L"em-next-word"},
    KeyBinding{L"\\e[1;5D", L"ed-prev-word"},      KeyBinding{L"^R", L"em-inc-search-prev"},
    KeyBinding{L"^W", L"ed-delete-prev-word"},     KeyBinding{L"^I", L"ed-insert"},
};

std::FILE* open_copy(int descriptor, const char* mode) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  std::FILE* file = copy < 0 ? nullptr : ::fdopen(copy, mode);
  if (file == nullptr) {
    if (copy >= 0) ::close(copy);
    throw Error(VERNAL_UNAVAILABLE,
                fmt::format("console: the terminal cannot be opened: {}", std::strerror(errno)));
  }
  return file;
}

// Whether the terminal edits lines itself and gives keys only at the end of a line.
bool edits_itself(int terminal) {
  termios mode{};
  return ::tcgetattr(terminal, &mode) == 0 && (mode.c_lflag & ICANON) != 0;
}

}  // namespace

ThreadCharacterSet::ThreadCharacterSet()
    : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), previous_(nullptr) {
  if (utf8_ == nullptr) {
    plugin_host().log(VERNAL_LOG_WARNING, kComponent,
                      "the system has no locale C.UTF-8: only ASCII can be typed");
    return;
  }
  previous_ = ::uselocale(utf8_);
}

ThreadCharacterSet::~ThreadCharacterSet() {
  if (utf8_ == nullptr) return;
  ::uselocale(previous_);
  ::freelocale(utf8_);
}

LineEditor::CloseDescriptor::~CloseDescriptor() {
  if (value >= 0) ::close(value);
}

LineEditor::LineEditor(ConsoleClient::Descriptors descriptors, Attention& attention,
                       std::string history_file)
    : attention_(attention),
      input_(descriptors.input),
      history_file_(std::move(history_file)),
      poller_(::epoll_create1(EPOLL_CLOEXEC)),
      in_(open_copy(descriptors.input, "r")),
      out_(open_copy(descriptors.output, "w")),
      messages_(std::fopen("/dev/null", "w")),
      editor_(nullptr, ::el_end),
      history_(::history_winit(), ::history_wend) {
  epoll_event keyboard{.events = EPOLLIN, .data = {.fd = input_}};
  epoll_event other{.events = EPOLLIN, .data = {.fd = attention_.descriptor()}};
  if (poller_.value < 0 || ::epoll_ctl(poller_.value, EPOLL_CTL_ADD, input_, &keyboard) != 0 ||
      ::epoll_ctl(poller_.value, EPOLL_CTL_ADD, other.data.fd, &other) != 0 || !messages_) {
    throw Error(VERNAL_UNAVAILABLE,
                fmt::format("console: the terminal cannot be read: {}", std::strerror(errno)));
  }
  editor_.reset(::el_init_fd("vernal", in_.get(), out_.get(), messages_.get(), descriptors.input,
                             descriptors.output, ::fileno(messages_.get())));
  if (!editor_ || !history_) {
    throw Error(VERNAL_UNAVAILABLE, "console: the terminal does not allow to edit lines");
  }
  configure();
  load_history();
}

LineEditor::~LineEditor() {
  if (history_file_.empty()) return;
  HistEventW event{};
  if (::history_w(history_.get(), &event, H_SAVE, history_file_.c_str()) < 0) {
    plugin_host().log(VERNAL_LOG_WARNING, kComponent,
                      fmt::format("history_file {}: cannot be written", history_file_));
  }
}

void LineEditor::configure() {
  EditLine* editor = editor_.get();
  ::el_wset(editor, EL_CLIENTDATA, this);
  ::el_wset(editor, EL_SIGNAL, 0);
  ::el_wset(editor, EL_EDITOR, L"emacs");
  ::el_wset(editor, EL_GETCFN, &LineEditor::read_character);
  ::el_wset(editor, EL_PROMPT, &LineEditor::show_prompt);
  ::el_wset(editor, EL_HIST, ::history_w, history_.get());
  for (const KeyBinding& binding : kKeyBindings) {
    ::el_wset(editor, EL_BIND, binding.keys, binding.function, nullptr);
  }
}

void LineEditor::load_history() {
  HistEventW event{};
  ::history_w(history_.get(), &event, H_SETSIZE, kHistoryLines);
  ::history_w(history_.get(), &event, H_SETUNIQUE, 1);
  if (history_file_.empty() || ::access(history_file_.c_str(), F_OK) != 0) return;
  if (::history_w(history_.get(), &event, H_LOAD, history_file_.c_str()) < 0) {
    plugin_host().log(
        VERNAL_LOG_WARNING, kComponent,
        fmt::format("history_file {}: cannot be read, or is no history file", history_file_));
  }
}

bool LineEditor::has_styles() const {
  char* end_of_attributes = nullptr;
  char name[] = "me";
  return ::el_get(editor_.get(), EL_GETTC, name, &end_of_attributes) == 0 &&
         end_of_attributes != nullptr && *end_of_attributes != '\0';
}

LineEditor& LineEditor::self(EditLine* editor) {
  void* data = nullptr;
  ::el_wget(editor, EL_CLIENTDATA, &data);
  return *static_cast<LineEditor*>(data);
}

wchar_t* LineEditor::show_prompt(EditLine* editor) { return self(editor).prompt_.data(); }

InputLine LineEditor::read(std::string_view prompt) {
  prompt_ = to_wide(prompt);
  ended_ = InputLine::Kind::kEnd;
  ::el_resize(editor_.get());
  // The terminal must be switched before the prompt is shown. The library would switch after it,
  // and a Ctrl-D that was typed in between would be lost: the terminal keeps it as a zero byte.
  ::el_wset(editor_.get(), EL_PREP_TERM, 1);
  int length = 0;
  const wchar_t* typed = ::el_wgets(editor_.get(), &length);
  if (typed == nullptr || length <= 0) {
    std::fputs(ended_ == InputLine::Kind::kInterrupted ? "^C\n" : "\n", out_.get());
    std::fflush(out_.get());
    return {ended_, {}};
  }
  std::wstring line(typed, static_cast<std::size_t>(length));
  while (!line.empty() && line.back() == L'\n') line.pop_back();
  remember(line);
  return {InputLine::Kind::kLine, to_utf8(line)};
}

void LineEditor::remember(const std::wstring& line) {
  if (line.find_first_not_of(L" \t") == std::wstring::npos) return;
  HistEventW event{};
  ::history_w(history_.get(), &event, H_ENTER, line.c_str());
}

// The library calls this for each character. 1: *out is the character. 0: the line ends without
// one.
int LineEditor::read_character(EditLine* editor, wchar_t* out) {
  return self(editor).take_character(*out) ? 1 : 0;
}

bool LineEditor::take_character(wchar_t& out) {
  for (;;) {
    // Looks at the signals, not at the descriptor: an answer in progress may have cleared it.
    if (is_called_away()) return false;
    if (const auto character = decoder_.take()) {
      out = *character;
      return true;
    }
    epoll_event event{};
    const int count = ::epoll_wait(poller_.value, &event, 1, kTerminalCheckMs);
    if (count < 0 && errno != EINTR) return false;
    if (count < 0 || edits_itself(input_)) resume();
    if (count <= 0) continue;
    if (event.data.fd == attention_.descriptor()) {
      attention_.clear();
    } else if (!read_bytes()) {
      return false;
    }
  }
}

bool LineEditor::is_called_away() {
  if (attention_.is_draining()) {
    ended_ = InputLine::Kind::kClosed;
    return true;
  }
  if (attention_.take_interrupt()) {
    decoder_.clear();
    ended_ = InputLine::Kind::kInterrupted;
    return true;
  }
  return false;
}

// Reads bytes from the terminal. False at the end of input.
bool LineEditor::read_bytes() {
  std::array<char, 512> bytes;
  const ssize_t count = ::read(input_, bytes.data(), bytes.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  decoder_.push({bytes.data(), static_cast<std::size_t>(count)});
  follow_width();
  return count > 0;
}

// Looks up the width of the terminal. There is no signal handler, so it is called with each key.
void LineEditor::follow_width() {
  winsize size{};
  if (::ioctl(input_, TIOCGWINSZ, &size) != 0 || size.ws_col == columns_) return;
  if (columns_ != 0) ::el_resize(editor_.get());
  columns_ = size.ws_col;
}

// Called when the process was stopped and continued. Only that interrupts the wait, because every
// signal with a handler is blocked here; where it came before the wait, the terminal's settings
// tell, which the shell has changed in the meantime.
void LineEditor::resume() {
  ::el_wset(editor_.get(), EL_PREP_TERM, 0);
  ::el_wset(editor_.get(), EL_PREP_TERM, 1);
  ::el_wset(editor_.get(), EL_REFRESH);
}

}  // namespace vernal::stdin_repl
