// Members of a request that bind the answer in a way this server cannot keep to.
#pragma once

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// Refuses the first such member that asks for something: a grammar or a schema under any of the
/// names that servers know, tokens that must or must not come, sound, the functions of before
/// tools. A client that sends one counts on it, so it is never ignored. A member that asks for
/// nothing (null, false, 0, "", [], {}) is let through. For the endpoints of both APIs. Throws
/// RequestRefused (400 unsupported_parameter).
void refuse_members_that_bind(const JsonFields& fields);

}  // namespace vernal::openai_http
