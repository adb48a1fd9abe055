// Line editing on a terminal.
#pragma once

#include <histedit.h>

#include <clocale>
#include <cstdio>
#include <memory>
#include <string>

#include "stdin_repl/attention.hpp"
#include "stdin_repl/line_source.hpp"
#include "stdin_repl/utf8.hpp"
#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Gives the calling thread a UTF-8 character set as long as the object lives. The line editor asks
/// the locale how wide a character is, and a plugin must not change the locale of the process.
class ThreadCharacterSet {
 public:
  ThreadCharacterSet();
  ~ThreadCharacterSet();
  ThreadCharacterSet(const ThreadCharacterSet&) = delete;
  ThreadCharacterSet& operator=(const ThreadCharacterSet&) = delete;

 private:
  locale_t utf8_;
  locale_t previous_;
};

/// A line editor with Emacs keys and a history, made with libedit. It installs no signal handler:
/// interrupts and the end of the process come through the Attention. It notices a new width of the
/// terminal, and a continuation after a stop, while it reads. All calls come on one thread, with
/// those of constructor and destructor.
class LineEditor final : public LineSource {
 public:
  ///   descriptors    borrowed
  ///   history_file   read now and written by the destructor; empty: no file
  /// Throws Error if the terminal cannot be used.
  LineEditor(ConsoleClient::Descriptors descriptors, Attention& attention,
             std::string history_file);
  ~LineEditor() override;
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  InputLine read(std::string_view prompt) override;

  /// Whether the terminal knows text attributes and cursor movements.
  bool has_styles() const;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  struct CloseDescriptor {
    explicit CloseDescriptor(int descriptor) : value(descriptor) {}
    ~CloseDescriptor();
    int value;
  };
  using File = std::unique_ptr<std::FILE, CloseFile>;

  static LineEditor& self(EditLine* editor);
  static wchar_t* show_prompt(EditLine* editor);
  static int read_character(EditLine* editor, wchar_t* out);

  void configure();
  void bind_keys();
  void load_history();
  void remember(const std::wstring& line);
  bool take_character(wchar_t& out);
  bool is_called_away();
  bool read_bytes();
  void follow_width();
  void resume();

  Attention& attention_;
  const int input_;
  const std::string history_file_;
  ThreadCharacterSet character_set_;
  CloseDescriptor poller_;  // waits for the keyboard and the Attention
  File in_;
  File out_;
  File messages_;  // where messages of the library go; nobody reads them
  std::unique_ptr<EditLine, void (*)(EditLine*)> editor_;
  std::unique_ptr<HistoryW, void (*)(HistoryW*)> history_;
  Utf8Decoder decoder_;
  std::wstring prompt_;
  InputLine::Kind ended_ = InputLine::Kind::kEnd;  // why the current line gives no text
  unsigned short columns_ = 0;
};

}  // namespace vernal::stdin_repl
