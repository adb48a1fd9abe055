// What /openapi.json says of a request: its members, and the words that one of them may be.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "openai_http/server/api_description.hpp"
#include "openai_http/server/routes.hpp"

namespace vernal::openai_http::testing {

/// The description of the API, as clients get it.
inline const boost::json::value& api_document() {
  static const boost::json::value document = boost::json::parse(describe_api(all_endpoints()));
  return document;
}

/// Schemas that all speak of one place in a request: references are followed, and of allOf and anyOf
/// every branch is one. Views of api_document().
class DescribedPlace {
 public:
  /// The body of POST `path`.
  explicit DescribedPlace(std::string_view path) {
    const auto& item = api_document().at("paths").at({path.data(), path.size()});
    add(item.at("post").at("requestBody").at("content").at("application/json").at("schema"));
  }

  /// The member of that name, or with "*" the elements of an array. Empty: nothing is said of it.
  DescribedPlace at(std::string_view name) const {
    DescribedPlace out;
    for (const boost::json::object* const schema : schemas_) {
      if (name == "*") {
        if (const auto* const items = schema->if_contains("items")) out.add(*items);
        continue;
      }
      const auto* const properties = schema->if_contains("properties");
      const auto* const member =
          properties == nullptr ? nullptr
                                : properties->as_object().if_contains({name.data(), name.size()});
      if (member != nullptr) out.add(*member);
    }
    return out;
  }

  bool is_described() const { return !schemas_.empty(); }

  /// Whether the place may be exactly this text, by a const or an enum.
  bool lists(std::string_view word) const {
    const boost::json::string text(boost::json::string_view(word.data(), word.size()));
    for (const boost::json::object* const schema : schemas_) {
      const auto* const one = schema->if_contains("const");
      if (one != nullptr && *one == text) return true;
      const auto* const several = schema->if_contains("enum");
      if (several == nullptr) continue;
      for (const boost::json::value& value : several->as_array()) {
        if (value == text) return true;
      }
    }
    return false;
  }

 private:
  DescribedPlace() = default;

  void add(const boost::json::value& value) {
    const boost::json::object& schema = value.as_object();
    schemas_.push_back(&schema);
    if (const auto* const reference = schema.if_contains("$ref")) {
      add(api_document().at_pointer(std::string(reference->as_string()).substr(1)));
    }
    for (const char* const key : {"allOf", "anyOf"}) {
      const auto* const branches = schema.if_contains(key);
      if (branches == nullptr) continue;
      for (const boost::json::value& branch : branches->as_array()) add(branch);
    }
  }

  std::vector<const boost::json::object*> schemas_;
};

}  // namespace vernal::openai_http::testing
