#include "text/grammar/schema/formats.hpp"

#include <string>

#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {
namespace {

std::string group(const std::string& body) { return "(?:" + body + ")"; }

// RFC 3339, with the days that months have. The year 0 is refused, as most libraries do.
std::string date_pattern() {
  const std::string leap_year =
      "(?:(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26]))|(?:[02468][048]|[13579][26])00)";
  return "(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
         "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|" +
         leap_year + "-02-29)";
}

// A leap second is offered in UTC alone.
std::string time_pattern() {
  return "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?"
         "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
         "|23:59:60(?:\\.[0-9]+)?(?:[Zz]|[+-]00:00))";
}

std::string duration_pattern() {
  const std::string days = "[0-9]+D";
  const std::string months = "[0-9]+M(?:" + days + ")?";
  const std::string years = "[0-9]+Y(?:" + months + ")?";
  const std::string seconds = "[0-9]+S";
  const std::string minutes = "[0-9]+M(?:" + seconds + ")?";
  const std::string hours = "[0-9]+H(?:" + minutes + ")?";
  const std::string time = "T(?:" + seconds + "|" + minutes + "|" + hours + ")";
  return "P(?:[0-9]+W|(?:" + days + "|" + months + "|" + years + ")(?:" + time + ")?|" + time + ")";
}

std::string ipv4_pattern() {
  const std::string part = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  return "(?:" + part + "\\.){3}" + part;
}

// RFC 4291, section 2.2.
std::string ipv6_pattern() {
  const std::string h = "[0-9A-Fa-f]{1,4}";
  const std::string tail = "(?:" + h + ":" + h + "|" + ipv4_pattern() + ")";
  std::string all = "(?:" + h + ":){6}" + tail;
  for (int after = 5; after >= 0; --after) {
    const int before = 5 - after;
    const std::string left =
        before == 0 ? "" : "(?:(?:" + h + ":){0," + std::to_string(before - 1) + "}" + h + ")?";
    all += "|" + left + "::(?:" + h + ":){" + std::to_string(after) + "}" + tail;
  }
  all += "|(?:(?:" + h + ":){0,5}" + h + ")?::" + h;
  all += "|(?:(?:" + h + ":){0,6}" + h + ")?::";
  return group(all);
}

std::string hostname_pattern() {
  const std::string label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  // Labels like "xn--" would have to be decoded.
  return "(?=.{1,253}$)(?!(?:.*\\.)?..--)" + label + "(?:\\." + label + ")*";
}

std::string email_pattern() {
  const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  const std::string quoted = "\"(?:[ !#-\\[\\]-~]|\\\\[ -~])*\"";
  return "(?:" + atom + "(?:\\." + atom + ")*|" + quoted + ")@(?:" + hostname_pattern() +
         "|\\[(?:" + ipv4_pattern() + "|IPv6:" + ipv6_pattern() + ")\\])";
}

/// The parts of RFC 3986, or with more letters of RFC 3987.
class UriPatterns {
 public:
  explicit UriPatterns(bool is_international)
      : letters_("A-Za-z0-9\\-._~" +
                 std::string(is_international ? "\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF"
                                                "\\u{10000}-\\u{EFFFD}"
                                              : "")),
        private_(is_international ? "\\uE000-\\uF8FF\\u{F0000}-\\u{10FFFD}" : "") {}

  std::string uri() const { return "[A-Za-z][A-Za-z0-9+.\\-]*:" + hierarchy("") + ending(); }
  std::string reference() const {
    const std::string first = segment("!$&'()*+,;=@") + "+";
    return group(uri() + "|" + hierarchy(first) + ending());
  }

 private:
  std::string segment(const std::string& more) const {
    return "(?:[" + letters_ + more + "]|%[0-9A-Fa-f]{2})";
  }
  std::string ending() const {
    const std::string rest = segment("!$&'()*+,;=:@/?") + "*";
    const std::string query = segment("!$&'()*+,;=:@/?" + private_) + "*";
    return "(?:\\?" + query + ")?(?:#" + rest + ")?";
  }
  /// `first` is the first segment of a path without a slash, if it must not hold a colon.
  std::string hierarchy(const std::string& first) const {
    const std::string pchar = segment("!$&'()*+,;=:@");
    const std::string segments = "(?:/" + pchar + "*)*";
    const std::string rootless = (first.empty() ? pchar + "+" : first) + segments;
    const std::string future = "[vV][0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~!$&'()*+,;=:]+";
    const std::string host =
        "(?:\\[(?:" + ipv6_pattern() + "|" + future + ")\\]|" + segment("!$&'()*+,;=") + "*)";
    const std::string authority = "(?:" + segment("!$&'()*+,;=:") + "*@)?" + host + "(?::[0-9]*)?";
    return "(?://" + authority + segments + "|/(?:" + pchar + "+" + segments + ")?|" + rootless +
           "|)";
  }

  std::string letters_;
  std::string private_;  // letters of queries alone
};

// RFC 6570.
std::string uri_template_pattern() {
  const std::string name = "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})";
  const std::string variable = name + "(?:\\.?" + name + ")*(?::[1-9][0-9]{0,3}|\\*)?";
  const std::string expression = "\\{[+#./;?&=,!@|]?" + variable + "(?:," + variable + ")*\\}";
  const std::string literal = "[^\\u0000-\\u0020\\u007F-\\u009F\"%<>\\\\^`{|}]|%[0-9A-Fa-f]{2}";
  return "(?:" + literal + "|" + expression + ")*";
}

std::string pattern_of(std::string_view name) {
  const std::string pointer = "(?:/(?:[^/~]|~[01])*)*";
  if (name == "date-time") return date_pattern() + "[Tt]" + time_pattern();
  if (name == "date") return date_pattern();
  if (name == "time") return time_pattern();
  if (name == "duration") return duration_pattern();
  if (name == "email") return email_pattern();
  if (name == "hostname" || name == "host-name") return hostname_pattern();
  if (name == "ipv4" || name == "ip-address") return ipv4_pattern();
  if (name == "ipv6") return ipv6_pattern();
  if (name == "uuid") return "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
  if (name == "uri") return UriPatterns(false).uri();
  if (name == "uri-reference") return UriPatterns(false).reference();
  if (name == "iri") return UriPatterns(true).uri();
  if (name == "iri-reference") return UriPatterns(true).reference();
  if (name == "uri-template") return uri_template_pattern();
  if (name == "json-pointer") return "(?:" + pointer + ")";
  if (name == "relative-json-pointer") return "(?:0|[1-9][0-9]*)(?:#|" + pointer + ")";
  return {};
}

}  // namespace

std::optional<Re> format_language(RegexPool& pool, std::string_view name) {
  const std::string pattern = pattern_of(name);
  if (pattern.empty()) {
    return std::nullopt;
  }
  // A dot of these patterns never stands for the end of a line, and none of them looks back.
  return parse_pattern(pool, pattern, Anchoring::kWhole).re;
}

const char* narrowing_of(std::string_view name) noexcept {
  if (name == "date-time" || name == "time") {
    return "leap seconds are written in UTC";
  }
  return name == "hostname" || name == "host-name" || name == "email"
             ? "labels in punycode are not offered"
             : nullptr;
}

}  // namespace vernal::grammar
