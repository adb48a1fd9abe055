#include "text/jinja/values/text_operations.hpp"

#include <algorithm>

#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

void append_part(ListObject& list, std::string_view part) {
  list.append(Value::string(list.heap(), part));
}

/// Whether the code point ends a line for str.splitlines.
bool is_line_end(char32_t value) {
  return (value >= '\n' && value <= '\r') || (value >= 0x1C && value <= 0x1E) || value == 0x85 ||
         value == 0x2028 || value == 0x2029;
}

/// The length of the run that `text` begins with: of white space, or of other characters.
std::size_t run_length(std::string_view text, bool is_space_run) {
  std::size_t end = 0;
  while (end < text.size()) {
    const CodePoint point = code_point_at(text, end);
    if (is_space(point.value) != is_space_run) {
      break;
    }
    end += point.num_bytes;
  }
  return end;
}

}  // namespace

Value replace_text(Heap& heap, std::string_view text, std::string_view from, std::string_view to,
                   std::int64_t count) {
  TextBuilder out(heap);
  std::size_t position = 0;
  for (std::int64_t done = 0; count < 0 || done < count; ++done) {
    const std::size_t found = from.empty() ? position : text.find(from, position);
    if (found == std::string_view::npos) {
      break;
    }
    out.append(text.substr(position, found - position));
    out.append(to);
    position = found + from.size();
    if (!from.empty()) {
      continue;
    }
    if (position == text.size()) {
      break;
    }
    const std::size_t num_bytes = code_point_at(text, position).num_bytes;
    out.append(text.substr(position, num_bytes));
    position += num_bytes;
  }
  out.append(text.substr(position));
  return out.finish();
}

void append_escaped(TextBuilder& out, std::string_view text) {
  for (const char character : text) {
    switch (character) {
      case '&':
        out.append("&amp;");
        break;
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      case '"':
        out.append("&#34;");
        break;
      case '\'':
        out.append("&#39;");
        break;
      default:
        out.append(character);
        break;
    }
  }
}

std::vector<std::string_view> split_lines(std::string_view text, bool keeps_ends) {
  std::vector<std::string_view> lines;
  std::size_t start = 0;
  for (std::size_t position = 0; position < text.size();) {
    const CodePoint point = code_point_at(text, position);
    if (!is_line_end(point.value) || (point.value >= 0x80 && point.num_bytes == 1)) {
      position += point.num_bytes;
      continue;
    }
    const bool is_pair = text.substr(position, 2) == "\r\n";
    const std::size_t next = position + (is_pair ? 2 : point.num_bytes);
    lines.push_back(text.substr(start, (keeps_ends ? next : position) - start));
    position = next;
    start = next;
  }
  if (start < text.size()) {
    lines.push_back(text.substr(start));
  }
  return lines;
}

Value split_at(Heap& heap, std::string_view text, std::string_view separator, std::int64_t count) {
  heap.budget().read_bytes(text.size());
  Ref<ListObject> parts = heap.make<ListObject>();
  std::size_t start = 0;
  for (std::int64_t done = 0; count < 0 || done < count; ++done) {
    const std::size_t found = text.find(separator, start);
    if (found == std::string_view::npos) {
      break;
    }
    append_part(*parts, text.substr(start, found - start));
    start = found + separator.size();
  }
  append_part(*parts, text.substr(start));
  return Value(std::move(parts));
}

Value split_at_from_right(Heap& heap, std::string_view text, std::string_view separator,
                          std::int64_t count) {
  heap.budget().read_bytes(text.size());
  Ref<ListObject> parts = heap.make<ListObject>();
  for (std::int64_t done = 0; count < 0 || done < count; ++done) {
    const std::size_t found = text.rfind(separator);
    if (found == std::string_view::npos) {
      break;
    }
    append_part(*parts, text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  append_part(*parts, text);
  parts->reverse();
  return Value(std::move(parts));
}

Value split_at_spaces(Heap& heap, std::string_view text, std::int64_t count) {
  heap.budget().read_bytes(text.size());
  Ref<ListObject> parts = heap.make<ListObject>();
  text = strip(text, Side::kLeft);
  for (std::int64_t done = 0; !text.empty() && (count < 0 || done < count); ++done) {
    const std::size_t end = run_length(text, false);
    append_part(*parts, text.substr(0, end));
    text = text.substr(end);
    text = text.substr(run_length(text, true));
  }
  if (!text.empty()) {
    append_part(*parts, text);
  }
  return Value(std::move(parts));
}

Value split_at_spaces_from_right(Heap& heap, std::string_view text, std::int64_t count) {
  heap.budget().read_bytes(text.size());
  Ref<ListObject> parts = heap.make<ListObject>();
  text = strip(text, Side::kRight);
  std::size_t start = text.size();
  for (std::int64_t done = 0; !text.empty() && (count < 0 || done < count); ++done) {
    // Back to the start of the last word.
    while (start > 0 && strip(text.substr(start - 1, 1), Side::kRight).size() == 1) {
      --start;
    }
    append_part(*parts, text.substr(start));
    text = strip(text.substr(0, start), Side::kRight);
    start = text.size();
  }
  if (!text.empty()) {
    append_part(*parts, text);
  }
  parts->reverse();
  return Value(std::move(parts));
}

Value pad_text(Heap& heap, const StringObject& text, Padding padding, std::int64_t width,
               std::string_view fill) {
  const auto length = static_cast<std::int64_t>(text.length());
  const std::int64_t missing = width > length ? width - length : 0;
  std::int64_t before = 0;
  if (padding == Padding::kLeft) {
    before = missing;
  } else if (padding == Padding::kBoth) {
    before = missing / 2 + (missing & width & 1);  // Python gives the odd one to the same side
  }
  TextBuilder out(heap);
  out.append_repeated(fill, before);
  out.append(text.text());
  out.append_repeated(fill, missing - before);
  return out.finish();
}

}  // namespace vernal::jinja
