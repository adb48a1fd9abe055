#include "plugin/weight_stream_client.hpp"

#include "plugin/backend_rows.hpp"

namespace vernal::plugin {

std::vector<MemoryRow> WeightStream::memory_report() const {
  std::vector<MemoryRow> rows;
  const vernal_memory_sink sink{append_row<MemoryRow, vernal_memory_row, memory_row>, &rows};
  table_->check(api_->memory_report(stream_.get(), &sink), "weight stream: memory_report");
  return rows;
}

vernal_weight_stream_stats WeightStream::stats() const {
  auto out = sized<vernal_weight_stream_stats>();
  table_->check(api_->stats(stream_.get(), &out), "weight stream: stats");
  return out;
}

const vernal_weight_stream_api* WeightStreamPlan::find_table(const vernal_backend_api& api) {
  const auto* table = find_extension<vernal_weight_stream_api>(api, VERNAL_EXT_WEIGHT_STREAM);
  const bool is_whole = table != nullptr && table->plan != nullptr && table->covers != nullptr &&
                        table->plan_rows != nullptr && table->plan_destroy != nullptr &&
                        table->open != nullptr && table->close != nullptr &&
                        table->multiply != nullptr && table->memory_report != nullptr &&
                        table->stats != nullptr;
  return is_whole ? table : nullptr;
}

WeightStreamPlan::WeightStreamPlan(const BackendTable& table, vernal_backend* backend,
                                   vernal_module_ref module, std::uint64_t most_rows)
    : table_(&table), api_(find_table(table.api)) {
  if (api_ == nullptr) throw Error(VERNAL_UNSUPPORTED, table.name + " has no streams of weights");
  vernal_weight_stream_plan* plan = nullptr;
  table.check(api_->plan(backend, module, most_rows, &plan), "weight stream: plan");
  plan_ = {require_made(plan, table, "weight stream: plan"), api_->plan_destroy};
}

bool WeightStreamPlan::covers(std::uint64_t weight) const {
  std::uint32_t covers = 0;
  table_->check(api_->covers(plan_.get(), weight, &covers), "weight stream: covers");
  return covers != 0;
}

std::vector<MemoryRow> WeightStreamPlan::rows() const {
  std::vector<MemoryRow> rows;
  const vernal_memory_sink sink{append_row<MemoryRow, vernal_memory_row, memory_row>, &rows};
  table_->check(api_->plan_rows(plan_.get(), &sink), "weight stream: plan_rows");
  return rows;
}

WeightStream WeightStreamPlan::open(WeightStore& weights) {
  const vernal_weight_source source = weight_source(weights);
  vernal_weight_stream* stream = nullptr;
  table_->check(api_->open(plan_.get(), &source, &stream), "weight stream: open");
  return WeightStream(table_, api_, require_made(stream, *table_, "weight stream: open"));
}

}  // namespace vernal::plugin
