// The codes of errors stand in one table each: those of requests in the SDK, those of HTTP in the
// frontend. What the documents say about them is compared with the tables here.
#include "openai_http/protocol/error_codes.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mock_engine.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

std::string read_document(const std::string& path) {
  std::ifstream file(std::string(VERNAL_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The cells of the table rows that follow a heading.
std::vector<std::vector<std::string>> table_after(const std::string& text,
                                                  const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  std::size_t at = text.find(heading);
  EXPECT_NE(at, std::string::npos) << heading;
  at = text.find("\n|", at);
  while (at != std::string::npos && text.compare(at, 2, "\n|") == 0) {
    const std::size_t end = text.find('\n', at + 1);
    const std::string line = text.substr(at + 2, end - at - 2);
    std::vector<std::string> cells;
    const std::regex bar("\\|");
    std::copy(std::sregex_token_iterator(line.begin(), line.end(), bar, -1),
              std::sregex_token_iterator(), std::back_inserter(cells));
    rows.push_back(std::move(cells));
    at = end;
  }
  return rows;
}

std::vector<std::string> words(const std::string& text, const std::string& pattern) {
  const std::regex word(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), word), last; it != last; ++it) {
    found.push_back((*it)[1].str());
  }
  return found;
}

/// "code STATUS http retry"
std::string row_text(const std::string& code, const std::string& status, unsigned http,
                     bool is_retryable) {
  return code + " " + status + " " + std::to_string(http) + (is_retryable ? " retry" : "");
}

TEST(RequestErrors, AreThoseOfTheSpecification) {
  std::set<std::string> written;
  for (const auto& cells : table_after(read_document("sdk/spec/request.md"), "## Error codes")) {
    const auto codes = words(cells.at(0), "`([a-z_]+)`");
    if (codes.empty() || codes.front() == "error_code") continue;
    const unsigned http = static_cast<unsigned>(std::stoul(cells.at(2)));
    const bool is_retryable = cells.at(2).find("retry") != std::string::npos;
    for (const std::string& code : codes) {
      for (const std::string& status : words(cells.at(1), "([A-Z_]+)")) {
        written.insert(row_text(code, status, http, is_retryable));
      }
    }
  }
  std::set<std::string> table;
  for (const RequestErrorKind& kind : kRequestErrorKinds) {
    table.insert(row_text(std::string(kind.code), std::string(status_name(kind.status)),
                          kind.http_status, kind.is_retryable));
  }
  EXPECT_EQ(written, table);
}

TEST(RequestErrors, HaveOneHttpStatusForACode) {
  std::map<std::string_view, unsigned> statuses;
  for (const RequestErrorKind& kind : kRequestErrorKinds) {
    const auto [found, is_new] = statuses.emplace(kind.code, kind.http_status);
    EXPECT_TRUE(is_new || found->second == kind.http_status) << kind.code;
  }
  for (const HttpErrorCode& row : kHttpErrorCodes) {
    EXPECT_TRUE(statuses.emplace(row.code, row.status).second) << row.code;
  }
}

TEST(ErrorCodes, AreThoseThatTheDocumentOfTheApiLists) {
  std::map<std::string, unsigned> written;
  for (const auto& cells : table_after(read_document("docs/http-api.md"), "## Errors")) {
    const auto codes = words(cells.at(1), "`([a-z_]+)`");
    if (codes.empty()) continue;
    for (const std::string& code : codes) {
      written[code] = static_cast<unsigned>(std::stoul(cells.at(0)));
    }
  }
  std::map<std::string, unsigned> tables;
  for (const RequestErrorKind& kind : kRequestErrorKinds) {
    if (kind.code != "cancelled") tables[std::string(kind.code)] = kind.http_status;
  }
  for (const HttpErrorCode& row : kHttpErrorCodes) tables[std::string(row.code)] = row.status;
  EXPECT_EQ(written, tables);
}

/// A request that is refused when it is submitted, and one that is refused by an event, get one
/// answer for one reason.
TEST(ErrorCodes, DoNotDependOnHowTheEngineRefuses) {
  for (const RequestErrorKind& kind : kRequestErrorKinds) {
    testing::MockEvent event = testing::failed(kind.status, "what the core has to say about it");
    testing::EventArrays arrays;
    vernal_event raw{};
    testing::to_abi(event, arrays, raw);
    const ApiError by_event = error_of_event(raw, Dialect::kOpenAi);
    const ApiError by_status = error_of_status(kind.status, event.text, "tiny");
    EXPECT_EQ(by_event.code, by_status.code);
    EXPECT_EQ(by_event.status, by_status.status) << kind.code;
    event.error_code = kind.code;
    testing::to_abi(event, arrays, raw);
    const ApiError by_code = error_of_event(raw, Dialect::kOpenAi);
    EXPECT_EQ(by_code.code, kind.code);
    EXPECT_EQ(by_code.status, kind.http_status) << kind.code;
    EXPECT_EQ(by_code.retry_after_s > 0, kind.is_retryable) << kind.code;
  }
}

}  // namespace
}  // namespace vernal::openai_http
