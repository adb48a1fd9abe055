// The arguments of a call in tags, as a JSON object.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "text/answer/answer_syntax.hpp"
#include "text/answer/delta_sink.hpp"
#include "text/answer/offered_tools.hpp"

namespace vernal {

/// Writes arguments as members of an object. A value that is a text is handed out as it comes,
/// another one when it is whole. Borrows the sink and the form. One thread.
class TagArguments {
 public:
  TagArguments(DeltaSink& sink, const TagForm& form) noexcept : sink_(sink), form_(form) {}

  void begin() { sink_.arguments("{"); }
  void end() { sink_.arguments("}"); }

  void begin_value(std::string_view key, const ParameterType& type);
  /// Bytes of the value.
  void put(std::string_view bytes);
  /// The value is whole. A line break at its end is layout if the form has such.
  void end_value();
  /// The text ended in the value.
  void cut_value();

  /// Whether an argument of that name was written.
  bool has(std::string_view key) const { return written_keys_.contains(key); }
  /// Whether the value has no byte yet, or a line feed as its last one.
  bool is_at_line_start() const noexcept { return is_at_line_start_; }

 private:
  std::string member_begin();
  void put_now(char byte);
  void flush();

  DeltaSink& sink_;
  const TagForm& form_;
  std::set<std::string, std::less<>> written_keys_;

  std::string key_;
  ParameterType type_;
  bool is_text_ = false;
  std::string value_;    // of a type that is written whole
  std::string held_;     // a line break, which may be the layout at the end
  std::string written_;  // as JSON, for now
  bool is_at_line_start_ = false;
};

}  // namespace vernal
