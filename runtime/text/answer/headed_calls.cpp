// Calls as a name and a JSON object behind it, and answers that begin with a recipient.
#include <algorithm>

#include "text/answer/call_arguments.hpp"
#include "text/answer/call_context.hpp"

namespace vernal {
namespace {

const std::vector<std::string> kArgumentFences = {"```json", "```"};
const std::vector<std::string> kArgumentFenceEnd = {"```"};
const std::vector<std::string> kLineEnd = {"\n"};
constexpr std::string_view kEveryone = "all";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

struct CallHead {
  std::string name;
  std::string id;
};

/// The name of "functions.get_weather:0".
std::string_view name_in_id(std::string_view id) {
  const std::size_t colon = id.rfind(':');
  const bool has_number = colon != std::string_view::npos &&
                          id.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  return has_number ? id.substr(0, colon) : id;
}

Task<bool> skip_mark(TextInput& in, std::string mark) {
  const std::vector<std::string> marks = {std::move(mark)};
  const int found = co_await match_mark(in, marks);
  co_return found >= 0;
}

/// The head of a call, up to its arguments; no name if there is none.
Task<CallHead> read_head(CallContext& context, const HeadForm& form) {
  TextInput& in = context.in;
  CallHead head;
  co_await skip_space(in);
  const std::string text =
      co_await read_until(context, form.name_ends, kMostNameBytes, form.brace_ends_name);
  head.name = trimmed(text);
  const int end = co_await match_mark(in, form.name_ends);
  if (head.name.empty()) co_return head;
  if (end >= 0 && form.name_ends[static_cast<std::size_t>(end)] == form.id_mark) {
    const std::vector<std::string> ends = {form.arguments_mark};
    const std::string id = co_await read_until(context, ends, kMostNameBytes, true);
    head.id = trimmed(id);
    co_await skip_mark(in, form.arguments_mark);
  }
  const int byte = co_await skip_space(in);
  if (form.type_stands_first && byte != '{') {
    const std::string line = co_await read_until(context, kLineEnd, kMostNameBytes, false);
    head.name = trimmed(line);
  }
  if (form.name_is_id) {
    head.id = head.name;
    head.name = name_in_id(head.id);
  }
  co_return head;
}

/// One call behind the mark that opens it.
Task<bool> read_headed_call(CallContext& context, const CallOpening& opening) {
  TextInput& in = context.in;
  const HeadForm& form = opening.head;
  const CallHead head = co_await read_head(context, form);
  if (head.name.empty() || !context.may_call(head.name)) co_return false;
  int byte = co_await skip_space(in);
  bool is_fenced = false;
  if (byte == '`') {
    is_fenced = (co_await match_mark(in, kArgumentFences)) >= 0;
    byte = co_await skip_space(in);
  }
  if (byte != '{') co_return false;
  context.begin_call(head.name, head.id);
  std::vector<std::string> closes = form.call_closes;
  closes.insert(closes.end(), opening.closes.begin(), opening.closes.end());
  if (is_fenced) closes.push_back(kArgumentFenceEnd.front());
  co_await read_arguments(context, closes, false);
  context.end_call();
  const TextInput::Keep keep(in);
  std::size_t end = in.position();
  co_await skip_space(in);
  if (is_fenced && (co_await match_mark(in, kArgumentFenceEnd)) >= 0) end = in.position();
  co_await skip_space(in);
  const bool is_closed = (co_await match_mark(in, form.call_closes)) >= 0;
  if (!is_closed) in.rewind(end);
  co_return true;
}

}  // namespace

Task<bool> read_headed_calls(CallContext& context, const CallOpening& opening) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  bool has_call = false;
  const std::vector<std::string>& opens = opening.call_opens;
  const bool opens_here =
      opens.empty() || std::find(opens.begin(), opens.end(), opening.mark) != opens.end();
  std::vector<std::string> marks = opening.call_opens;
  marks.insert(marks.end(), opening.closes.begin(), opening.closes.end());
  int byte = co_await skip_space(in);
  if (opens.empty() && (byte == '[' || byte == '{')) {
    const bool is_call = co_await read_json_calls(context, opening);
    co_return is_call;
  }
  while (true) {
    const std::size_t begin = in.position();
    if (!opens_here || has_call) {
      co_await skip_space(in);
      const int mark = co_await match_mark(in, marks);
      const bool is_close = mark >= static_cast<int>(opening.call_opens.size());
      if (is_close) co_return has_call;
      if (mark < 0) {
        in.rewind(begin);
        co_return has_call;
      }
    }
    const bool is_call = co_await read_headed_call(context, opening);
    if (!is_call) {
      in.rewind(begin);
      co_return has_call;
    }
    has_call = true;
  }
}

Task<bool> read_recipient(CallContext& context) {
  TextInput& in = context.in;
  const std::string line = co_await read_until(context, kLineEnd, kMostNameBytes, false);
  const std::string name(trimmed(line));
  if (name.empty()) co_return false;
  if (name == kEveryone) {
    in.skip();
    context.sink.mark();
    co_return true;
  }
  if (!context.tools.has(bare_name(name))) co_return false;
  const int byte = co_await skip_space(in);
  const bool is_json = byte == '{';
  if (!is_json && context.tools.only_parameter(bare_name(name)).empty()) co_return false;
  context.begin_call(name);
  const std::vector<std::string> closes = {">>>"};
  if (is_json) {
    co_await read_arguments(context, closes, false);
  } else {
    co_await read_code(context, bare_name(name), closes);
  }
  context.end_call();
  co_return true;
}

}  // namespace vernal
