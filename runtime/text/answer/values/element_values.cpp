#include "text/answer/values/element_values.hpp"

#include <cstddef>

#include "text/answer/offered_tools.hpp"
#include "text/answer/values/json_text.hpp"

namespace vernal {
namespace {

// Elements further down are text.
constexpr std::size_t kMostElementDepth = 64;

/// Elements one after the other.
class Elements {
 public:
  Elements(std::string_view text, const std::string& prefix) : rest_(text), prefix_(prefix) {}

  /// The whole text, or a leaf's value if it holds no elements.
  std::string to_json(std::size_t depth) {
    const std::size_t first = rest_.find(prefix_ + "<");
    if (first == std::string_view::npos || depth > kMostElementDepth) return leaf(rest_);
    std::string out;
    bool is_list = false;
    while (true) {
      const std::size_t begin = rest_.find(prefix_ + "<");
      if (begin == std::string_view::npos) break;
      rest_.remove_prefix(begin + prefix_.size() + 1);
      const std::size_t name_end = rest_.find('>');
      if (name_end == std::string_view::npos) break;
      const std::string name(rest_.substr(0, name_end));
      rest_.remove_prefix(name_end + 1);
      const std::string inner(take_inner(name));
      is_list = out.empty() ? name == "item" : is_list;
      out += out.empty() ? "" : ",";
      if (!is_list) out += json_string(name) + ":";
      out += Elements(inner, prefix_).to_json(depth + 1);
    }
    return is_list ? "[" + out + "]" : "{" + out + "}";
  }

 private:
  static std::string leaf(std::string_view text) {
    return value_to_json(text, {.is_declared = true});
  }

  /// Up to the tag that closes `name`, which may stand in itself.
  std::string_view take_inner(const std::string& name) {
    const std::string open = prefix_ + "<" + name + ">";
    const std::string close = prefix_ + "</" + name + ">";
    std::size_t depth = 1;
    std::size_t at = 0;
    while (true) {
      const std::size_t next_close = rest_.find(close, at);
      const std::size_t next_open = rest_.find(open, at);
      if (next_close == std::string_view::npos) break;
      if (next_open < next_close) {
        ++depth;
        at = next_open + open.size();
        continue;
      }
      at = next_close + close.size();
      if (--depth > 0) continue;
      const std::string_view inner = rest_.substr(0, next_close);
      rest_.remove_prefix(at);
      return inner;
    }
    const std::string_view inner = rest_;
    rest_ = {};
    return inner;
  }

  std::string_view rest_;
  const std::string& prefix_;
};

}  // namespace

std::string elements_to_json(std::string_view text, const std::string& prefix) {
  return Elements(text, prefix).to_json(0);
}

}  // namespace vernal
