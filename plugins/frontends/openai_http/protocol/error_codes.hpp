// The codes a client may read in an error, each with its one HTTP status.
#pragma once

#include <array>
#include <string_view>

#include "vernal/frontend/request_errors.hpp"

namespace vernal::openai_http {

/// A code that HTTP has need of, and the core does not know.
struct HttpErrorCode {
  std::string_view code;
  unsigned status;
};

/// Errors of the protocol. Those of requests stand in vernal/frontend/request_errors.hpp.
inline constexpr std::array kHttpErrorCodes = {
    HttpErrorCode{"malformed_http", 400},
    HttpErrorCode{"malformed_encoding", 400},
    HttpErrorCode{"missing_api_key", 401},
    HttpErrorCode{"invalid_api_key", 401},
    HttpErrorCode{"host_not_allowed", 403},
    HttpErrorCode{"origin_not_allowed", 403},
    HttpErrorCode{"unknown_url", 404},
    HttpErrorCode{"response_not_found", 404},
    HttpErrorCode{"previous_response_not_found", 404},
    HttpErrorCode{"method_not_allowed", 405},
    HttpErrorCode{"request_timeout", 408},
    HttpErrorCode{"uri_too_long", 414},
    HttpErrorCode{"content_encoding", 415},
    HttpErrorCode{"unsupported_media_type", 415},
    HttpErrorCode{"expectation", 417},
    HttpErrorCode{"headers_too_large", 431},
    HttpErrorCode{"too_many_headers", 431},
    HttpErrorCode{"transfer_encoding", 501},
    HttpErrorCode{"server_is_draining", 503},
    HttpErrorCode{"http_version", 505},
};

/// A code of one of the two tables together with its status. Made from a literal; one that is in
/// neither table does not compile.
class AnswerCode {
 public:
  // Implicit on purpose: throwing code names a row by a literal.
  consteval AnswerCode(const char* code) : code_(code), status_(status_of(code_)) {
    if (status_ == 0) throw "no such code in error_codes.hpp or vernal/frontend/request_errors.hpp";
  }

  constexpr std::string_view code() const noexcept { return code_; }
  constexpr unsigned status() const noexcept { return status_; }

 private:
  static constexpr unsigned status_of(std::string_view code) noexcept {
    for (const HttpErrorCode& row : kHttpErrorCodes) {
      if (row.code == code) return row.status;
    }
    const RequestErrorKind* const kind = find_request_error(code);
    return kind == nullptr ? 0 : kind->http_status;
  }

  std::string_view code_;
  unsigned status_;
};

}  // namespace vernal::openai_http
