// Elements and slices of values.
#include "text/jinja/error.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// A bound of a slice, moved into [lowest, highest].
std::int64_t clamp_bound(const Value& bound, std::int64_t length, std::int64_t lowest,
                         std::int64_t highest) {
  std::int64_t position = require_integer(bound, "slice index");
  if (position < 0) {
    position = position < -length ? -1 : position + length;
    return position < lowest ? lowest : position;
  }
  return position > highest ? highest : position;
}

/// The positions that a slice selects.
struct SliceRange {
  std::int64_t start;
  std::int64_t step;
  std::int64_t count;
};

SliceRange resolve_slice(std::int64_t length, const Value& start, const Value& stop,
                         const Value& step_value) {
  const std::int64_t step = step_value.is_none() ? 1 : require_integer(step_value, "slice step");
  if (step == 0) {
    fail("slice step cannot be zero");
  }
  const std::int64_t lowest = step > 0 ? 0 : -1;
  const std::int64_t highest = step > 0 ? length : length - 1;
  const std::int64_t first =
      start.is_none() ? (step > 0 ? lowest : highest) : clamp_bound(start, length, lowest, highest);
  const std::int64_t last =
      stop.is_none() ? (step > 0 ? highest : lowest) : clamp_bound(stop, length, lowest, highest);
  const std::int64_t distance = step > 0 ? last - first : first - last;
  if (distance <= 0) {
    return {0, 1, 0};
  }
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const std::uint64_t count = (static_cast<std::uint64_t>(distance) - 1) / stride + 1;
  return {first, count == 1 ? 1 : step, static_cast<std::int64_t>(count)};
}

Value slice_text(Heap& heap, const StringObject& text, SliceRange range) {
  const auto first = static_cast<std::uint64_t>(range.start);
  if (range.step == 1) {
    heap.budget().read_bytes(text.text().size());
    return Value::string(heap,
                         substring(text, first, first + static_cast<std::uint64_t>(range.count)));
  }
  // The offsets of all characters, so that the slice can take them in any order.
  heap.budget().step(text.text().size() / 8);
  heap.budget().charge(text.length() * sizeof(std::size_t));
  std::vector<std::size_t> offsets;
  offsets.reserve(text.length());
  for (std::size_t at = 0; at < text.text().size();) {
    offsets.push_back(at);
    at += code_point_at(text.text(), at).num_bytes;
  }
  TextBuilder out(heap);
  for (std::int64_t i = 0; i < range.count; ++i) {
    const std::size_t at = offsets[static_cast<std::size_t>(range.start + i * range.step)];
    out.append(text.text().substr(at, code_point_at(text.text(), at).num_bytes));
  }
  heap.budget().release(text.length() * sizeof(std::size_t));
  return out.finish();
}

}  // namespace

std::string_view substring(const StringObject& text, std::uint64_t begin, std::uint64_t end) {
  const std::string_view bytes = text.text();
  if (text.is_ascii()) {
    return bytes.substr(begin, end - begin);
  }
  const std::size_t first = offset_of(bytes, begin);
  return bytes.substr(first, offset_of(bytes.substr(first), end - begin));
}

std::optional<Value> item(Heap& heap, const Value& value, const Value& key) {
  if (value.is_dict()) {
    if (key.is_dict() || (key.is_list() && !key.list().is_tuple())) {
      return std::nullopt;
    }
    const Value* found = value.dict().find(key);
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  if (!key.is_integral() || !(value.is_list() || value.is_string() || value.is_range())) {
    return std::nullopt;
  }
  const auto length = static_cast<std::int64_t>(*value.length());
  std::int64_t position = key.as_integer();
  if (position < -length || position >= length) {
    return std::nullopt;
  }
  position += position < 0 ? length : 0;
  const auto index = static_cast<std::uint64_t>(position);
  if (value.is_list()) {
    return value.list().items()[index];
  }
  if (value.is_range()) {
    return Value::integer(value.range().at(index));
  }
  heap.budget().read_bytes(value.text().size());
  return Value::string(heap, substring(value.string(), index, index + 1));
}

Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
            const Value& step) {
  if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  if (!value.is_string() && !value.is_list() && !value.is_range()) {
    fail("'{}' object cannot be sliced", value.type_name());
  }
  const SliceRange range =
      resolve_slice(static_cast<std::int64_t>(*value.length()), start, stop, step);
  if (value.is_string()) {
    return slice_text(heap, value.string(), range);
  }
  heap.budget().read_elements(static_cast<std::uint64_t>(range.count));
  Ref<ListObject> result =
      heap.make<ListObject>(value.is_list() ? value.list().form() : ListForm::kList);
  for (std::int64_t i = 0; i < range.count; ++i) {
    const auto index = static_cast<std::uint64_t>(range.start + i * range.step);
    result->append(value.is_list() ? value.list().items()[index]
                                   : Value::integer(value.range().at(index)));
  }
  return Value(std::move(result));
}

}  // namespace vernal::jinja
