// Finds what "$ref" names.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace vernal::grammar {

/// How old a schema is decides what some keywords mean.
enum class Draft : std::uint8_t {
  kOld,       ///< 3 and 4: "id"
  kSeven,     ///< 6 and 7: "$id"; nothing counts beside "$ref"
  kModern,    ///< 2019-09 and later
  kUnstated,  ///< like kModern, with the keywords that went away
};

Draft draft_of(const boost::json::value& schema);

/// A place in a document, and the address that references in it are relative to.
struct SchemaPlace {
  const boost::json::value* value = nullptr;
  std::string base;
};

/// The addresses that a document gives its parts. The document must outlive it.
class ReferenceIndex {
 public:
  ReferenceIndex(const boost::json::value& root, Draft draft);

  /// The place that `reference` means within `base`; no value if it is outside the document.
  SchemaPlace find(std::string_view base, std::string_view reference) const;
  /// The base of what lies in `schema`, itself within `base`.
  std::string base_of(const boost::json::value& schema, const std::string& base) const;

 private:
  void collect(const boost::json::value& value, const std::string& base, int depth);
  SchemaPlace follow(SchemaPlace place, std::string_view pointer) const;

  Draft draft_;
  std::map<std::string, SchemaPlace, std::less<>> resources_;  // by address without fragment
  std::map<std::string, SchemaPlace, std::less<>> anchors_;    // by address#name
};

/// RFC 3986, section 5.2, without a fragment.
std::string resolve_address(std::string_view base, std::string_view reference);

}  // namespace vernal::grammar
