// The weights of layers in host memory, streamed through the device of another segment for large steps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/deployment.hpp"
#include "loading/gguf_weight_store.hpp"
#include "plugin/backend_client.hpp"

namespace vernal {

struct ModelSegment;

/// What a segment gives away. Its program uses `stream`, and is destroyed before it. Control thread.
struct SegmentStream {
  explicit SegmentStream(plugin::WeightStreamPlan planned) : plan(std::move(planned)) {}

  std::string backend;  ///< name of the instance that multiplies
  plugin::WeightStreamUse use;
  std::uint64_t file_bytes = 0;  ///< of the weights, but for those that the segment reads in place
  std::unique_ptr<GgufWeightStore> weights;
  plugin::WeightStreamPlan plan;
  std::optional<plugin::WeightStream> stream;  ///< after open()

  /// What will be allocated, and the pages of the file that are read.
  std::vector<MemoryRow> rows() const;
  /// The same of what is allocated. After open().
  std::vector<MemoryRow> memory_report() const;
  /// Opens the stream and hands it to the program.
  void open(plugin::BackendProgram& program);
};

/// Plans a stream for each segment that can give products away, with the device of the next segment
/// after it, or else before it, that has streams. After the segments are planned.
///   backends  by segment
/// Errors  INVALID_ARGUMENT: the settings ask for streams, and no segment can have one; the text says
///         why;  those of the backends
void plan_streams(const ModelSettings& settings, const GgufFile& file,
                  std::span<ModelSegment> segments,
                  std::span<const plugin::BackendInstance* const> backends);

/// "weights of layers 0 to 11 on cpu are streamed through gpu in steps of 256 tokens or more"
std::string stream_text(const ModelSegment& segment);

}  // namespace vernal
