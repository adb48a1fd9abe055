// What a route takes and gives, for the description of the whole API (server/api_description.hpp).
#pragma once

#include <string_view>

namespace vernal::openai_http {

/// JSON texts stand for JSON Schemas of draft 2020-12. They may refer to the components of all rooms:
/// {"$ref": "#/components/schemas/NAME"}.
struct RouteSchemas {
  std::string_view method;
  std::string_view path;  // as the table of endpoints has it
  std::string_view summary;
  std::string_view request;     // of the JSON body; empty: there is none
  std::string_view response;    // of the JSON document; empty: the answer is plain text
  std::string_view query = {};  // names of parameters of the query, with spaces between
  bool is_streamable = false;   // the body may ask for an event stream
  /// Media types of further forms of the answer, with spaces between: a browser's.
  std::string_view forms = {};
};

/// A schema that others refer to by its name.
struct NamedSchema {
  std::string_view name;
  std::string_view schema;
};

}  // namespace vernal::openai_http
