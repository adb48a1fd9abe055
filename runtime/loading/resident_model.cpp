#include "loading/resident_model.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "engine/steps/segmented_step_model.hpp"
#include "loading/memory_lock.hpp"
#include "loading/step_functions.hpp"
#include "module/gguf_source.hpp"
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

std::uint64_t weight_bytes(const Module& module) {
  std::uint64_t sum = 0;
  for (const Weight& weight : module.weights) sum += weight.bytes;
  return sum;
}

std::uint64_t modification_time(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_mtime) : 0;
}

/// One after the other, so that each backend's peak is its own; progress goes on over all.
void load_segments(std::vector<ModelSegment>& segments, const LoadProgress& progress) {
  std::uint64_t total = 0;
  for (const ModelSegment& segment : segments) total += weight_bytes(*segment.module);
  std::uint64_t before = 0;
  for (ModelSegment& segment : segments) {
    segment.program.emplace(segment.plan->build(
        *segment.weights,
        [&](std::uint64_t done, std::uint64_t /*own*/) { return progress(before + done, total); }));
    before += weight_bytes(*segment.module);
  }
  for (ModelSegment& segment : segments) {
    if (segment.stream) segment.stream->open(*segment.program);
  }
}

}  // namespace

std::string layers_text(const ModelSegment& segment) {
  if (segment.last < 0) {
    return fmt::format("layers {} to the end on {}", segment.first, segment.backend);
  }
  return fmt::format("layers {} to {} on {}", segment.first, segment.last, segment.backend);
}

ResidentModel::ResidentModel(const ModelSettings& settings, plugin::PluginRegistry& registry)
    : ResidentModel(settings, registry,
                    std::make_shared<const GgufFile>(GgufFile::open(settings.path))) {}

ResidentModel::ResidentModel(const ModelSettings& settings, plugin::PluginRegistry& registry,
                             std::shared_ptr<const GgufFile> file)
    : settings_(settings), file_(std::move(file)) {
  const GgufMetadataSource metadata(*file_);
  architecture_ = settings.architecture;
  if (architecture_.empty())
    architecture_ = file_->metadata().require_string("general.architecture");
  description_ = file_->metadata().find_string("general.name").value_or("");
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
  plugin_ = client(registry.open_architecture(architecture_));
  for (const LayerRange& range : settings.layers) {
    ModelSegment& segment = segments_.emplace_back();
    segment.backend = range.backend;
    segment.first = range.first;
    segment.last = range.last;
  }
}

std::int64_t ResidentModel::num_layers() const {
  const GgufMetadataSource metadata(*file_);
  const std::string key = architecture_ + ".block_count";
  const std::optional<std::int64_t> count = metadata.find_integer(key);
  if (!count || *count <= 0) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("{}: no {}", file_->file_name(), key));
  }
  const std::int64_t predicting =
      metadata.find_integer(architecture_ + ".nextn_predict_layers").value_or(0);
  return *count - std::clamp<std::int64_t>(predicting, 0, *count - 1);
}

void ResidentModel::place(std::int64_t num_host_layers, std::string why) {
  segments_.clear();
  placement_text_ = std::move(why);
  if (num_host_layers > 0) {
    ModelSegment& host = segments_.emplace_back();
    host.backend = settings_.fit->host_backend;
    host.last = num_host_layers - 1;
  }
  ModelSegment& rest = segments_.emplace_back();
  rest.backend = settings_.layers.front().backend;
  rest.first = num_host_layers;
}

bool ResidentModel::is_planned() const {
  return std::ranges::all_of(segments_, [](const ModelSegment& s) { return s.plan.has_value(); });
}

void ResidentModel::build() {
  const GgufMetadataSource metadata(*file_);
  const GgufWeightDirectory directory(*file_);
  const ArchitectureInput description{metadata, directory};
  hyperparameters_ = describe_architecture(plugin_, description);
  for (ModelSegment& segment : segments_) {
    segment.module = build_module(plugin_, description,
                                  {.context_length = context_length_,
                                   .functions = functions_of(segment),
                                   .outputs = outputs_of(segment),
                                   .first_layer = segment.first,
                                   .last_layer = segment.last})
                         .module;
    segment.view = std::make_unique<ModuleView>(segment.module);
    segment.weights = std::make_unique<GgufWeightStore>(*file_, *segment.module);
  }
  const StepFunction last = main_function(*segments_.back().module);
  if (settings_.pooling != "none" && last.hidden_output_columns == 0) {
    throw Error(VERNAL_UNSUPPORTED,
                fmt::format("[models.{}]: pooling = \"{}\": architecture \"{}\" gives no hidden "
                            "states beside its logits; leave the key out",
                            settings_.name, settings_.pooling, architecture_));
  }
  if (last.logits_columns == 0) {
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format("\"layers\" end at {}, where the model goes on", segments_.back().last));
  }
}

// The layer that predicts one token more goes with the head.
std::vector<std::string> ResidentModel::functions_of(const ModelSegment& segment) const {
  if (settings_.draft != "mtp" || &segment != &segments_.back()) return {};
  return {"mtp"};
}

// Embeddings are made of the hidden states behind the last layer.
std::vector<std::string> ResidentModel::outputs_of(const ModelSegment& segment) const {
  if (settings_.pooling == "none" || &segment != &segments_.back()) return {};
  return {"hidden"};
}

std::uint64_t ResidentModel::kv_tokens() const noexcept {
  return settings_.kv_tokens != 0 ? settings_.kv_tokens : settings_.slots * context_length_;
}

PlanOptions ResidentModel::plan_options() const {
  PlanOptions options;
  options.context_length = context_length_;
  options.max_tokens_per_step = settings_.max_tokens_per_step;
  options.max_sequences = settings_.slots;
  options.max_rows =
      settings_.rows != 0 ? settings_.rows : settings_.slots + settings_.scored_rows - 1;
  if (settings_.draft != "none") {
    options.rollback_depth = settings_.max_draft_tokens;
    const std::uint64_t drafted_rows = settings_.slots * (1 + settings_.max_draft_tokens);
    options.max_rows = std::max(options.max_rows, drafted_rows);
  }
  options.typical_decode_sequences = 1;
  options.kv_tokens = kv_tokens();
  options.max_checkpoints = settings_.max_checkpoints;
  options.kv_keys_format = settings_.kv_cache.keys;
  options.kv_values_format = settings_.kv_cache.values;
  options.kv_rotate = settings_.kv_cache.is_rotated();
  options.host_weights = settings_.host_tensors;
  return options;
}

void ResidentModel::plan(std::span<const plugin::BackendInstance* const> backends) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    ModelSegment& segment = segments_[i];
    try {
      plan_segment(segment, *backends[i]);
    } catch (const Error& error) {
      if (segments_.size() == 1) throw;
      throw Error(error.code(), fmt::format("{}: {}", layers_text(segment), error.what()));
    }
  }
  plan_streams(settings_, *file_, segments_, backends);
}

void ResidentModel::plan_segment(ModelSegment& segment,
                                 const plugin::BackendInstance& backend) const {
  PlanOptions options = plan_options();
  segment.rotation_refusal.clear();
  std::string refusal;
  try {
    segment.plan.emplace(backend.plan(segment.view->ref(), options));
  } catch (const Error& error) {
    const bool may_do_without = options.kv_rotate && !settings_.kv_cache.rotate;
    if (!may_do_without || error.code() != VERNAL_UNSUPPORTED) throw;
    refusal = error.what();
  }
  if (refusal.empty()) return;
  options.kv_rotate = false;  // if it was not the reason, the next refusal says what is
  segment.plan.emplace(backend.plan(segment.view->ref(), options));
  segment.rotation_refusal = std::move(refusal);
}

std::vector<std::string> ResidentModel::stream_texts() const {
  std::vector<std::string> out;
  for (const ModelSegment& segment : segments_) {
    if (segment.stream) out.push_back(stream_text(segment));
  }
  return out;
}

std::vector<std::string> ResidentModel::remarks() const {
  std::vector<std::string> out;
  for (const ModelSegment& segment : segments_) {
    if (segment.rotation_refusal.empty()) continue;
    const std::string layers = segments_.size() > 1 ? layers_text(segment) + ": " : "";
    out.push_back(fmt::format(
        "{}keys {} and values {} are not rotated, because backend \"{}\" refuses it: {}", layers,
        settings_.kv_cache.keys, settings_.kv_cache.values, segment.backend,
        segment.rotation_refusal));
  }
  return out;
}

bool ResidentModel::is_rotated() const {
  return settings_.kv_cache.is_rotated() &&
         std::ranges::all_of(segments_, &std::string::empty, &ModelSegment::rotation_refusal);
}

bool ResidentModel::times_operations() const {
  return std::ranges::all_of(segments_,
                             [](const ModelSegment& s) { return s.program->times_operations(); });
}

void ResidentModel::set_timing(bool is_on) {
  for (ModelSegment& segment : segments_) segment.program->set_timing(is_on);
}

std::vector<plugin::OperationTime> ResidentModel::operation_times() const {
  std::vector<plugin::OperationTime> out;
  for (const ModelSegment& segment : segments_) {
    for (const plugin::OperationTime& time : segment.program->operation_times()) {
      const auto found = std::ranges::find(out, time.operation, &plugin::OperationTime::operation);
      plugin::OperationTime& sum =
          found != out.end() ? *found
                             : out.emplace_back(plugin::OperationTime{time.operation, 0, 0});
      sum.calls += time.calls;
      sum.busy_ns += time.busy_ns;
    }
  }
  return out;
}

std::vector<MemoryRow> ResidentModel::rows() const {
  std::vector<MemoryRow> out;
  for (const ModelSegment& segment : segments_) {
    for (MemoryRow& row : segment.plan->rows()) {
      if (segments_.size() > 1) row.object = layers_text(segment) + ", " + row.object;
      out.push_back(std::move(row));
    }
    if (!segment.stream) continue;
    for (MemoryRow& row : segment.stream->rows()) {
      row.object = layers_text(segment) + ", " + row.object;
      out.push_back(std::move(row));
    }
  }
  return out;
}

std::vector<MemoryUse> ResidentModel::memory_use() const {
  std::vector<MemoryUse> out;
  const auto of_device = [&](const std::string& device) -> MemoryUse& {
    const auto found = std::ranges::find(out, device, &MemoryUse::device);
    return found != out.end() ? *found : out.emplace_back(MemoryUse{device, 0, 0});
  };
  const auto add = [&](const std::vector<MemoryRow>& planned, const std::vector<MemoryRow>& now) {
    for (const MemoryRow& row : planned) of_device(row.device).planned += row.bytes;
    for (const MemoryRow& row : now) of_device(row.device).allocated += row.bytes;
  };
  for (const ModelSegment& segment : segments_) {
    add(segment.plan->rows(), segment.program->memory_report());
    if (segment.stream) add(segment.stream->rows(), segment.stream->memory_report());
  }
  return out;
}

vernal_plan_info ResidentModel::plan_info() const {
  vernal_plan_info out{};
  out.struct_size = sizeof(out);
  for (const ModelSegment& segment : segments_) {
    const vernal_plan_info info = segment.plan->info();
    out.page_tokens = std::max(out.page_tokens, info.page_tokens);
    out.bytes_per_kv_token += info.bytes_per_kv_token;
    out.bytes_per_sequence += info.bytes_per_sequence;
    out.bytes_per_checkpoint += info.bytes_per_checkpoint;
    out.weight_bytes_per_step += info.weight_bytes_per_step;
    out.activation_element = info.activation_element;
  }
  return out;
}

void ResidentModel::read_text() {
  if (!text_) text_ = std::make_unique<const TextSide>(read_text_side(*file_, settings_));
  for (const ModelSegment& segment : segments_) {
    if (segment.module == nullptr) continue;
    require_rows_for_tokens(*segment.module, text_->tokenizer->size(), file_->file_name());
  }
}

void ResidentModel::ask_for_locks() {
  if (settings_.lock_memory == "never") return;
  for (ModelSegment& segment : segments_) {
    if (segment.plan->lockable_bytes()) {
      segment.plan->lock_memory(settings_.lock_memory == "required");
    }
  }
}

void ResidentModel::lock_weights_in_place() {
  if (settings_.lock_memory == "never") return;
  const auto lock = [this](const GgufWeightStore& weights) {
    const std::string refusal = lock_kept_weights(weights);
    if (refusal.empty()) return;
    if (settings_.lock_memory == "required") throw Error(VERNAL_RESOURCE_EXHAUSTED, refusal);
    load_warnings_.push_back(refusal);
  };
  for (const ModelSegment& segment : segments_) {
    lock(*segment.weights);
    if (segment.stream) lock(*segment.stream->weights);
  }
}

LoadedModel ResidentModel::load(const LoadProgress& progress) {
  LoadedModel out;
  out.id = settings_.name;
  out.architecture = architecture_;
  out.description = description_;
  out.created = modification_time(settings_.path);
  read_text();
  out.tokenizer = text_->tokenizer;
  out.chat_template = text_->templates.chat;
  out.tool_use_template = text_->templates.tool_use;
  out.chat_template_problem = text_->templates.problem;
  out.tool_syntax = settings_.tool_syntax;
  ask_for_locks();
  load_segments(segments_, progress);
  // The vocabulary and the edges of weights, which are copied by now.
  file_->advise_all(MappingAdvice::kNotNeeded);
  lock_weights_in_place();
  out.vocabulary_size = main_function(*segments_.back().module).logits_columns;
  if (settings_.pooling != "none") {
    out.pooling = settings_.pooling == "mean" ? Pooling::kMean : Pooling::kLast;
    out.embedding_size = main_function(*segments_.back().module).hidden_output_columns;
  }
  out.context_length = context_length_;
  out.slots = static_cast<std::uint32_t>(settings_.slots);
  out.max_tokens_per_step = static_cast<std::uint32_t>(settings_.max_tokens_per_step);
  out.max_step_time = std::chrono::milliseconds(settings_.max_step_time_ms);
  out.rows_per_step = static_cast<std::uint32_t>(plan_options().max_rows);
  out.max_checkpoints = static_cast<std::uint32_t>(settings_.max_checkpoints);
  if (settings_.draft != "none") {
    out.speculation = {settings_.draft == "mtp" ? Draft::kMtp : Draft::kNgram,
                       static_cast<std::uint32_t>(settings_.max_draft_tokens)};
    out.hidden_size = main_function(*segments_.back().module).hidden_output_columns;
  }
  out.limits.max_queue = settings_.max_queue;
  out.limits.stall_timeout = std::chrono::milliseconds(settings_.stall_timeout_ms);
  out.limits.step_timeout = std::chrono::milliseconds(settings_.step_timeout_ms);
  out.steps = make_steps();
  return out;
}

std::unique_ptr<StepModel> ResidentModel::make_steps() {
  std::vector<SegmentedStepModel::Segment> parts;
  for (ModelSegment& segment : segments_) {
    SegmentedStepModel::Segment& part = parts.emplace_back();
    part.make_pool = [&segment] { return segment.program->create_pool(); };
    part.functions = step_functions(*segment.module);
    if (!segment.stream) continue;
    part.streamed_products = [&segment] { return segment.stream->stream->stats().products; };
  }
  return std::make_unique<SegmentedStepModel>(std::move(parts));
}

}  // namespace vernal
