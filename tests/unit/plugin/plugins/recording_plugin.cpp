// A frontend that logs which function is called on which kind of thread, for tests of the loader.
#include "vernal/frontend_plugin.hpp"
#include "vernal/plugin.hpp"

namespace {

void record(const std::string& text) {
  vernal::plugin_host().log(VERNAL_LOG_INFO, VERNAL_PLUGIN_NAME, text);
}

// Tables of two extensions: one of the frontend, one of the plugin as a whole.
struct Page {
  std::uint64_t struct_size;
  std::uint64_t number;
};
constexpr Page kPage = {sizeof(Page), 12};
constexpr Page kCover = {sizeof(Page), 1};

class Recording : public vernal::Frontend {
 public:
  explicit Recording(const vernal::Config&) { record("created"); }
  ~Recording() override { record("destroyed"); }
  void start() override { record("started"); }
  void begin_drain(std::uint64_t deadline_ms) override {
    record("draining for " + std::to_string(deadline_ms));
  }
  std::uint64_t active() const override { return 7; }
  void stop() override { record("stopped"); }
  std::string info() const override { return "records calls"; }

  static void check(const vernal::Config&) { record("checked"); }
  static const void* extension(std::string_view id) {
    return id == "org.example.page/1" ? &kPage : nullptr;
  }
};

constexpr vernal_frontend_api kTable = vernal::frontend_table<Recording>();
constexpr vernal_config_row kRows[] = {
    vernal::to_abi({.path = "file",
                    .type = VERNAL_CONFIG_PATH,
                    .help = "Where to write.",
                    .flags = VERNAL_CONFIG_REQUIRED}),
    vernal::to_abi({.path = "depth",
                    .type = VERNAL_CONFIG_INT,
                    .help = "How deep.",
                    .default_value = "3",
                    .minimum = 0,
                    .maximum = 9}),
};

}  // namespace

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.frontend = &kTable,
                                              .backend_rows = {},
                                              .frontend_rows = kRows,
                                              .init = [] { record("initialised"); },
                                              .shutdown = [] { record("shut down"); },
                                              .extension = [](std::string_view id) -> const void* {
                                                if (id == "org.example.broken/1") throw 42;
                                                return id == "org.example.cover/1" ? &kCover
                                                                                   : nullptr;
                                              }});
