#include "text/tokenizer/normalization.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <memory>

namespace vernal {
namespace {

namespace json = boost::json;

void add_step(const json::value& step, Normalization& out) {
  const json::object* object = step.if_object();
  const json::value* type = object == nullptr ? nullptr : object->if_contains("type");
  if (type == nullptr || !type->is_string()) return;
  const std::string name(type->get_string().data(), type->get_string().size());
  if (name == "Sequence") {
    const json::value* steps = object->if_contains("normalizers");
    if (steps == nullptr || !steps->is_array()) return;
    for (const json::value& next : steps->get_array()) add_step(next, out);
  } else if (name == "NFC") {
    out.composes = true;
  } else if (name != "Prepend" && name != "Replace" && out.unknown_step.empty()) {
    out.unknown_step = name;
  }
}

}  // namespace

Normalization read_normalization(std::string_view tokenizer_json) {
  Normalization out;
  json::error_code error;
  const json::value document = json::parse({tokenizer_json.data(), tokenizer_json.size()}, error);
  if (error || !document.is_object()) return out;
  if (const json::value* normalizer = document.get_object().if_contains("normalizer")) {
    add_step(*normalizer, out);
  }
  return out;
}

std::string compose(std::string_view text) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(text.begin(), text.end(), is_ascii)) return std::string(text);
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &composed,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  if (size < 0) return std::string(text);
  return {reinterpret_cast<const char*>(composed), static_cast<std::size_t>(size)};
}

}  // namespace vernal
