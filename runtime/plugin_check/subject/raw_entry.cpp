#include "plugin_check/subject/raw_entry.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <sstream>

#include "observe/log.hpp"
#include "plugin/core_host.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/guarded_memory.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"

namespace vernal::check {
namespace {

struct QuietHost {
  std::ostringstream stream;
  Log log{LogLevel::kDebug, stream};
  plugin::CoreHost host{log};
};

/// Lives until the process ends, as plugins may expect of a host.
QuietHost& quiet_host() {
  static auto* host = new QuietHost;
  return *host;
}

}  // namespace

vernal_plugin_entry_fn open_entry(const Options& options) {
  const std::string path = std::filesystem::canonical(options.plugin).string();
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  expect(library != nullptr, "the linker refuses it: {}", library == nullptr ? ::dlerror() : "");
  void* entry = ::dlsym(library, VERNAL_ENTRY_SYMBOL);
  expect(entry != nullptr, "entry symbol {} expected, found none", VERNAL_ENTRY_SYMBOL);
  return reinterpret_cast<vernal_plugin_entry_fn>(entry);
}

vernal_host_api fresh_host_api() noexcept { return *quiet_host().host.api(); }

std::int32_t enter(vernal_plugin_entry_fn entry, const EmulatedHost& host,
                   const vernal_plugin_api** out) {
  vernal_entry_args args{};
  args.struct_size = sizeof(args);
  args.host = host.handle != nullptr ? host.handle : quiet_host().host.handle();
  args.host_api = host.api;
  args.plugin_path = {"/plugin.so", 10};
  args.host_minor = host.minor;
  const Guarded<vernal_entry_args> guarded(args);
  const std::int32_t status = call("entry", [&] { return entry(guarded.get()); });
  *out = guarded.get()->plugin;
  return status;
}

const vernal_plugin_api* raw_plugin_table(const Options& options) {
  const vernal_plugin_api* table = nullptr;
  const std::int32_t status = enter(open_entry(options), {quiet_host().host.api()}, &table);
  expect(status == VERNAL_OK, "entry: expected OK, found {}", status);
  return table;
}

}  // namespace vernal::check
