#include "loading/segment_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/model_defaults.hpp"
#include "loading/memory_verdict.hpp"
#include "loading/resident_model.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using Backends = std::span<const plugin::BackendInstance* const>;

std::vector<MemoryRow> with_file(std::vector<MemoryRow> rows, std::uint64_t file_bytes) {
  if (file_bytes == 0) return rows;
  rows.push_back({"streamed weights", std::string(kHostDevice), VERNAL_MEMORY_MAPPED_FILE,
                  file_bytes, file_bytes});
  return rows;
}

/// The segment whose device multiplies for segment `host`: the next one, or else one before it.
std::optional<std::size_t> find_device(std::size_t host, Backends backends) {
  for (std::size_t k = 1; k < backends.size(); ++k) {
    const std::size_t i = (host + k) % backends.size();
    if (backends[i] != backends[host] && backends[i]->has_weight_streams()) return i;
  }
  return std::nullopt;
}

std::optional<SegmentStream> plan_stream(const ModelSettings& settings, const GgufFile& file,
                                         const ModelSegment& segment,
                                         const plugin::BackendInstance& device,
                                         std::uint64_t least_rows) {
  const std::uint64_t most_rows = settings.max_tokens_per_step;
  SegmentStream out(device.plan_weight_stream(segment.view->ref(), most_rows));
  out.backend = device.name();
  out.weights = std::make_unique<GgufWeightStore>(file, *segment.module);
  out.use.least_rows = least_rows;
  out.use.most_rows = most_rows;
  for (std::size_t i = 0; i < segment.module->weights.size(); ++i) {
    if (!out.plan.covers(i)) continue;
    out.use.weights.push_back(i);
    if (!segment.plan->reads_in_place(i)) out.file_bytes += segment.module->weights[i].bytes;
  }
  if (out.use.weights.empty()) return std::nullopt;
  return out;
}

/// Why no segment has a stream.
std::string refusal(std::span<const ModelSegment> segments, Backends backends) {
  bool is_taken = false;
  for (std::size_t i = 0; i < backends.size(); ++i) {
    if (!backends[i]->takes_weight_streams()) continue;
    is_taken = true;
    if (!find_device(i, backends)) continue;
    return fmt::format(
        "the device multiplies with none of the weights of layers {} to {} as they are stored",
        segments[i].first, segments[i].last);
  }
  if (!is_taken) return "no backend of its layers gives products away";
  return "no other backend of its layers has a device that weights are streamed through";
}

}  // namespace

std::vector<MemoryRow> SegmentStream::rows() const { return with_file(plan.rows(), file_bytes); }

std::vector<MemoryRow> SegmentStream::memory_report() const {
  return with_file(stream->memory_report(), file_bytes);
}

void SegmentStream::open(plugin::BackendProgram& program) {
  stream.emplace(plan.open(*weights));
  program.use_stream(*stream, use);
}

void plan_streams(const ModelSettings& settings, const GgufFile& file,
                  std::span<ModelSegment> segments, Backends backends) {
  for (ModelSegment& segment : segments) segment.stream.reset();
  const std::uint64_t least_rows = settings.stream_weights.value_or(kDefaultStreamWeights);
  if (least_rows == 0 || least_rows > settings.max_tokens_per_step) return;
  bool is_any = false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto device = find_device(i, backends);
    if (!device || !backends[i]->takes_weight_streams()) continue;
    segments[i].stream = plan_stream(settings, file, segments[i], *backends[*device], least_rows);
    is_any = is_any || segments[i].stream.has_value();
  }
  // With placement = "fit", all layers may have found room on the device.
  if (is_any || !settings.stream_weights || (settings.fit && segments.size() == 1)) return;
  throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("stream_weights = {}: {}; 0 turns it off",
                                                   least_rows, refusal(segments, backends)));
}

std::string stream_text(const ModelSegment& segment) {
  return fmt::format("weights of {} are streamed through {} in steps of {} tokens or more",
                     layers_text(segment), segment.stream->backend, segment.stream->use.least_rows);
}

}  // namespace vernal
