// The plugin as the host opens it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/plugin_settings.hpp"
#include "plugin/plugin_library.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/options.hpp"

namespace vernal::plugin {
class CoreHost;
}

namespace vernal::check {

/// One opened plugin. Control thread; one in a process.
class PluginUnderTest {
 public:
  enum class Start { kInit, kOpenOnly };

  explicit PluginUnderTest(const Options& options, Start start = Start::kInit);
  /// Ends it: shutdown.
  ~PluginUnderTest();
  PluginUnderTest(const PluginUnderTest&) = delete;
  PluginUnderTest& operator=(const PluginUnderTest&) = delete;

  plugin::CoreHost& host();
  plugin::PluginLibrary& library() { return *library_; }
  const plugin::Manifest& manifest() const { return library_->manifest(); }
  /// The table of an instance of `kind` as --set gives it, defaults filled in; lives as long as
  /// this object. Nothing lies behind its functions. Throws Error(INVALID_ARGUMENT) with all
  /// problems if it does not fit the schema.
  vernal_config_view config(std::uint32_t kind);

 private:
  struct Host;

  Options options_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<plugin::PluginLibrary> library_;
  PluginSettings settings_;
};

/// How the text of a table that does not fit its schema begins.
inline constexpr std::string_view kUnfitTable = "the plugin's table does not fit its schema";

/// Name of the model that a frontend may be asked to talk to.
inline constexpr const char* kMockModel = "mock";

/// Calls one function of the plugin and returns its status; an exception that comes out of it is a
/// finding.
template <class F>
std::int32_t call(std::string_view name, F&& function) {
  try {
    return function();
  } catch (const std::exception& error) {
    throw Finding(fmt::format("{}: an exception crossed the interface: {}", name, error.what()));
  } catch (...) {
    throw Finding(fmt::format("{}: an exception crossed the interface", name));
  }
}

/// Expects one status of a call, and a text with every error.
void expect_status(std::string_view name, std::int32_t expected, std::int32_t found);
/// Expects some error of a call, with a text.
void expect_error(std::string_view name, std::int32_t found);

}  // namespace vernal::check
