#include "loading/resident_model.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "engine/backend_step_model.hpp"
#include "loading/module_outputs.hpp"
#include "module/gguf_source.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/vocabulary.hpp"
#include "vernal/error.hpp"
#include "vernal/host.hpp"

namespace vernal {
namespace {

ArchitecturePlugin client(const plugin::PluginLibrary& library) {
  return {library.name(), library.architecture(), [] {
            std::string text = plugin_host().last_error();
            plugin_host().set_error(VERNAL_OK, {});
            return text;
          }};
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw Error(VERNAL_NOT_FOUND, fmt::format("chat template {}: cannot be read", path.string()));
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::uint64_t modification_time(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_mtime) : 0;
}

}  // namespace

ResidentModel::ResidentModel(const ModelSettings& settings, plugin::PluginRegistry& registry)
    : settings_(settings), file_(std::make_unique<GgufFile>(GgufFile::open(settings.path))) {
  const GgufMetadataSource metadata(*file_);
  const GgufWeightDirectory directory(*file_);
  architecture_ = settings.architecture;
  if (architecture_.empty())
    architecture_ = file_->metadata().require_string("general.architecture");
  const std::string key = architecture_ + ".context_length";
  trained_context_length_ =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, metadata.find_integer(key).value_or(0)));
  context_length_ =
      settings.context_length != 0 ? settings.context_length : trained_context_length_;
  if (context_length_ == 0) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: neither the file ({}) nor [models.{}] says a context length",
                            file_->file_name(), key, settings.name));
  }
  plugin::PluginLibrary& library = registry.open_architecture(architecture_);
  registry.init_all();
  const ArchitecturePlugin plugin = client(library);
  const ArchitectureInput description{metadata, directory};
  hyperparameters_ = describe_architecture(plugin, description);
  module_ = build_module(plugin, description, {.context_length = context_length_, .functions = {}})
                .module;
  view_ = std::make_unique<ModuleView>(module_);
  weights_ = std::make_unique<GgufWeightStore>(*file_, *module_);
}

std::uint64_t ResidentModel::kv_tokens() const noexcept {
  return settings_.kv_tokens != 0 ? settings_.kv_tokens : settings_.slots * context_length_;
}

PlanOptions ResidentModel::plan_options() const {
  PlanOptions options;
  options.context_length = context_length_;
  options.max_tokens_per_step = settings_.max_tokens_per_step;
  options.max_sequences = settings_.slots;
  options.max_rows = settings_.slots;
  options.typical_decode_sequences = 1;
  options.kv_tokens = kv_tokens();
  options.kv_keys_format = settings_.kv_cache.keys;
  options.kv_values_format = settings_.kv_cache.values;
  options.kv_rotate = settings_.kv_cache.rotate;
  options.host_weights = settings_.host_tensors;
  return options;
}

void ResidentModel::plan(const plugin::BackendInstance& backend) {
  plan_.emplace(backend.plan(view_->ref(), plan_options()));
}

void ResidentModel::read_text_side(LoadedModel& out) const {
  const GgufMetadata& metadata = file_->metadata();
  out.tokenizer = std::make_shared<const Tokenizer>(read_vocabulary(*file_));
  if (settings_.chat_template == "none") {
    out.chat_template_problem = "the deployment says chat_template = \"none\"";
    return;
  }
  try {
    std::string source;
    if (settings_.chat_template == "file") {
      const auto stored = metadata.find_string("tokenizer.chat_template");
      if (!stored) {
        out.chat_template_problem = "the model file has no chat template";
        return;
      }
      source = *stored;
    } else {
      source = read_file(settings_.chat_template);
    }
    out.chat_template = std::make_shared<const ChatTemplate>(
        ChatTemplate::parse(std::move(source), "chat template of " + settings_.name));
  } catch (const Error& error) {
    out.chat_template_problem = error.what();
  }
}

LoadedModel ResidentModel::load(const LoadProgress& progress) {
  LoadedModel out;
  out.id = settings_.name;
  out.architecture = architecture_;
  out.description = file_->metadata().find_string("general.name").value_or("");
  out.created = modification_time(settings_.path);
  read_text_side(out);
  program_.emplace(plan_->build(*weights_, progress));
  out.vocabulary_size = logits_columns(*module_);
  out.context_length = context_length_;
  out.slots = static_cast<std::uint32_t>(settings_.slots);
  out.max_tokens_per_step = static_cast<std::uint32_t>(settings_.max_tokens_per_step);
  out.limits.max_open_requests = settings_.max_queue + settings_.slots;
  out.limits.stall_timeout = std::chrono::milliseconds(settings_.stall_timeout_ms);
  out.limits.step_timeout = std::chrono::milliseconds(settings_.step_timeout_ms);
  out.steps =
      std::make_unique<BackendStepModel>([this] { return program_->create_pool(); },
                                         BackendStepModel::Shape{0, out.vocabulary_size, 1});
  return out;
}

}  // namespace vernal
