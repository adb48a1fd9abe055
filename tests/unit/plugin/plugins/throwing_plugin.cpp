// A plugin of all kinds whose C++ code throws things that are no exceptions.
#include "vernal/architecture_plugin.hpp"
#include "vernal/backend_plugin.hpp"
#include "vernal/frontend_plugin.hpp"
#include "vernal/plugin.hpp"

namespace {

class ThrowingBackend : public vernal::Backend {
 public:
  explicit ThrowingBackend(const vernal::Config&) { throw 42; }
  static std::vector<vernal::DeviceInfo> devices() { throw std::string("no devices"); }
  std::optional<std::string> unsupported_reason(const vernal::Module&, const vernal::Function&,
                                                const vernal::Node&) const override {
    throw 42;
  }
  std::vector<vernal::FormatSupport> formats() const override { throw 42; }
  std::unique_ptr<vernal::BackendPlan> plan(std::shared_ptr<const vernal::Module>,
                                            const vernal::PlanOptions&) override {
    throw 42;
  }
};

class ThrowingFrontend : public vernal::Frontend {
 public:
  explicit ThrowingFrontend(const vernal::Config&) {}
  void start() override { throw 42; }
  void begin_drain(std::uint64_t) override { throw std::bad_alloc(); }
  std::uint64_t active() const override { throw vernal::Error(VERNAL_UNAVAILABLE, "busy"); }
  void stop() override { throw 42; }
  std::string info() const override { throw std::runtime_error("no info"); }
  static void check(const vernal::Config&) {
    throw vernal::Error(VERNAL_NOT_FOUND, "keys.txt: cannot be read");
  }
};

class ThrowingArchitecture : public vernal::Architecture {
 public:
  vernal::Probe probe(const vernal::Metadata&) const override { throw 42; }
  std::string describe(const vernal::Metadata&) const override { throw "text"; }
  void build(const vernal::Metadata&, const vernal::BuildOptions&,
             const vernal::Builder&) const override {
    throw 42;
  }
};

constexpr vernal_backend_api kBackend = vernal::backend_table<ThrowingBackend>();
constexpr vernal_frontend_api kFrontend = vernal::frontend_table<ThrowingFrontend>();
constexpr vernal_architecture_api kArchitecture =
    vernal::architecture_table<ThrowingArchitecture>();

void init() { throw 42; }
void shutdown() { throw 42; }

}  // namespace

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &kBackend,
                                              .architecture = &kArchitecture,
                                              .frontend = &kFrontend,
                                              .backend_rows = {},
                                              .frontend_rows = {},
                                              .init = init,
                                              .shutdown = shutdown});
