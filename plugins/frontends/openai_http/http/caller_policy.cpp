#include "openai_http/http/caller_policy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace vernal::openai_http {
namespace {

namespace ip = boost::asio::ip;

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_loopback_name(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

/// An IPv4 address in the clothes of IPv6 ("::ffff:127.0.0.1") is that IPv4 address.
ip::address as_plain(const ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

}  // namespace

HostPolicy::HostPolicy(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {
  for (std::string& host : hosts_) host = host == "*" ? host : host_name(host);
}

bool HostPolicy::accepts(std::string_view host_header, std::string_view local_address) const {
  if (host_header.empty()) return true;
  const std::string name = host_name(host_header);
  const auto is_it = [&](const std::string& host) { return host == "*" || host == name; };
  if (is_loopback_name(name) || std::any_of(hosts_.begin(), hosts_.end(), is_it)) return true;
  boost::system::error_code error;
  const ip::address address = as_plain(ip::make_address(name, error));
  if (error) return false;
  if (address.is_loopback()) return true;
  const ip::address local = as_plain(ip::make_address(local_address, error));
  return !error && address == local;
}

std::string host_name(std::string_view host_header) {
  std::string_view name = without_blanks(host_header);
  if (name.starts_with('[')) {
    name.remove_prefix(1);
    return lower_case(name.substr(0, name.find(']')));
  }
  const std::size_t colon = name.find(':');
  // More than one colon: an address of IPv6 without brackets, as a setting may have it.
  if (colon != std::string_view::npos && name.find(':', colon + 1) == std::string_view::npos) {
    name = name.substr(0, colon);
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower_case(name);
}

bool is_host_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == ':';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

bool says_json(std::string_view content_type) {
  const std::string type =
      lower_case(without_blanks(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace vernal::openai_http
