// How clients switch and limit a model's thinking.
#pragma once

#include <boost/json/object.hpp>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// Reads the members by which clients of several servers switch thinking on and off
/// (reasoning_effort, reasoning.effort, reasoning.enabled, think) and limit it (thinking_budget and
/// others) into the document's `thinking` and `thinking_budget`, and chat_template_kwargs into
/// template_kwargs. Efforts that the engine does not know say nothing. Throws RequestRefused.
void read_thinking(const JsonFields& fields, boost::json::object& document);

}  // namespace vernal::openai_http
