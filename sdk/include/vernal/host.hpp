// The host as a plugin sees it: logging, errors and services. guard() keeps exceptions inside the
// plugin.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "vernal/error.hpp"
#include "vernal/tables.hpp"

namespace vernal {

/// Comfort over vernal_host_api. Any thread. It owns nothing and is cheap to copy. A default object
/// has no host: it logs nothing and stores no errors.
class Host {
 public:
  Host() = default;
  Host(vernal_host* host, const vernal_host_api* api)
      : host_(host), api_(adopt_table(api, "vernal_host_api")) {}

  /// Writes one line to the log. `level` is VERNAL_LOG_*.
  void log(std::uint32_t level, std::string_view component, std::string_view text) const noexcept {
    if (api_.log) api_.log(host_, level, to_str(component), to_str({}), 0, to_str(text));
  }

  /// The least level that is written; OFF without a host.
  std::uint32_t log_level() const noexcept {
    std::uint32_t level = VERNAL_LOG_OFF;
    if (api_.log_level) api_.log_level(host_, &level);
    return level;
  }

  /// Stores the text that explains the status this thread is about to return.
  void set_error(std::int32_t code, std::string_view text) const noexcept {
    if (api_.set_error) api_.set_error(host_, code, to_str(text));
  }

  /// The text that was stored last on this thread; empty if there is none.
  std::string last_error() const {
    vernal_str text{};
    if (api_.last_error == nullptr || api_.last_error(host_, &text) != VERNAL_OK) return {};
    return std::string(view(text));
  }

  /// The text that a failed call stored with `status`, or the name of the status if it stored
  /// none. The stored text is forgotten.
  std::string take_error(std::int32_t status) const {
    std::string text = last_error();
    if (text.empty()) text = std::string(status_name(status));
    set_error(VERNAL_OK, {});
    return text;
  }

  /// Throws Error if `status` is not OK. Its message is `what`, which names what was called, and
  /// the text that the call stored.
  void check(std::int32_t status, std::string_view what) const {
    if (status != VERNAL_OK) throw Error(status, std::string(what) + ": " + take_error(status));
  }

  /// The table and the object of a service, by its id. Control thread.
  /// Errors   NOT_FOUND: the host has no such service
  template <class Table>
  const Table* service(std::string_view id, void** out_object) const {
    const void* table = nullptr;
    check(api_.get_service(host_, to_str(id), &table, out_object), id);
    return static_cast<const Table*>(table);
  }

  /// The host's table of an extension by its id, "vernal.ext.NAME/REV". Null if the host has none,
  /// which is a normal answer. `Table` begins with `std::uint64_t struct_size`. The content of one
  /// id never changes: a changed table gets another revision, and so another id. Control thread.
  /// Errors   INCOMPATIBLE: the table is smaller than `Table`
  template <class Table>
  const Table* extension(std::string_view id) const {
    const void* table = nullptr;
    if (api_.get_extension == nullptr) return nullptr;
    const std::int32_t status = api_.get_extension(host_, to_str(id), &table);
    if (status == VERNAL_NOT_FOUND || status == VERNAL_UNIMPLEMENTED) {
      set_error(VERNAL_OK, {});
      return nullptr;
    }
    check(status, id);
    const auto* found = static_cast<const Table*>(table);
    if (found == nullptr || found->struct_size < sizeof(Table)) {
      throw Error(VERNAL_INCOMPATIBLE,
                  std::string(id) + ": expected a table of at least " +
                      std::to_string(sizeof(Table)) + " bytes, found " +
                      (found == nullptr ? "none" : std::to_string(found->struct_size)));
    }
    return found;
  }

 private:
  vernal_host* host_ = nullptr;
  vernal_host_api api_{};
};

/// The host of this plugin. The plugin's entry sets it; VERNAL_DEFINE_PLUGIN (plugin.hpp) defines
/// this function.
Host& plugin_host() noexcept;

/// Runs `body` and returns VERNAL_OK. If `body` throws, the text of the exception goes to the host
/// and its code is returned: RESOURCE_EXHAUSTED for std::bad_alloc, INTERNAL for what is no Error.
template <class Body>
std::int32_t guard(Body&& body) noexcept {
  try {
    body();
    return VERNAL_OK;
  } catch (const Error& error) {
    plugin_host().set_error(error.code(), error.what());
    return error.code();
  } catch (const std::bad_alloc&) {
    plugin_host().set_error(VERNAL_RESOURCE_EXHAUSTED, "out of memory");
    return VERNAL_RESOURCE_EXHAUSTED;
  } catch (const std::exception& error) {
    plugin_host().set_error(VERNAL_INTERNAL, error.what());
    return VERNAL_INTERNAL;
  } catch (...) {
    plugin_host().set_error(VERNAL_INTERNAL, "an exception of unknown type");
    return VERNAL_INTERNAL;
  }
}

/// Writes `text` to a sink. A null sink and an empty text write nothing. Throws Error with the
/// status that the sink answers.
inline void write(const vernal_sink* sink, std::string_view text) {
  if (sink == nullptr || sink->write == nullptr || text.empty()) return;
  const std::int32_t status = sink->write(sink->user, text.data(), text.size());
  if (status != VERNAL_OK) throw Error(status, "the receiver of a result refused it");
}

}  // namespace vernal
