#include "openai_http/page/page_handlers.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/page/page_files.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/server/routes.hpp"

namespace vernal::openai_http {
namespace {

constexpr std::string_view kPageFolder = "/page/";
constexpr std::string_view kPageIndex = "index.html";
constexpr unsigned kNotModified = 304;

/// What the page may do: load and call this server alone, and never turn text into markup or code.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes what stands before the next `separator` off `text`.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// "q=0", "q=0.0" and the like.
bool is_weight_zero(std::string_view parameter) {
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return false;
  return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

Response page_response(const PageFile& file, std::string_view if_none_match) {
  Response response;
  response.headers = {{"ETag", std::string(file.etag)},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", std::string(kPagePolicy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"}};
  if (has_etag(if_none_match, file.etag)) {
    response.status = kNotModified;
    return response;
  }
  response.content_type = file.content_type;
  response.body = file.content;
  return response;
}

}  // namespace

const PageFile* find_page_file(std::string_view name) noexcept {
  const auto files = page_files();
  const auto found = std::ranges::find(files, name, &PageFile::name);
  return found == files.end() ? nullptr : &*found;
}

bool asks_for_html(std::string_view accept) {
  while (!accept.empty()) {
    std::string_view range = take_until(accept, ',');
    const std::string_view type = take_until(range, ';');
    if (!boost::beast::iequals({type.data(), type.size()}, "text/html")) continue;
    bool is_wanted = true;
    while (!range.empty()) is_wanted = !is_weight_zero(take_until(range, ';')) && is_wanted;
    return is_wanted;
  }
  return false;
}

bool has_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    std::string_view tag = take_until(if_none_match, ',');
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
  }
  return false;
}

net::awaitable<void> answer_root(Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  const PageFile* const page = find_page_file(kPageIndex);
  Response response;
  if (exchange.service().settings.page && page != nullptr && asks_for_html(request.accept)) {
    response = page_response(*page, request.if_none_match);
  } else {
    response.body = to_text(boost::json::object{
        {"name", "vernal"}, {"version", VERNAL_HTTP_VERSION}, {"endpoints", endpoint_list()}});
  }
  response.headers.emplace_back("Vary", "Accept");
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_page_file(Exchange& exchange) {
  const PageFile* const file = find_page_file(exchange.path().substr(kPageFolder.size()));
  if (!exchange.service().settings.page || file == nullptr) {
    throw RequestRefused(
        unknown_url(exchange.request().head.method, exchange.path(), endpoint_list()));
  }
  Response response = page_response(*file, exchange.request().if_none_match);
  co_await exchange.send(std::move(response));
}

}  // namespace vernal::openai_http
