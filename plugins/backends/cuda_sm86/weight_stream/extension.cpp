#include "weight_stream/extension.hpp"

#include <memory>
#include <string>
#include <utility>

#include "backend.hpp"
#include "weight_stream/weight_stream.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// vernal_weight_stream_plan
struct StreamPlan {
  std::shared_ptr<const Instance> instance;
  StreamLayout layout;

  std::string device_name() const { return vernal::cuda_sm86::device_name(instance->device); }
};

/// vernal_weight_stream. `plan` outlives it.
struct OpenStream {
  const StreamPlan& plan;
  WeightStream stream;
};

const StreamPlan& plan_of(const vernal_weight_stream_plan* handle) {
  return detail::object<const StreamPlan>(const_cast<vernal_weight_stream_plan*>(handle),
                                          "weight stream plan");
}
OpenStream& stream_of(const vernal_weight_stream* handle) {
  return detail::object<OpenStream>(const_cast<vernal_weight_stream*>(handle), "weight stream");
}

std::int32_t make_plan(vernal_backend* handle, vernal_module_ref module, std::uint64_t most_rows,
                       vernal_weight_stream_plan** out) noexcept {
  return guard([&] {
    // A handle of this backend is a CudaBackend (detail/backend_thunks.hpp).
    const auto& backend = static_cast<const CudaBackend&>(detail::object(handle));
    detail::hand_over(std::unique_ptr<StreamPlan>(new StreamPlan{
                          backend.instance(), StreamLayout(read_module(module), most_rows)}),
                      out);
  });
}

std::int32_t covers(const vernal_weight_stream_plan* handle, std::uint64_t index,
                    std::uint32_t* out) noexcept {
  return guard([&] { *out = plan_of(handle).layout.covers(index) ? 1 : 0; });
}

std::int32_t plan_rows(const vernal_weight_stream_plan* handle,
                       const vernal_memory_sink* sink) noexcept {
  return guard([&] {
    const StreamPlan& plan = plan_of(handle);
    detail::emit(
        stream_rows(plan.layout.device_bytes(), plan.layout.pinned_bytes(), plan.device_name()),
        sink);
  });
}

void plan_destroy(vernal_weight_stream_plan* handle) noexcept {
  delete reinterpret_cast<StreamPlan*>(handle);
}

std::int32_t open_stream(vernal_weight_stream_plan* handle, const vernal_weight_source* source,
                         vernal_weight_stream** out) noexcept {
  return guard([&] {
    const StreamPlan& plan = plan_of(handle);
    if (plan.layout.order().empty()) {
      throw Error(VERNAL_UNSUPPORTED, "weight stream: no weight of the module is covered");
    }
    require_usable(*plan.instance);
    use_device(*plan.instance);
    detail::hand_over(
        std::unique_ptr<OpenStream>(new OpenStream{plan, {plan.layout, WeightSource(source)}}),
        out);
  });
}

void close_stream(vernal_weight_stream* handle) noexcept {
  auto* const stream = reinterpret_cast<OpenStream*>(handle);
  if (stream == nullptr) return;
  // If the device is lost, there is nothing to be freed any more.
  static_cast<void>(guard([&] { use_device(*stream->plan.instance); }));
  delete stream;
}

std::int32_t multiply(vernal_weight_stream* handle, std::uint64_t index, const float* x,
                      std::uint64_t num_rows, float* y) noexcept {
  return guard([&] {
    OpenStream& stream = stream_of(handle);
    use_device(*stream.plan.instance);
    stream.stream.multiply(index, x, static_cast<std::int64_t>(num_rows), y);
  });
}

std::int32_t memory_report(const vernal_weight_stream* handle,
                           const vernal_memory_sink* sink) noexcept {
  return guard([&] {
    const OpenStream& stream = stream_of(handle);
    detail::emit(stream.stream.memory_report(stream.plan.device_name()), sink);
  });
}

std::int32_t stats(const vernal_weight_stream* handle, vernal_weight_stream_stats* out) noexcept {
  return guard([&] { copy_out(stream_of(handle).stream.stats(), out); });
}

}  // namespace

const vernal_weight_stream_api& weight_stream_table() {
  static constexpr vernal_weight_stream_api kTable = {sizeof(vernal_weight_stream_api),
                                                      make_plan,
                                                      covers,
                                                      plan_rows,
                                                      plan_destroy,
                                                      open_stream,
                                                      close_stream,
                                                      multiply,
                                                      memory_report,
                                                      stats};
  return kTable;
}

}  // namespace vernal::cuda_sm86
