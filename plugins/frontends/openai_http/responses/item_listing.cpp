#include "openai_http/responses/item_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "openai_http/http/query.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_fields.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse_query(std::string_view key, std::string_view expected,
                               std::string_view found) {
  throw RequestRefused(
      invalid_value(key, fmt::format("Invalid value for the query parameter '{}': expected {}, "
                                     "found \"{}\".",
                                     key, expected, shortened(found))));
}

std::size_t page_size(std::string_view query) {
  constexpr std::size_t kUsual = 20;
  constexpr std::size_t kMost = 100;
  const auto text = query_value(query, "limit");
  if (!text) return kUsual;
  std::size_t limit = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, limit);
  if (error != std::errc() || stop != end || limit == 0 || limit > kMost) {
    refuse_query("limit", "a number from 1 to 100", *text);
  }
  return limit;
}

bool is_newest_first(std::string_view query) {
  const std::string order = query_value(query, "order").value_or("desc");
  if (order != "desc" && order != "asc") refuse_query("order", "asc or desc", order);
  return order == "desc";
}

json::array all_items(const Conversation& input) {
  json::array items;
  for (const auto& turn : input) {
    json::value list = json::parse(turn->text());
    for (json::value& item : list.as_array()) items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

std::string render_item_list(const Conversation& input, std::string_view query) {
  json::array items = all_items(input);
  const std::size_t limit = page_size(query);
  if (is_newest_first(query)) std::reverse(items.begin(), items.end());
  auto first = items.begin();
  if (const auto after = query_value(query, "after")) {
    first = std::find_if(items.begin(), items.end(), [&](const json::value& item) {
      return text_of(item.at("id").get_string()) == *after;
    });
    if (first == items.end()) refuse_query("after", "the id of an input item", *after);
    ++first;
  }
  const auto num_left = static_cast<std::size_t>(items.end() - first);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(limit, num_left));
  json::array page(first, last);
  const bool is_empty = page.empty();
  json::object out{{"object", "list"}, {"has_more", num_left > limit}};
  out["first_id"] = is_empty ? json::value(nullptr) : page.front().at("id");
  out["last_id"] = is_empty ? json::value(nullptr) : page.back().at("id");
  out["data"] = std::move(page);
  return to_text(out);
}

}  // namespace vernal::openai_http
