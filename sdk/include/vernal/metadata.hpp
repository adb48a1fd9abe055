// The metadata of a model file as an architecture plugin reads it. Errors name the key, what was
// expected and what was found.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/error.hpp"
#include "vernal/module.hpp"
#include "vernal/tables.hpp"

namespace vernal {

/// Inclusive bounds of an integer from a file.
struct IntRange {
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};

/// Inclusive bounds of a finite number from a file.
struct FloatRange {
  double minimum = std::numeric_limits<double>::lowest();
  double maximum = std::numeric_limits<double>::max();
};

/// An entry of the file's tensor directory.
struct TensorInfo {
  std::string format;  // "ggml.q4_k/1"
  Shape shape;         // logical, row-major: [N, K] for a linear
  std::uint64_t bytes = 0;
};

/// "[832, 256]". Dimensions known only at a step are shown as letters: "[T, 256]".
inline std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::uint32_t i = 0; i < shape.rank; ++i) {
    if (i > 0) text += ", ";
    switch (shape.dims[i]) {
      case VERNAL_DIM_TOKENS:
        text += "T";
        break;
      case VERNAL_DIM_SEQUENCES:
        text += "S";
        break;
      case VERNAL_DIM_ROWS:
        text += "R";
        break;
      case VERNAL_DIM_EXTERNAL:
        text += "X";
        break;
      default:
        text += std::to_string(shape.dims[i]);
    }
  }
  return text + "]";
}

/// Read access to a file's keys and tensor directory. A find_* function returns nothing for an
/// absent key; a require_* function throws.
///   Thread     control
///   Lifetime   the call it was passed to; results are copies
///   Errors     INVALID_ARGUMENT: the key has another type, or a value out of bounds
///              NOT_FOUND: require_* of an absent key
class Metadata {
 public:
  explicit Metadata(vernal_metadata_ref ref)
      : metadata_(ref.metadata), api_(adopt_table(ref.api, "vernal_metadata_api")) {}

  /// The value of a key. A number outside `range`, or one that is not finite, is refused.
  /// find_float converts integers.
  std::optional<std::int64_t> find_int(std::string_view key, IntRange range = {}) const {
    std::int64_t value = 0;
    if (!found(api_.get_int(metadata_, to_str(key), &value), key, "an integer"))
      return std::nullopt;
    return checked(key, value, range);
  }
  std::optional<double> find_float(std::string_view key, FloatRange range = {}) const {
    double value = 0;
    if (!found(api_.get_float(metadata_, to_str(key), &value), key, "a number"))
      return std::nullopt;
    return checked(key, value, range);
  }
  std::optional<bool> find_bool(std::string_view key) const {
    std::uint32_t value = 0;
    if (!found(api_.get_bool(metadata_, to_str(key), &value), key, "a bool")) return std::nullopt;
    return value != 0;
  }
  std::optional<std::string> find_string(std::string_view key) const {
    vernal_str value{};
    if (!found(api_.get_string(metadata_, to_str(key), &value), key, "a string"))
      return std::nullopt;
    return std::string(view(value));
  }

  /// An array of integers or bools; bools become 0 and 1. An array of more than `max_elements` is
  /// refused before it is read.
  std::optional<std::vector<std::int64_t>> find_ints(
      std::string_view key, std::uint64_t max_elements = kMaxElements) const {
    const auto count = array_size(key, max_elements);
    if (!count) return std::nullopt;
    std::vector<std::int64_t> values(*count);
    for (std::uint64_t i = 0; i < *count; ++i) {
      found(api_.array_int(metadata_, to_str(key), i, &values[i]), key, "an array of integers");
    }
    return values;
  }
  std::optional<std::vector<double>> find_floats(std::string_view key,
                                                 std::uint64_t max_elements = kMaxElements) const {
    const auto count = array_size(key, max_elements);
    if (!count) return std::nullopt;
    std::vector<double> values(*count);
    for (std::uint64_t i = 0; i < *count; ++i) {
      found(api_.array_float(metadata_, to_str(key), i, &values[i]), key, "an array of numbers");
      checked(key, values[i], {});
    }
    return values;
  }

  std::int64_t require_int(std::string_view key, IntRange range = {}) const {
    return required(key, find_int(key, range));
  }
  double require_float(std::string_view key, FloatRange range = {}) const {
    return required(key, find_float(key, range));
  }
  std::string require_string(std::string_view key) const { return required(key, find_string(key)); }

  /// Whether the key exists and is an array.
  bool is_array(std::string_view key) const {
    std::uint64_t count = 0;
    return api_.array_size(metadata_, to_str(key), &count) == VERNAL_OK;
  }

  /// The entry of a tensor by its name in the file, "blk.0.attn_q.weight".
  std::optional<TensorInfo> find_tensor(std::string_view name) const {
    vernal_weight_view tensor{};
    tensor.struct_size = sizeof(tensor);
    if (!found(api_.tensor(metadata_, to_str(name), &tensor), name, "a tensor"))
      return std::nullopt;
    return TensorInfo{std::string(view(tensor.format)),
                      detail::read_shape(tensor.dims, tensor.rank), tensor.bytes};
  }
  bool has_tensor(std::string_view name) const { return find_tensor(name).has_value(); }

 private:
  static constexpr std::uint64_t kMaxElements = 65'536;

  [[noreturn]] static void fail(std::int32_t code, std::string_view key, const std::string& what) {
    throw Error(code, "metadata key \"" + std::string(key) + "\": " + what);
  }

  static bool found(std::int32_t status, std::string_view key, const char* expected) {
    if (status == VERNAL_OK) return true;
    if (status == VERNAL_NOT_FOUND) return false;
    if (status == VERNAL_INVALID_ARGUMENT) {
      fail(status, key, std::string("expected ") + expected + ", found another type");
    }
    fail(status, key, std::string(status_name(status)));
  }

  static std::string number_text(double value) {
    char text[32];
    const int length = std::snprintf(text, sizeof(text), "%.9g", value);
    return std::string(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  }

  static std::int64_t checked(std::string_view key, std::int64_t value, IntRange range) {
    if (value >= range.minimum && value <= range.maximum) return value;
    fail(VERNAL_INVALID_ARGUMENT, key,
         "expected " + std::to_string(range.minimum) + " to " + std::to_string(range.maximum) +
             ", found " + std::to_string(value));
  }

  static double checked(std::string_view key, double value, FloatRange range) {
    if (std::isfinite(value) && value >= range.minimum && value <= range.maximum) return value;
    fail(VERNAL_INVALID_ARGUMENT, key,
         "expected a number from " + number_text(range.minimum) + " to " +
             number_text(range.maximum) + ", found " + number_text(value));
  }

  template <class T>
  static T required(std::string_view key, std::optional<T> value) {
    if (!value) fail(VERNAL_NOT_FOUND, key, "the model file lacks this key");
    return *std::move(value);
  }

  std::optional<std::uint64_t> array_size(std::string_view key, std::uint64_t max_elements) const {
    std::uint64_t count = 0;
    if (!found(api_.array_size(metadata_, to_str(key), &count), key, "an array"))
      return std::nullopt;
    if (count > max_elements) {
      fail(VERNAL_INVALID_ARGUMENT, key,
           "expected at most " + std::to_string(max_elements) + " elements, found " +
               std::to_string(count));
    }
    return count;
  }

  const vernal_metadata* metadata_;
  vernal_metadata_api api_;
};

}  // namespace vernal
