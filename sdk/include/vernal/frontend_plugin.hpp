// A frontend plugin in C++: the abstract class to derive from, and the function table made from it.
//
//   class MyFrontend : public vernal::Frontend {
//    public:
//     explicit MyFrontend(const vernal::Config& config);
//     ...
//   };
//   constexpr vernal_frontend_api kTable = vernal::frontend_table<MyFrontend>();
//   VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.frontend = &kTable, .frontend_rows = kRows});
//
// engine_client.hpp sends requests to the core. The core creates and destroys the objects through
// the table. Whatever a member throws becomes a status and a text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vernal/abi/frontend.h"
#include "vernal/config.hpp"
#include "vernal/detail/extension.hpp"
#include "vernal/host.hpp"

namespace vernal {

/// One configured frontend. A derived class has a constructor from `const Config&`. It reads the
/// table of the instance, which it may use only during the constructor, and binds nothing yet.
///
/// Calls come in this order, all on the control thread: constructor, start, perhaps begin_drain,
/// stop, destructor. If start throws, stop is not called.
///
/// A derived class may have two static members. Its table then offers them:
///
///   static void check(const Config& config);
///     Throws what the constructor or start would throw for this table. It binds nothing, and asks
///     for no service of the host. `vernal check` calls it. Control thread.
///   static const void* extension(std::string_view id);
///     Gives the table of an extension of frontends by its id, or null if there is none. Any thread.
class Frontend {
 public:
  Frontend() = default;
  Frontend(const Frontend&) = delete;
  Frontend& operator=(const Frontend&) = delete;
  virtual ~Frontend() = default;

  /// Binds addresses, starts the frontend's threads and returns. Models may still be loading: until
  /// a model is READY, its requests are refused with UNAVAILABLE.
  /// Errors   UNAVAILABLE: an address is in use
  virtual void start() = 0;
  /// Takes no more work and returns at once. Requests in flight go on for up to `deadline_ms`.
  virtual void begin_drain(std::uint64_t deadline_ms) = 0;
  /// The number of requests in flight.
  virtual std::uint64_t active() const = 0;
  /// Cancels the requests that are left and joins all threads.
  virtual void stop() = 0;
  /// One line for logs and tests: "listening on http://127.0.0.1:8000". Any thread.
  virtual std::string info() const = 0;
};

namespace detail {

inline Frontend& object(vernal_frontend* handle) {
  if (handle == nullptr) throw Error(VERNAL_INVALID_ARGUMENT, "frontend handle is null");
  return *reinterpret_cast<Frontend*>(handle);
}

template <class T>
concept ChecksItsTable = requires(const Config& config) { T::check(config); };

}  // namespace detail

/// The function table of a frontend class.
template <class T>
constexpr vernal_frontend_api frontend_table() {
  vernal_frontend_api t{};
  t.struct_size = sizeof(vernal_frontend_api);
  t.create = [](vernal_config_view config, vernal_frontend** out) noexcept -> std::int32_t {
    return guard([&] {
      std::unique_ptr<Frontend> made = std::make_unique<T>(Config(config));
      *out = reinterpret_cast<vernal_frontend*>(made.release());
    });
  };
  t.start = [](vernal_frontend* f) noexcept -> std::int32_t {
    return guard([&] { detail::object(f).start(); });
  };
  t.begin_drain = [](vernal_frontend* f, std::uint64_t deadline_ms) noexcept -> std::int32_t {
    return guard([&] { detail::object(f).begin_drain(deadline_ms); });
  };
  t.active = [](vernal_frontend* f, std::uint64_t* out) noexcept -> std::int32_t {
    return guard([&] { *out = detail::object(f).active(); });
  };
  t.stop = [](vernal_frontend* f) noexcept -> std::int32_t {
    return guard([&] { detail::object(f).stop(); });
  };
  t.destroy = [](vernal_frontend* f) noexcept { delete reinterpret_cast<Frontend*>(f); };
  t.info = [](vernal_frontend* f, const vernal_sink* sink) noexcept -> std::int32_t {
    return guard([&] { write(sink, detail::object(f).info()); });
  };
  t.get_extension = detail::extension_of<T>;
  if constexpr (detail::ChecksItsTable<T>) {
    t.check = [](vernal_config_view config) noexcept -> std::int32_t {
      return guard([&] { T::check(Config(config)); });
    };
  }
  return t;
}

}  // namespace vernal
