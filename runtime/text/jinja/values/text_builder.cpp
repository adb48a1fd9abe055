#include "text/jinja/values/text_builder.hpp"

#include <algorithm>
#include <limits>

namespace vernal::jinja {

void TextBuilder::append_repeated(std::string_view text, std::int64_t count) {
  if (text.empty() || count < 1) {
    return;
  }
  const auto times = static_cast<std::uint64_t>(count);
  const bool overflows = times > std::numeric_limits<std::uint64_t>::max() / 2 / text.size();
  reserve(overflows ? std::numeric_limits<std::uint64_t>::max() / 2 : times * text.size());
  if (text.size() == 1) {
    text_.append(times, text[0]);
    return;
  }
  for (std::uint64_t i = 0; i < times; ++i) {
    text_.append(text);
  }
}

void TextBuilder::grow(std::uint64_t bytes) {
  const std::uint64_t capacity = text_.capacity();
  const std::uint64_t added = std::max(bytes, capacity);
  heap_.budget().charge(added);
  charged_ += added;
  text_.reserve(capacity + added);
}

}  // namespace vernal::jinja
