// The functions that the core offers to plugins: log, texts of errors, roles of threads, services.
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

/// Implements vernal_host_api. A process has one. It is made before the first plugin is opened and
/// destroyed after the last one is shut down. Texts of errors and roles belong to threads, not to
/// this object: the core's own code reads them with vernal::plugin_host(), which this library
/// defines for the core.
class CoreHost {
 public:
  /// `log` must outlive the host.
  explicit CoreHost(Log& log);
  CoreHost(const CoreHost&) = delete;
  CoreHost& operator=(const CoreHost&) = delete;

  /// The table and its first argument, for a plugin's entry.
  const vernal_host_api* api() const noexcept;
  vernal_host* handle() noexcept;
  Log& log() noexcept { return log_; }

  /// Offers a service to plugins under `id`, such as "vernal.svc.engine/1". It replaces an earlier
  /// one. `table` and `object` must outlive the plugins. Control thread, before a plugin that asks
  /// for it is initialised.
  void add_service(std::string id, const void* table, void* object);

  /// The first text that a plugin gave to report_fatal, or nothing. `component` is the name that
  /// the plugin gave itself. Any thread.
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

/// Gives the calling thread a role, VERNAL_ROLE_*, as long as the object lives.
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
