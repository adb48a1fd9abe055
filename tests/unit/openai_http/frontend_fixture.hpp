// An HTTP frontend that runs with a mock core. It is used through the plugin's entry and table.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "mock_engine.hpp"
#include "vernal/abi/plugin.h"

namespace vernal::openai_http::testing {

/// Values of the frontend's table: text, whole numbers (integers, bytes, milliseconds, 1 for true)
/// or lists of text.
using ConfigValues =
    std::map<std::string, std::variant<std::string, std::int64_t, std::vector<std::string>>>;

/// The plugin's frontend table. Its entry was called with `engine` as the host.
const vernal_frontend_api& frontend_api(MockEngine& engine);

/// A view of `values`. It has no other keys and no defaults.
vernal_config_view config_view(const ConfigValues& values);

/// Listens on a free port from construction to destruction.
class RunningFrontend {
 public:
  /// Starts with `values`, and with short timeouts for those that `values` lacks.
  explicit RunningFrontend(MockEngine& engine, ConfigValues values = {});
  RunningFrontend(const RunningFrontend&) = delete;
  RunningFrontend& operator=(const RunningFrontend&) = delete;
  ~RunningFrontend();

  std::uint16_t port() const noexcept { return port_; }
  std::string info() const;
  void begin_drain();
  std::uint64_t active() const;
  void stop();

 private:
  const vernal_frontend_api& api_;
  vernal_frontend* frontend_ = nullptr;
  std::uint16_t port_ = 0;
  bool is_stopped_ = false;
};

}  // namespace vernal::openai_http::testing
