// A frontend plugin as the core uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vernal/abi/frontend.h"

namespace vernal::plugin {

/// One configured frontend; destroyed with the object, which stops it first if it still runs.
/// Control thread (info: any); the plugin's library outlives it. Members throw vernal::Error with
/// the frontend's own text.
class FrontendInstance {
 public:
  /// Creates an instance; `config` is read during the call only.
  ///   api    an adopted table (PluginLibrary::frontend)
  ///   name   of the instance in the deployment, for messages
  FrontendInstance(const vernal_frontend_api& api, std::string name, vernal_config_view config);
  FrontendInstance(FrontendInstance&&) noexcept = default;
  FrontendInstance& operator=(FrontendInstance&&) = delete;
  ~FrontendInstance();

  const std::string& name() const noexcept { return name_; }
  /// Binds, starts threads, returns.
  void start();
  /// No more work is taken; what is in flight goes on for up to `deadline_ms`.
  void begin_drain(std::uint64_t deadline_ms);
  /// Requests in flight.
  std::uint64_t active() const;
  /// Cancels what is left and joins all threads.
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
///   api, name, config   as for FrontendInstance
/// Errors  the plugin's own status and text: it would not start.
bool check_frontend(const vernal_frontend_api& api, const std::string& name,
                    vernal_config_view config);

}  // namespace vernal::plugin
