#include "text/jinja/values/value.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "text/exact_json.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/values/compare.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

std::string_view name_of(ListForm form) {
  switch (form) {
    case ListForm::kList:
      return "list";
    case ListForm::kTuple:
      return "tuple";
    case ListForm::kView:
      return "dict view";
    case ListForm::kGenerator:
      return "generator";
  }
  return "list";
}

}  // namespace

Value::Value(Ref<StringObject> object) noexcept
    : kind_(Kind::kString), payload_{.object = object.release()} {}
Value::Value(Ref<ListObject> object) noexcept
    : kind_(Kind::kList), payload_{.object = object.release()} {}
Value::Value(Ref<DictObject> object) noexcept
    : kind_(Kind::kDict), payload_{.object = object.release()} {}
Value::Value(Ref<RangeObject> object) noexcept
    : kind_(Kind::kRange), payload_{.object = object.release()} {}
Value::Value(Ref<NativeObject> object) noexcept
    : kind_(Kind::kNative), payload_{.object = object.release()} {}

Value Value::undefined(Heap& heap, std::string why) {
  return {Kind::kUndefined, {.object = StringObject::make(heap, std::move(why)).release()}};
}

Value Value::string(Heap& heap, std::string_view text) {
  heap.budget().charge(text.size());  // fails before the copy below takes memory
  heap.budget().release(text.size());
  return Value(StringObject::make(heap, std::string(text)));
}

Value Value::written_number(Heap& heap, std::string_view text) {
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
  const bool is_integer = error == std::errc() && end == text.data() + text.size();
  Value value = is_integer ? Value::integer(integer) : Value::number(double_of(text));
  value.written_ = heap.keep_number_text(text);
  return value;
}

std::optional<std::string_view> Value::written_text(const Heap& heap) const {
  return written_ == 0 ? std::nullopt : std::optional(heap.number_text(written_));
}

std::string_view Value::text() const noexcept { return string().text(); }

const StringObject& Value::string() const noexcept {
  return static_cast<const StringObject&>(*payload_.object);
}

ListObject& Value::list() const noexcept { return static_cast<ListObject&>(*payload_.object); }

DictObject& Value::dict() const noexcept { return static_cast<DictObject&>(*payload_.object); }

RangeObject& Value::range() const noexcept { return static_cast<RangeObject&>(*payload_.object); }

NativeObject& Value::native() const noexcept {
  return static_cast<NativeObject&>(*payload_.object);
}

bool Value::truthy() const noexcept {
  switch (kind_) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBoolean:
    case Kind::kInteger:
      return payload_.integer != 0;
    case Kind::kFloat:
      return payload_.number != 0;
    case Kind::kString:
      return !text().empty();
    case Kind::kList:
      return list().size() != 0 || list().form() == ListForm::kGenerator;
    case Kind::kDict:
      return dict().size() != 0;
    case Kind::kRange:
      return range().size() != 0;
    case Kind::kNative:
      return true;
  }
  return true;
}

std::string_view Value::type_name() const noexcept {
  switch (kind_) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBoolean:
      return "bool";
    case Kind::kInteger:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "str";
    case Kind::kList:
      return name_of(list().form());
    case Kind::kDict:
      return "dict";
    case Kind::kRange:
      return "range";
    case Kind::kNative:
      return native().type_name();
  }
  return "object";
}

std::string_view Value::why_undefined() const noexcept {
  return payload_.object == nullptr ? std::string_view("the value is undefined") : text();
}

std::optional<std::uint64_t> Value::length() const noexcept {
  switch (kind_) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      return string().length();
    case Kind::kList:
      return list().size();
    case Kind::kDict:
      return dict().size();
    case Kind::kRange:
      return range().size();
    default:
      return std::nullopt;
  }
}

std::uint64_t StringObject::length() const noexcept {
  if (length_ == kUnknown) {
    length_ = count_code_points(text_);
  }
  return length_;
}

Ref<StringObject> StringObject::make(Heap& heap, std::string text, bool is_safe) {
  Ref<StringObject> made = heap.make<StringObject>(std::move(text), is_safe);
  made->grow(made->text_.capacity());
  return made;
}

void ListObject::append(Value item) {
  if (items_.size() == items_.capacity()) {
    const std::uint64_t added = std::max<std::uint64_t>(4, items_.size());
    grow(added * sizeof(Value));
    items_.reserve(items_.size() + added);
  }
  items_.push_back(std::move(item));
}

void ListObject::insert(std::uint64_t position, Value item) {
  append(std::move(item));
  heap().budget().read_elements(size());
  std::rotate(items_.begin() + static_cast<std::ptrdiff_t>(position), items_.end() - 1,
              items_.end());
}

void ListObject::erase(std::uint64_t position) {
  heap().budget().read_elements(size());
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(position));
}

void ListObject::clear() { items_.clear(); }

void ListObject::reverse() noexcept { std::reverse(items_.begin(), items_.end()); }

void ListObject::swap_items(ListObject& other) noexcept { items_.swap(other.items_); }

RangeObject::RangeObject(std::int64_t start, std::int64_t stop, std::int64_t step)
    : start_(start), stop_(stop), step_(step) {
  // The difference of unsigned numbers is exact, even if the ends are far apart.
  const auto first = static_cast<std::uint64_t>(start);
  const auto last = static_cast<std::uint64_t>(stop);
  const auto stride = static_cast<std::uint64_t>(step);
  if (step > 0 && start < stop) {
    size_ = (last - first - 1) / stride + 1;
  } else if (step < 0 && start > stop) {
    size_ = (first - last - 1) / (0 - stride) + 1;
  }
  if (size_ > kMaxLength) {
    fail_limit("range has {} elements; at most {} are allowed", size_, kMaxLength);
  }
}

Value NativeObject::call(Interpreter& /*interpreter*/, const Arguments& /*arguments*/) {
  fail("'{}' object is not callable", type_name());
}

std::optional<Value> NativeObject::attribute(Interpreter& /*interpreter*/,
                                             std::string_view /*name*/) {
  return std::nullopt;
}

std::optional<Value> NamespaceObject::attribute(Interpreter& /*interpreter*/,
                                                std::string_view name) {
  const Value* found = attributes_->find(name);
  return found == nullptr ? std::nullopt : std::optional<Value>(*found);
}

Iteration::Iteration(Value iterable) : iterable_(std::move(iterable)) {
  if (!iterable_.length().has_value()) {
    fail("'{}' object is not iterable", iterable_.type_name());
  }
}

std::uint64_t Iteration::size() const noexcept { return *iterable_.length(); }

std::optional<Value> Iteration::next() {
  switch (iterable_.kind()) {
    case Kind::kString: {
      const std::string_view text = iterable_.text();
      if (position_ >= text.size()) {
        return std::nullopt;
      }
      const std::size_t num_bytes = code_point_at(text, position_).num_bytes;
      Value character = Value::string(iterable_.string().heap(), text.substr(position_, num_bytes));
      position_ += num_bytes;
      return character;
    }
    case Kind::kList: {
      const std::vector<Value>& items = iterable_.list().items();
      return position_ < items.size() ? std::optional(items[position_++]) : std::nullopt;
    }
    case Kind::kDict: {
      const std::vector<DictObject::Entry>& entries = iterable_.dict().entries();
      return position_ < entries.size() ? std::optional(entries[position_++].key) : std::nullopt;
    }
    case Kind::kRange: {
      const RangeObject& range = iterable_.range();
      return position_ < range.size() ? std::optional(Value::integer(range.at(position_++)))
                                      : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace vernal::jinja
