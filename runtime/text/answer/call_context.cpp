#include "text/answer/call_context.hpp"

#include <array>

namespace vernal {
namespace {

constexpr std::string_view kNamespace = "functions.";

bool is_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMostNameBytes &&
         name.find_first_of("\n\r\"{}") == std::string_view::npos;
}

}  // namespace

std::string_view bare_name(std::string_view name) noexcept {
  if (name.starts_with(kNamespace)) name.remove_prefix(kNamespace.size());
  return name;
}

bool CallContext::may_call(std::string_view name) const {
  name = bare_name(name);
  return is_name(name) && (!only_offered || tools.has(name));
}

void CallContext::begin_call(std::string_view name, std::string_view id, bool is_deferred) {
  if (limit != nullptr) limit->release();
  sink.begin_call(bare_name(name), {}, true);
  call_id(id);
  if (!is_deferred) sink.end_call();
}

void CallContext::call_id(std::string_view id) {
  if (id.empty() || id.size() > kMostNameBytes || used_ids.contains(id)) return;
  used_ids.emplace(id);
  sink.call_id(id);
}

void CallContext::end_call() {
  sink.end_call();
  if (max_calls > 0 && sink.num_calls() >= max_calls) in.close();
}

Task<std::string> read_until(CallContext& context, const std::vector<std::string>& ends,
                             std::size_t most, bool stops_at_brace) {
  const TextInput::Keep keep(context.in);
  std::array<bool, 256> is_special{};
  for (const std::string& end : ends) {
    if (!end.empty()) is_special[static_cast<unsigned char>(end.front())] = true;
  }
  std::string text;
  while (text.size() <= most) {
    const int byte = co_await context.in.peek();
    if (byte == TextInput::kNone) break;
    if (stops_at_brace && byte == '{') co_return text;
    if (is_special[static_cast<std::size_t>(byte)]) {
      const std::size_t begin = context.in.position();
      const int found = co_await match_mark(context.in, ends);
      if (found >= 0) {
        context.in.rewind(begin);
        co_return text;
      }
    }
    text += static_cast<char>(byte);
    context.in.skip();
  }
  co_return std::string();
}

Task<bool> read_calls(CallContext& context, const CallOpening& opening) {
  const bool outer = context.only_offered;
  context.only_offered = outer || !opening.is_marked;
  bool is_call = false;
  switch (opening.form) {
    case CallForm::kJson:
      is_call = co_await read_json_calls(context, opening);
      break;
    case CallForm::kHeaded:
      is_call = co_await read_headed_calls(context, opening);
      break;
    case CallForm::kTags:
      is_call = co_await read_tag_calls(context, opening, opening.tags);
      break;
    case CallForm::kFirstByte: {
      const int byte = co_await skip_space(context.in);
      const bool is_json = byte == '{' || byte == '[';
      if (is_json) {
        is_call = co_await read_json_calls(context, opening);
      } else {
        const TagForm& form = byte == '<' ? opening.tags : opening.name_tags;
        is_call = co_await read_tag_calls(context, opening, form);
      }
      break;
    }
    case CallForm::kFunctions:
      is_call = co_await read_function_calls(context, opening);
      break;
    case CallForm::kMarked:
      is_call = co_await read_marked_calls(context, opening);
      break;
    case CallForm::kCode:
      is_call = co_await read_code_call(context, opening);
      break;
  }
  context.only_offered = outer;
  co_return is_call;
}

}  // namespace vernal
