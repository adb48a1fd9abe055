#include "openai_http/protocol/model_description.hpp"

#include <boost/json.hpp>
#include <utility>

namespace vernal::openai_http {

boost::json::object describe_model(const TextClient& text, std::string_view model) {
  boost::json::value parsed = boost::json::parse(text.describe(model));
  return parsed.is_object() ? std::move(parsed.get_object()) : boost::json::object();
}

}  // namespace vernal::openai_http
