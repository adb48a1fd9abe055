// The host functions that the core offers plugins: log, error texts, thread roles, services.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "observe/log.hpp"
#include "vernal/abi/host.h"

namespace vernal::plugin {

/// Implements vernal_host_api. One per process, made before the first plugin is opened and
/// destroyed after the last is shut down. Error texts and roles belong to threads, not to the
/// object: the core's own code reads them with vernal::plugin_host(), which this library defines
/// for the core.
class CoreHost {
 public:
  /// `log` outlives the host.
  explicit CoreHost(Log& log);
  CoreHost(const CoreHost&) = delete;
  CoreHost& operator=(const CoreHost&) = delete;

  const vernal_host_api* api() const noexcept;
  vernal_host* handle() noexcept;
  Log& log() noexcept { return log_; }

  /// Offers a service to plugins under `id` ("vernal.svc.engine/1"). `table` and `object` outlive
  /// the plugins. Control thread, before the plugin that asks is initialised. Replaces an earlier
  /// one.
  void add_service(std::string id, const void* table, void* object);

  /// What a plugin reported as fatal, or nothing. `component` is what it calls itself. Any thread.
  std::optional<std::string> fatal_report(std::string_view component) const;

 private:
  friend struct HostFunctions;
  struct Service {
    const void* table = nullptr;
    void* object = nullptr;
  };

  Log& log_;
  mutable std::mutex mutex_;  // guards the two maps
  std::map<std::string, Service, std::less<>> services_;
  std::map<std::string, std::string, std::less<>> fatal_reports_;
};

/// Gives the calling thread a role (VERNAL_ROLE_*) for the object's lifetime.
class ScopedThreadRole {
 public:
  explicit ScopedThreadRole(std::uint32_t role) noexcept;
  ~ScopedThreadRole();
  ScopedThreadRole(const ScopedThreadRole&) = delete;
  ScopedThreadRole& operator=(const ScopedThreadRole&) = delete;

 private:
  std::uint32_t previous_;
};

}  // namespace vernal::plugin
