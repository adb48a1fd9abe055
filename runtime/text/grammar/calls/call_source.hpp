// How the calls of tools are written, as a grammar is made from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/grammar/value_kinds.hpp"

namespace vernal::grammar {

/// A piece of what stands around the arguments of a call.
struct CallPart {
  enum class Kind : std::uint8_t {
    kText,       ///< these bytes; control tokens are control_bytes() (mask/vocabulary.hpp)
    kPattern,    ///< a regular expression that matches the whole piece
    kArguments,  ///< the arguments
  };
  Kind kind = Kind::kText;
  std::string text{};

  bool operator==(const CallPart&) const = default;
};

enum class ArgumentForm : std::uint8_t {
  kJson,      ///< a JSON object
  kPython,    ///< keys and values one after the other, the values as Python writes them
  kTags,      ///< the same in tags; strings are as they are, up to the text behind the value
  kMarked,    ///< strings between marks, bare keys
  kElements,  ///< each key and each item is a tag with a mark before it
};

/// What stands before a value that is of one of these kinds.
struct TypedText {
  ValueKinds kinds = kAllValues;
  std::string text{};

  bool operator==(const TypedText&) const = default;
};

/// What stands between keys and values, for all forms but kJson.
struct KeyedForm {
  std::string before_key{};
  std::string before_value{};
  std::string before_string{};  ///< in place of before_value; empty: the same
  /// kTags: in place of before_value, for all kinds but strings. Empty: the same for all.
  std::vector<TypedText> before_typed{};
  std::string after_value{};
  std::string between{};             ///< between a value with what follows it and the next key
  std::vector<std::string> marks{};  ///< kTags: what must not stand in a string
  std::string string_mark{};         ///< kMarked
  std::string element_mark{};        ///< kElements: before each tag

  bool operator==(const KeyedForm&) const = default;
};

/// A tool and the text of one call of it.
struct CalledTool {
  std::string name{};
  std::string schema{};  ///< of the arguments: a JSON Schema, of which objects count
  std::vector<CallPart> parts{};
  /// kTags, kElements: the keys whose values are strings whatever they look like. Other strings must not look
  /// like a literal, or they would be read as one.
  std::vector<std::string> text_keys{};

  bool operator==(const CalledTool&) const = default;
};

/// One call, or several if `is_list`.
struct CallSource {
  std::vector<CallPart> preamble{};  ///< may come first, any number of times
  std::string open{};                ///< before the first call
  std::vector<CalledTool> tools{};   ///< at least one
  CallPart gap{};                    ///< between two calls
  bool gap_is_blank = false;         ///< white space, which may also come behind the last one
  std::string close{};               ///< behind the last
  bool is_list = true;
  ArgumentForm form = ArgumentForm::kJson;
  KeyedForm keyed{};

  bool operator==(const CallSource&) const = default;
};

}  // namespace vernal::grammar
