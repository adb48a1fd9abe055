#include "plugin_check/subject/whole_use.hpp"

#include "module/build_module.hpp"
#include "plugin/frontend_client.hpp"
#include "plugin_check/models/sample_model.hpp"
#include "plugin_check/models/tiny_model.hpp"
#include "vernal/host.hpp"

namespace vernal::check {
namespace {

void use_backend(PluginUnderTest& plugin) {
  plugin::BackendInstance backend = open_backend(plugin);
  const MadeModule made = make_least_module();
  Session session(backend, made);
  RandomNumbers random(1);
  const vernal_sequence_id sequence = session.start(8);
  session.step({{sequence, 4}}, make_data(made, {4}, {0}, random), "hidden");
  session.pool().seq_release(sequence);
}

void use_architecture(PluginUnderTest& plugin) {
  const ArchitecturePlugin architecture{plugin.library().name(), plugin.library().architecture(),
                                        [] { return plugin_host().last_error(); }};
  const auto name = sample_architecture(plugin.manifest());
  if (!name) return;
  const auto model = sample_model(*name);
  build_module(architecture, {model->metadata, model->weights},
               {.context_length = 64, .functions = {}});
}

void use_frontend(PluginUnderTest& plugin) {
  plugin::FrontendInstance frontend(plugin.library().frontend(), "check",
                                    plugin.config(VERNAL_KIND_FRONTEND));
  frontend.start();
  frontend.begin_drain(0);
  frontend.stop();
}

}  // namespace

void use_once(PluginUnderTest& plugin) {
  if (plugin.manifest().has_kind(VERNAL_KIND_BACKEND)) use_backend(plugin);
  if (plugin.manifest().has_kind(VERNAL_KIND_ARCHITECTURE)) use_architecture(plugin);
  if (plugin.manifest().has_kind(VERNAL_KIND_FRONTEND)) use_frontend(plugin);
}

}  // namespace vernal::check
