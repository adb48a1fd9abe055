#include "openai_http/protocol/event_stream.hpp"

#include <boost/json.hpp>

#include "openai_http/protocol/json_text.hpp"

namespace vernal::openai_http {

void append_event(std::string& out, const boost::json::object& data) {
  out += "data: ";
  out += to_text(data);
  out += "\n\n";
}

void append_typed_event(std::string& out, const boost::json::object& data) {
  const boost::json::string& type = data.at("type").as_string();
  out += "event: ";
  out.append(type.data(), type.size());
  out += '\n';
  append_event(out, data);
}

void append_done(std::string& out) { out += "data: [DONE]\n\n"; }

}  // namespace vernal::openai_http
