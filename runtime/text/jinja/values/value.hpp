// The values that a template computes with. They are Python's, as far as chat templates need them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/values/heap.hpp"

namespace vernal::jinja {

class Interpreter;
class Value;
class StringObject;
class ListObject;
class DictObject;
class RangeObject;
class NativeObject;

enum class Kind : std::uint8_t {
  kUndefined,
  kNone,
  kBoolean,
  kInteger,
  kFloat,
  kString,
  kList,  // list or tuple
  kDict,
  kRange,
  kNative,  // functions, macros, namespaces, loops
};

/// One value: a scalar, or a counted reference to an object of the rendering's heap. Integers have
/// 64 bits; an overflow fails. A number of the inputs also has the text that it was written with, and
/// is printed with it; longer integers are floats to calculations. Copies of a list, mapping or
/// namespace refer to the same object.
class Value {
 public:
  /// Undefined, without a message.
  Value() noexcept : payload_{.integer = 0} {}
  Value(const Value& other) noexcept
      : kind_(other.kind_), written_(other.written_), payload_(other.payload_) {
    if (Object* held = object()) {
      held->add_reference();
    }
  }
  Value(Value&& other) noexcept
      : kind_(std::exchange(other.kind_, Kind::kNone)),
        written_(other.written_),
        payload_(other.payload_) {}
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(written_, other.written_);
    std::swap(payload_, other.payload_);
    return *this;
  }
  ~Value() {
    if (Object* held = object()) {
      held->remove_reference();
    }
  }

  static Value none() noexcept { return {Kind::kNone, {.integer = 0}}; }
  static Value boolean(bool value) noexcept { return {Kind::kBoolean, {.integer = value}}; }
  static Value integer(std::int64_t value) noexcept { return {Kind::kInteger, {.integer = value}}; }
  static Value number(double value) noexcept { return {Kind::kFloat, {.number = value}}; }
  /// The number that stands in a JSON document as `text`.
  static Value written_number(Heap& heap, std::string_view text);
  /// Undefined. An error that its use raises has the message `why`: `"x" is undefined`.
  static Value undefined(Heap& heap, std::string why);
  static Value string(Heap& heap, std::string_view text);

  explicit Value(Ref<StringObject> object) noexcept;
  explicit Value(Ref<ListObject> object) noexcept;
  explicit Value(Ref<DictObject> object) noexcept;
  explicit Value(Ref<RangeObject> object) noexcept;
  explicit Value(Ref<NativeObject> object) noexcept;

  Kind kind() const noexcept { return kind_; }
  bool is_undefined() const noexcept { return kind_ == Kind::kUndefined; }
  bool is_none() const noexcept { return kind_ == Kind::kNone; }
  bool is_boolean() const noexcept { return kind_ == Kind::kBoolean; }
  bool is_integer() const noexcept { return kind_ == Kind::kInteger; }
  bool is_float() const noexcept { return kind_ == Kind::kFloat; }
  bool is_string() const noexcept { return kind_ == Kind::kString; }
  bool is_list() const noexcept { return kind_ == Kind::kList; }
  bool is_dict() const noexcept { return kind_ == Kind::kDict; }
  bool is_range() const noexcept { return kind_ == Kind::kRange; }
  bool is_native() const noexcept { return kind_ == Kind::kNative; }
  /// An integer or a boolean, which counts as 0 or 1.
  bool is_integral() const noexcept { return is_integer() || is_boolean(); }
  bool is_number() const noexcept { return is_integral() || is_float(); }

  // To be called only for values of the kind that the function names.
  std::int64_t as_integer() const noexcept { return payload_.integer; }
  double as_double() const noexcept {
    return is_float() ? payload_.number : static_cast<double>(payload_.integer);
  }
  /// The text that a number of the inputs was written with; nothing for other numbers.
  std::optional<std::string_view> written_text(const Heap& heap) const;
  std::string_view text() const noexcept;
  const StringObject& string() const noexcept;
  ListObject& list() const noexcept;
  DictObject& dict() const noexcept;
  RangeObject& range() const noexcept;
  NativeObject& native() const noexcept;

  /// The object that the value refers to; null for a scalar.
  Object* object() const noexcept { return holds_object() ? payload_.object : nullptr; }

  bool truthy() const noexcept;
  /// The name of the type in Python: "str", "NoneType".
  std::string_view type_name() const noexcept;
  /// The message of an error that the use of this undefined value raises.
  std::string_view why_undefined() const noexcept;
  /// The number of characters, elements or keys; nothing for values without a length.
  std::optional<std::uint64_t> length() const noexcept;

 private:
  union Payload {
    std::int64_t integer;
    double number;
    Object* object;
  };

  Value(Kind kind, Payload payload) noexcept : kind_(kind), payload_(payload) {}

  bool holds_object() const noexcept {
    return kind_ >= Kind::kString || (kind_ == Kind::kUndefined && payload_.object != nullptr);
  }

  Kind kind_ = Kind::kUndefined;
  std::uint32_t written_ = 0;  // of a number: Heap::number_text() of it, or 0
  Payload payload_;
};

/// Arguments of a call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// An immutable text in UTF-8. Positions and lengths that a template sees count code points.
class StringObject final : public Object {
 public:
  explicit StringObject(std::string text, bool is_safe = false)
      : text_(std::move(text)), is_safe_(is_safe) {}

  /// Whether the text went through `safe` or `escape`. Other text that is added to it is escaped
  /// for HTML.
  bool is_safe() const noexcept { return is_safe_; }

  std::string_view text() const noexcept { return text_; }
  /// The number of code points. It is counted once.
  std::uint64_t length() const noexcept;
  bool is_ascii() const noexcept { return length() == text_.size(); }

  /// A string with `text`, which is charged.
  static Ref<StringObject> make(Heap& heap, std::string text, bool is_safe = false);

 private:
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  std::string text_;
  bool is_safe_;
  mutable std::uint64_t length_ = kUnknown;
};

/// What a list is in Python. Messages, tests and JSON show the difference.
enum class ListForm : std::uint8_t {
  kList,
  kTuple,
  kView,       // keys, values or items of a mapping
  kGenerator,  // made by map, select and others: true even if empty, no sequence, no JSON
};

/// A list, or a value that behaves like one.
class ListObject final : public Object {
 public:
  explicit ListObject(ListForm form = ListForm::kList) : form_(form) {}

  ListForm form() const noexcept { return form_; }
  bool is_tuple() const noexcept { return form_ == ListForm::kTuple; }
  const std::vector<Value>& items() const noexcept { return items_; }
  std::uint64_t size() const noexcept { return items_.size(); }

  void append(Value item);
  void insert(std::uint64_t position, Value item);
  void erase(std::uint64_t position);
  void clear();
  void reverse() noexcept;
  void swap_items(ListObject& other) noexcept;
  void drop_references() override { items_.clear(); }

 private:
  std::vector<Value> items_;
  ListForm form_;
};

/// A mapping in the order of insertion. Keys are values that hash_of() accepts.
class DictObject final : public Object {
 public:
  struct Entry {
    Value key;
    Value value;
    std::uint64_t hash;
  };

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  std::uint64_t size() const noexcept { return entries_.size(); }

  /// The value of a key, or null. It is valid until the mapping changes.
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  /// Adds or replaces.
  void set(const Value& key, Value value);
  /// Removes a key if it is there.
  void erase(const Value& key);
  void clear();
  void drop_references() override { entries_.clear(); }

 private:
  template <class Matches>
  std::optional<std::uint64_t> position_of(std::uint64_t hash, const Matches& matches) const;
  std::optional<std::uint64_t> position_of(const Value& key) const;
  void index_entry(std::uint64_t position);
  void rebuild_index();

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // open addressing: positions in entries_ plus 1; empty if few
};

/// An arithmetic sequence, as range() makes it.
class RangeObject final : public Object {
 public:
  /// `step` is not 0. Throws Fault if there are more than kMaxLength elements.
  RangeObject(std::int64_t start, std::int64_t stop, std::int64_t step);

  static constexpr std::uint64_t kMaxLength = 100'000;

  std::int64_t start() const noexcept { return start_; }
  std::int64_t stop() const noexcept { return stop_; }
  std::int64_t step() const noexcept { return step_; }
  std::uint64_t size() const noexcept { return size_; }
  /// position < size()
  std::int64_t at(std::uint64_t position) const noexcept {
    return start_ + static_cast<std::int64_t>(position) * step_;
  }

 private:
  std::int64_t start_;
  std::int64_t stop_;
  std::int64_t step_;
  std::uint64_t size_ = 0;
};

/// A value whose behaviour is written in C++, or by a macro of the template.
class NativeObject : public Object {
 public:
  /// The type for messages: "Namespace", "Macro".
  virtual std::string_view type_name() const noexcept = 0;
  virtual bool is_callable() const noexcept { return false; }
  /// Calls the value. The default fails.
  virtual Value call(Interpreter& interpreter, const Arguments& arguments);
  /// The attribute of that name; nothing if there is none.
  virtual std::optional<Value> attribute(Interpreter& interpreter, std::string_view name);
};

/// `namespace(...)`: attributes that a template may assign to from any scope.
class NamespaceObject final : public NativeObject {
 public:
  std::string_view type_name() const noexcept override { return "Namespace"; }
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  void drop_references() override { attributes_ = {}; }

  Ref<DictObject> attributes() const { return attributes_; }
  void set_attributes(Ref<DictObject> attributes) { attributes_ = std::move(attributes); }

 private:
  Ref<DictObject> attributes_;
};

/// Goes through the elements of a value. Values that cannot be iterated fail with Python's message.
class Iteration {
 public:
  explicit Iteration(Value iterable);

  /// The next element; nothing at the end.
  std::optional<Value> next();
  /// The number of all elements.
  std::uint64_t size() const noexcept;

 private:
  Value iterable_;
  std::uint64_t position_ = 0;  // byte of a string, index of anything else
};

}  // namespace vernal::jinja
