// Plugins of one folder (VERNAL_EXAMPLES_DIR), opened as the program opens them.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "module/build_module.hpp"
#include "plugin/core_host.hpp"
#include "plugin/plugin_library.hpp"
#include "plugin/plugin_registry.hpp"
#include "vernal/host.hpp"

namespace vernal {

class Examples : public ::testing::Test {
 protected:
  /// The plugin that builds files of `architecture`.
  ArchitecturePlugin architecture(const std::string& architecture) {
    plugin::PluginLibrary& library = plugins_.open_architecture(architecture);
    return {library.name(), library.architecture(),
            [] { return plugin_host().take_error(VERNAL_INTERNAL); }};
  }

  std::ostringstream out_;
  Log log_{LogLevel::kInfo, out_};
  plugin::CoreHost host_{log_};
  plugin::PluginRegistry plugins_{host_, {VERNAL_EXAMPLES_DIR}};
};

}  // namespace vernal
