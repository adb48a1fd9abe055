// A frontend plugin as the core uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vernal/abi/frontend.h"

namespace vernal::plugin {

/// One configured frontend. The destructor stops it if it still runs, and destroys it. The plugin's
/// library must outlive it. Control thread; info() on any thread. Members throw vernal::Error with
/// the frontend's own text.
class FrontendInstance {
 public:
  /// Creates an instance.
  ///   api     an adopted table (PluginLibrary::frontend), which must outlive this object
  ///   name    of the instance in the deployment, for messages
  ///   config  read during the call only
  FrontendInstance(const vernal_frontend_api& api, std::string name, vernal_config_view config);
  FrontendInstance(FrontendInstance&&) noexcept = default;
  FrontendInstance& operator=(FrontendInstance&&) = delete;
  ~FrontendInstance();

  const std::string& name() const noexcept { return name_; }
  /// Binds addresses, starts threads and returns.
  void start();
  /// The frontend takes no more work. Requests in flight go on for up to `deadline_ms`.
  void begin_drain(std::uint64_t deadline_ms);
  /// The number of requests in flight.
  std::uint64_t active() const;
  /// Cancels the requests that are left and joins all threads.
  void stop();
  /// One line for logs and tests.
  std::string info() const;

 private:
  void check(std::int32_t status, std::string_view what) const;

  const vernal_frontend_api& api_;
  std::string name_;
  std::unique_ptr<vernal_frontend, void (*)(vernal_frontend*)> frontend_;
  bool is_running_ = false;
};

/// Whether a frontend with that table would start, told without binding anything. Control thread; no
/// service need be offered, and the library need be initialised. False if the plugin does not tell,
/// as those of interface 1.0.
///   api, config   as for FrontendInstance
/// Errors  the plugin's own status and text: it would not start.
bool check_frontend(const vernal_frontend_api& api, vernal_config_view config);

}  // namespace vernal::plugin
