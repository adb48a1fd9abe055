#include "text/answer/answer_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "text/answer/call_context.hpp"

namespace vernal {
namespace {

// What failed candidates may cost for each byte of text. Beyond that they are not sought in bytes
// that were read before.
constexpr std::size_t kRereadsPerByte = 4;

enum class MarkKind : std::uint8_t {
  kThinkingOpen,
  kThinkingClose,
  kWrapperOpen,
  kWrapperClose,
  kOpening,
  kRecipient,
};

struct Mark {
  MarkKind kind;
  std::size_t index;
};

/// Texts that mean something, and what.
struct MarkTable {
  void add(const std::string& text, Mark mark) {
    if (text.empty() || texts.size() >= kMostMarks) return;
    texts.push_back(text);
    marks.push_back(mark);
    begins[static_cast<unsigned char>(text.front())] = true;
  }

  std::vector<std::string> texts;
  std::vector<Mark> marks;
  std::array<bool, 256> begins{};
};

}  // namespace

class AnswerParser::Reader {
 public:
  Reader(const AnswerSyntax& syntax, const std::vector<ToolDefinition>& tools, Options options)
      : tools_(tools),
        sink_(tools.empty() && syntax.wrappers.empty() && !syntax.has_channels),
        context_(syntax, tools_, sink_) {
    context_.is_thinking = options.is_thinking;
    context_.max_calls = options.max_calls;
    for (std::string& id : options.used_ids) context_.used_ids.insert(std::move(id));
    make_tables();
    root_.emplace(read_answer());
    root_->start(current_);
  }

  void run() {
    while (current_ && !context_.in.is_waiting()) current_.resume();
    if (!current_ && root_->error()) std::rethrow_exception(root_->error());
  }

  TextInput& in() noexcept { return context_.in; }
  DeltaSink& sink() noexcept { return sink_; }
  const CallContext& context() const noexcept { return context_; }
  bool is_thinking() const noexcept { return context_.is_thinking; }

 private:
  void make_tables() {
    const AnswerSyntax& syntax = context_.syntax;
    for (std::size_t i = 0; i < syntax.thinking.size(); ++i) {
      content_.add(syntax.thinking[i].open, {MarkKind::kThinkingOpen, i});
      content_.add(syntax.thinking[i].close, {MarkKind::kThinkingClose, i});
      thinking_.add(syntax.thinking[i].open, {MarkKind::kThinkingOpen, i});
      thinking_.add(syntax.thinking[i].close, {MarkKind::kThinkingClose, i});
    }
    for (std::size_t i = 0; i < syntax.wrappers.size(); ++i) {
      content_.add(syntax.wrappers[i].open, {MarkKind::kWrapperOpen, i});
      content_.add(syntax.wrappers[i].close, {MarkKind::kWrapperClose, i});
    }
    if (syntax.has_recipients) content_.add(">>>", {MarkKind::kRecipient, 0});
    if (tools_.empty()) return;
    for (std::size_t i = 0; i < syntax.openings.size(); ++i) {
      const CallOpening& opening = syntax.openings[i];
      content_.add(opening.mark, {MarkKind::kOpening, i});
      if (opening.is_marked) thinking_.add(opening.mark, {MarkKind::kOpening, i});
      orphans_.insert(orphans_.end(), opening.closes.begin(), opening.closes.end());
      const std::vector<std::string>& function = opening.tags.function_closes;
      orphans_.insert(orphans_.end(), function.begin(), function.end());
    }
    orphans_.insert(orphans_.end(), syntax.orphans.begin(), syntax.orphans.end());
    if (orphans_.size() > kMostMarks) orphans_.resize(kMostMarks);
  }

  Task<bool> read_answer() {
    if (context_.syntax.has_channels) {
      co_await read_channels(context_);
      co_return true;
    }
    if (context_.is_thinking) {
      co_await read_thinking();
    } else if (context_.syntax.has_recipients) {
      const TextInput::Keep keep(in());
      const bool is_known = co_await read_recipient(context_);
      if (!is_known) in().rewind(0);
    }
    while (true) {
      sink_.content(in().take_run(content_.begins));
      const int byte = co_await in().peek();
      if (byte == TextInput::kNone) break;
      if (!content_.begins[static_cast<std::size_t>(byte)]) continue;
      const TextInput::Keep keep(in());
      const std::size_t begin = in().position();
      const bool is_syntax = co_await read_mark();
      if (is_syntax) continue;
      in().rewind(begin + 1);
      sink_.content(in().since(begin));
    }
    co_return true;
  }

  /// A mark that counts here, and what belongs to it. False: there is none.
  Task<bool> read_mark() {
    const int found = co_await match_mark(in(), content_.texts);
    if (found < 0) co_return false;
    const Mark mark = content_.marks[static_cast<std::size_t>(found)];
    const AnswerSyntax& syntax = context_.syntax;
    switch (mark.kind) {
      case MarkKind::kThinkingOpen: {
        if (sink_.has_content() && !syntax.thinking[mark.index].is_control) co_return false;
        sink_.mark();
        co_await read_thinking();
        co_return true;
      }
      case MarkKind::kThinkingClose:
        if (sink_.has_content() && !syntax.thinking[mark.index].is_control) co_return false;
        sink_.mark();
        co_return true;
      case MarkKind::kWrapperOpen:
        if (sink_.has_content() && !syntax.wrappers[mark.index].is_control) co_return false;
        sink_.mark();
        co_return true;
      case MarkKind::kWrapperClose: {
        const bool is_end = co_await ends_here();
        if (!is_end && !syntax.wrappers[mark.index].is_control) co_return false;
        sink_.mark();
        co_return true;
      }
      case MarkKind::kRecipient: {
        if (!sink_.is_at_line_start()) co_return false;
        const bool is_known = co_await read_recipient(context_);
        co_return is_known;
      }
      case MarkKind::kOpening: {
        const bool is_call = co_await read_candidate(syntax.openings[mark.index]);
        co_return is_call;
      }
    }
    co_return false;
  }

  /// Whether only white space follows.
  Task<bool> ends_here() {
    const TextInput::Keep keep(in());
    const std::size_t begin = in().position();
    const int byte = co_await skip_space(in());
    in().rewind(begin);
    co_return byte == TextInput::kNone;
  }

  /// Behind an opening mark in content.
  Task<bool> read_candidate(const CallOpening& opening) {
    const std::size_t begin = in().position() - opening.mark.size();
    if (begin < not_before_) co_return false;
    if (opening.begins_line && !sink_.is_at_line_start()) co_return false;
    if (opening.is_kept) in().rewind(begin);
    TextInput::Limit limit(in(), kMostHeldBytes);
    context_.limit = &limit;
    const bool is_call = co_await read_calls(context_, opening);
    context_.limit = nullptr;
    if (!is_call) {
      count_reread(begin);
      co_return false;
    }
    co_await skip_orphans();
    co_return true;
  }

  /// A candidate that began there failed: its bytes are read again.
  void count_reread(std::size_t begin) {
    const std::size_t position = in().position();
    furthest_ = std::max(furthest_, position);
    num_reread_ += position - begin;
    if (num_reread_ > kRereadsPerByte * furthest_ + kMostHeldBytes) not_before_ = position;
  }

  /// Past closing marks that nothing opened, behind a call.
  Task<bool> skip_orphans() {
    const TextInput::Keep keep(in());
    while (true) {
      const std::size_t begin = in().position();
      co_await skip_space(in());
      const int orphan = co_await match_mark(in(), orphans_);
      if (orphan >= 0) continue;
      in().rewind(begin);
      co_return true;
    }
  }

  /// From behind the opening mark to behind the closing one, or to calls that end it.
  Task<bool> read_thinking() {
    context_.is_thinking = true;
    while (context_.is_thinking) {
      sink_.reasoning(in().take_run(thinking_.begins));
      const int byte = co_await in().peek();
      if (byte == TextInput::kNone) break;
      if (!thinking_.begins[static_cast<std::size_t>(byte)]) continue;
      const TextInput::Keep keep(in());
      const std::size_t begin = in().position();
      const bool is_syntax = co_await read_mark_in_thinking();
      if (is_syntax) continue;
      in().rewind(begin + 1);
      sink_.reasoning(in().since(begin));
    }
    context_.is_thinking = false;
    sink_.end_reasoning();
    co_return true;
  }

  Task<bool> read_mark_in_thinking() {
    const int found = co_await match_mark(in(), thinking_.texts);
    if (found < 0) co_return false;
    const Mark mark = thinking_.marks[static_cast<std::size_t>(found)];
    if (mark.kind == MarkKind::kThinkingOpen) co_return !sink_.has_reasoning_here();
    if (mark.kind == MarkKind::kThinkingClose) {
      context_.is_thinking = false;
      co_return true;
    }
    const std::size_t begin = in().position() - context_.syntax.openings[mark.index].mark.size();
    if (begin < not_before_) co_return false;
    const bool is_call = co_await read_last_calls(mark.index);
    if (!is_call) count_reread(begin);
    co_return is_call;
  }

  /// Calls in the thinking count if they are whole, of offered tools, and the last thing but for the
  /// closing mark. Others are drafts.
  Task<bool> read_last_calls(std::size_t opening) {
    const TextInput::Limit limit(in(), kMostHeldBytes);
    context_.only_offered = true;
    const std::size_t max_calls = std::exchange(context_.max_calls, 0);
    sink_.begin_speculation();
    const std::size_t num_broken = context_.num_broken;
    bool is_last = false;
    bool is_closed = false;
    bool is_call = co_await read_calls(context_, context_.syntax.openings[opening]);
    while (is_call) {
      co_await skip_orphans();
      const int byte = co_await skip_space(in());
      if (byte == TextInput::kNone) {
        is_last = in().has_stopped();
        break;
      }
      const int found = co_await match_mark(in(), thinking_.texts);
      if (found < 0) break;
      const Mark mark = thinking_.marks[static_cast<std::size_t>(found)];
      is_last = mark.kind == MarkKind::kOpening && max_calls > 0 && sink_.num_calls() >= max_calls;
      if (mark.kind == MarkKind::kThinkingOpen || is_closed || is_last) break;
      if (mark.kind == MarkKind::kThinkingClose) {
        is_closed = true;
      } else {
        is_call = co_await read_calls(context_, context_.syntax.openings[mark.index]);
      }
    }
    context_.only_offered = false;
    context_.max_calls = max_calls;
    const bool is_kept = is_last && context_.num_broken == num_broken;
    context_.num_broken = num_broken;
    sink_.end_speculation(is_kept);
    if (is_kept) {
      context_.is_thinking = false;
      if (max_calls > 0 && sink_.num_calls() >= max_calls) in().close();
    }
    co_return is_kept;
  }

  OfferedTools tools_;
  DeltaSink sink_;
  CallContext context_;
  MarkTable content_;
  MarkTable thinking_;
  std::vector<std::string> orphans_;
  std::size_t not_before_ = 0;  // candidates begin no earlier
  std::size_t num_reread_ = 0;
  std::size_t furthest_ = 0;
  std::coroutine_handle<> current_{};
  std::optional<Task<bool>> root_;
};

AnswerParser::AnswerParser(const AnswerSyntax& syntax, const std::vector<ToolDefinition>& tools,
                           Options options)
    : reader_(std::make_unique<Reader>(syntax, tools, std::move(options))) {}

AnswerParser::~AnswerParser() = default;
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;

std::vector<AnswerDelta> AnswerParser::push(std::string_view piece) {
  reader_->in().append(piece);
  reader_->run();
  return reader_->sink().take(false);
}

std::vector<AnswerDelta> AnswerParser::finish(AnswerEnd end) {
  reader_->in().end(end);
  reader_->run();
  reader_->sink().end();
  return reader_->sink().take(true);
}

bool AnswerParser::is_thinking() const noexcept { return reader_->is_thinking(); }

bool AnswerParser::is_complete() const noexcept {
  const CallContext& context = reader_->context();
  return context.max_calls > 0 && reader_->sink().num_calls() >= context.max_calls &&
         reader_->in().is_closed();
}

std::size_t AnswerParser::num_calls() const noexcept { return reader_->sink().num_calls(); }

std::size_t AnswerParser::num_broken_calls() const noexcept {
  return reader_->context().num_broken;
}

}  // namespace vernal
