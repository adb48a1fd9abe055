#include "command/memory_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "command/step_bytes.hpp"
#include "config/units.hpp"

namespace vernal {
namespace {

std::string_view category_name(std::uint32_t category) {
  switch (category) {
    case VERNAL_MEMORY_WEIGHTS:
      return "weights";
    case VERNAL_MEMORY_WEIGHTS_EXTRA:
      return "weights extra";
    case VERNAL_MEMORY_KV:
      return "kv cache";
    case VERNAL_MEMORY_RECURRENT:
      return "recurrent state";
    case VERNAL_MEMORY_CHECKPOINTS:
      return "checkpoints";
    case VERNAL_MEMORY_WORKSPACE:
      return "workspace";
    case VERNAL_MEMORY_GRAPHS:
      return "graphs";
    case VERNAL_MEMORY_PINNED_HOST:
      return "pinned host";
    case VERNAL_MEMORY_MAPPED_FILE:
      return "mapped file";
    default:
      return "other";
  }
}

constexpr std::string_view kProcessCategory = "process";

/// What it holds, as rows: object and bytes.
std::vector<std::pair<std::string, std::uint64_t>> rows_of(const ProcessMemory& process) {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const ProcessMemory::Text& text : process.texts) {
    out.emplace_back("vocabulary of " + text.model, text.bytes);
  }
  out.emplace_back("program, libraries and plugins", process.program_bytes);
  return out;
}

/// Planned bytes in host memory, of one category; 0: of all.
std::uint64_t host_bytes(std::span<const ResidentModel* const> models, std::uint32_t category) {
  std::uint64_t sum = 0;
  for (const ResidentModel* model : models) {
    for (const MemoryRow& row : model->rows()) {
      const bool counts = category == 0 || row.category == category;
      if (row.device == kHostDevice && counts) sum += row.bytes;
    }
  }
  return sum;
}

std::string table_line(std::string_view object, std::size_t width, std::string_view category,
                       std::string_view device, std::uint64_t bytes) {
  return fmt::format("  {:<{}}  {:<15}  {:<8}  {:>15}  {:>12}\n", object, width, category, device,
                     bytes, format_size(bytes));
}

}  // namespace

std::string memory_table(const ResidentModel& model) {
  const ModelSettings& settings = model.settings();
  std::string out = fmt::format(
      "model {}: {}, context length {}, {} slots, KV {}/{}, {} KV tokens\n", settings.name,
      settings.path.filename().string(), model.context_length(), settings.slots,
      settings.kv_cache.keys, settings.kv_cache.values, model.kv_tokens());
  const std::vector<MemoryRow> rows = model.rows();
  std::size_t width = 6;
  for (const MemoryRow& row : rows) width = std::max(width, row.object.size());
  out += fmt::format("  {:<{}}  {:<15}  {:<8}  {:>15}  {:>12}\n", "object", width, "category",
                     "device", "bytes", "");
  std::map<std::string, std::uint64_t> totals;
  for (const MemoryRow& row : rows) {
    out += table_line(row.object, width, category_name(row.category), row.device, row.bytes);
    totals[row.device] += row.bytes;
  }
  for (const auto& [device, bytes] : totals) {
    out += table_line("total", width, "", device, bytes);
  }
  const vernal_plan_info info = model.plan_info();
  const auto gigabytes = [&](std::uint64_t depth) {
    return static_cast<double>(step_bytes(info, depth)) / 1e9;
  };
  out += fmt::format("  a token moves {:.3f} GB at depth 0, {:.3f} GB at depth {}\n", gigabytes(0),
                     gigabytes(model.context_length()), model.context_length());
  if (!model.placement_text().empty()) out += fmt::format("  {}\n", model.placement_text());
  for (const std::string& text : model.stream_texts()) out += fmt::format("  {}\n", text);
  for (const std::string& remark : model.remarks()) out += fmt::format("  note: {}\n", remark);
  return out;
}

boost::json::object memory_json(const ResidentModel& model) {
  boost::json::array rows;
  std::uint64_t total = 0;
  for (const MemoryRow& row : model.rows()) {
    rows.push_back({{"object", row.object},
                    {"device", row.device},
                    {"category", category_name(row.category)},
                    {"bytes", row.bytes}});
    total += row.bytes;
  }
  boost::json::array remarks;
  for (const std::string& remark : model.remarks()) remarks.emplace_back(remark);
  boost::json::array layers;
  for (const ModelSegment& segment : model.segments()) {
    boost::json::object range{{"backend", segment.backend}, {"first", segment.first}};
    if (segment.last >= 0) range["last"] = segment.last;  // else to the end
    if (segment.stream) {
      range["streamed_through"] = segment.stream->backend;
      range["stream_weights"] = segment.stream->use.least_rows;
    }
    layers.push_back(std::move(range));
  }
  const vernal_plan_info info = model.plan_info();
  boost::json::object out{{"model", model.settings().name},
                          {"file", model.settings().path.string()},
                          {"context_length", model.context_length()},
                          {"kv_tokens", model.kv_tokens()},
                          {"bytes_per_kv_token", info.bytes_per_kv_token},
                          {"weight_bytes_per_step", info.weight_bytes_per_step},
                          {"token_bytes_at_depth_0", step_bytes(info, 0)},
                          {"token_bytes_at_full_context", step_bytes(info, model.context_length())},
                          {"rows", std::move(rows)},
                          {"layers", std::move(layers)},
                          {"remarks", std::move(remarks)},
                          {"total_bytes", total}};
  if (!model.placement_text().empty()) out["placement"] = model.placement_text();
  return out;
}

std::string process_table(std::span<const ResidentModel* const> models,
                          const ProcessMemory& process) {
  std::string out = "the process\n";
  std::size_t width = 6;
  const auto rows = rows_of(process);
  for (const auto& [object, bytes] : rows) width = std::max(width, object.size());
  for (const auto& [object, bytes] : rows) {
    out += table_line(object, width, kProcessCategory, kHostDevice, bytes);
  }
  const std::uint64_t resident = process.total_bytes() + host_bytes(models, 0);
  out += table_line("with all models", width, "", kHostDevice, resident);
  out += fmt::format("  of it {} of KV cache, in memory as far as conversations fill it\n",
                     format_size(host_bytes(models, VERNAL_MEMORY_KV)));
  if (const std::uint64_t mapped = host_bytes(models, VERNAL_MEMORY_MAPPED_FILE); mapped > 0) {
    out += fmt::format("  and {} of model files, in memory as far as they are read\n",
                       format_size(mapped));
  }
  return out + fmt::format("  requests and their answers are judged with {} more\n",
                           format_size(kRequestRoom));
}

boost::json::object process_json(std::span<const ResidentModel* const> models,
                                 const ProcessMemory& process) {
  boost::json::array rows;
  for (const auto& [object, bytes] : rows_of(process)) {
    rows.push_back({{"object", object},
                    {"device", kHostDevice},
                    {"category", kProcessCategory},
                    {"bytes", bytes}});
  }
  return {{"rows", std::move(rows)},
          {"total_bytes", process.total_bytes()},
          {"host_bytes", process.total_bytes() + host_bytes(models, 0)},
          {"request_room_bytes", kRequestRoom}};
}

boost::json::object shortage_json(const MemoryShortage& shortage) {
  boost::json::array fits;
  for (const std::string& change : shortage.fits) fits.emplace_back(change);
  return {{"device", shortage.device},
          {"needed_bytes", shortage.needed},
          {"available_bytes", shortage.available},
          {"limit", shortage.limit_name},
          {"fits_with", std::move(fits)}};
}

}  // namespace vernal
