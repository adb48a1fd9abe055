// How a grammar is to be read.
#pragma once

#include <cstdint>

namespace vernal::grammar {

enum class PropertyOrder : std::uint8_t {
  kSchema,  ///< declared properties come in the order of the schema, others after them
  kAny,
};

enum class AdditionalProperties : std::uint8_t {
  kClosed,  ///< a schema that has `properties` and says nothing about others allows no others
  kSpec,    ///< it allows them, as the specification says
};

enum class Whitespace : std::uint8_t {
  kCompact,  ///< none
  kSpaced,   ///< one space after ',' and ':'
  kAny,      ///< per gap: nothing, a space, or a newline and up to 64 blanks; none around the value
};

enum class NumberSpelling : std::uint8_t {
  kPlain,  ///< integers have neither point nor exponent
  kAll,    ///< an integer may be written 5.0
};

struct GrammarOptions {
  PropertyOrder order = PropertyOrder::kSchema;
  AdditionalProperties additional = AdditionalProperties::kClosed;
  Whitespace whitespace = Whitespace::kAny;
  NumberSpelling numbers = NumberSpelling::kPlain;
  /// Refuse what would be relaxed with a warning.
  bool strict = false;
  /// Hold strings to `format`.
  bool asserts_formats = true;

  bool operator==(const GrammarOptions&) const = default;
};

}  // namespace vernal::grammar
