#include "plugin/backend_pool.hpp"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <utility>

#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

vernal_step_input to_abi(const StepInput& input) {
  auto out = sized<vernal_step_input>();
  out.name = to_str(input.name);
  out.data = input.data.data();
  out.bytes = input.data.size();
  out.ticket = input.ticket;
  out.output = to_str(input.output);
  out.source = input.ticket == 0 ? VERNAL_INPUT_HOST : VERNAL_INPUT_STEP;
  return out;
}

// Backends may rely on a well-formed batch (abi/backend.h), so it is checked here.
void require_well_formed(const Step& step, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: step: {}", name, why));
  };
  std::uint64_t covered = 0;
  for (const StepSequence& part : step.sequences) {
    if (part.start != covered || part.count == 0) {
      refuse(fmt::format(
          "sequence {} expected to start at token {} with at least one, found {} with {}",
          part.sequence, covered, part.start, part.count));
    }
    covered += part.count;
  }
  if (covered != step.num_tokens || covered == 0) {
    refuse(fmt::format("sequences cover {} of {} tokens", covered, step.num_tokens));
  }
  std::int64_t previous = -1;
  for (const std::int32_t row : step.rows) {
    if (row <= previous || static_cast<std::uint64_t>(row) >= step.num_tokens) {
      refuse(fmt::format("row {} after {} among {} tokens", row, previous, step.num_tokens));
    }
    previous = row;
  }
}

}  // namespace

// ---- step -----------------------------------------------------------------------------------

BackendStep& BackendStep::operator=(BackendStep&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(pool_, other.pool_);
  std::swap(ticket_, other.ticket_);
  return *this;
}

BackendStep::~BackendStep() {
  if (ticket_ != 0) table_->api.step_release(pool_, ticket_);
}

bool BackendStep::wait(std::uint64_t timeout_ms) {
  const std::int32_t status = table_->api.step_wait(pool_, ticket_, timeout_ms);
  if (status == VERNAL_DEADLINE) return false;
  table_->check(status, "step");
  return true;
}

bool BackendStep::is_finished() {
  std::uint32_t done = 0;
  table_->check(table_->api.step_poll(pool_, ticket_, &done), "step_poll");
  return done != 0;
}

StepOutput BackendStep::output(std::string_view name, std::uint64_t rows, std::uint64_t columns) {
  auto out = sized<vernal_step_output>();
  table_->check(table_->api.step_output(pool_, ticket_, to_str(name), &out), "step_output");
  constexpr std::uint64_t kMaxElements = std::numeric_limits<std::int64_t>::max() / sizeof(float);
  const bool has_shape = out.rows == rows && out.columns != 0 &&
                         (columns == 0 || out.columns == columns) &&
                         (rows == 0 || out.columns <= kMaxElements / rows);
  if (!has_shape || (out.data == nullptr && rows != 0)) {
    throw Error(
        VERNAL_INTERNAL,
        fmt::format("{}: output \"{}\" expected [{}, {}], found [{}, {}]{}", table_->name, name,
                    rows, columns, out.rows, out.columns, out.data == nullptr ? " at null" : ""));
  }
  return {out.data, out.rows, out.columns};
}

// ---- pool -----------------------------------------------------------------------------------

vernal_pool_info BackendPool::info() const {
  auto out = sized<vernal_pool_info>();
  table_->check(table_->api.pool_info(pool_.get(), &out), "pool_info");
  return out;
}

std::optional<vernal_sequence_id> BackendPool::seq_create() {
  vernal_sequence_id id = 0;
  const std::int32_t status = table_->api.seq_create(pool_.get(), &id);
  if (status == VERNAL_RESOURCE_EXHAUSTED) return std::nullopt;
  table_->check(status, "seq_create");
  return id;
}

void BackendPool::seq_release(vernal_sequence_id sequence) {
  table_->check(table_->api.seq_release(pool_.get(), sequence), "seq_release");
}

bool BackendPool::seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) {
  const std::int32_t status = table_->api.seq_reserve(pool_.get(), sequence, num_tokens);
  if (status == VERNAL_RESOURCE_EXHAUSTED) return false;
  table_->check(status, "seq_reserve");
  return true;
}

std::uint64_t BackendPool::seq_length(vernal_sequence_id sequence, std::uint64_t function) {
  std::uint64_t length = 0;
  table_->check(table_->api.seq_length(pool_.get(), sequence, function, &length), "seq_length");
  return length;
}

std::uint64_t BackendPool::seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) {
  std::uint64_t position = 0;
  table_->check(table_->api.seq_restorable(pool_.get(), sequence, new_length, &position),
                "seq_restorable");
  if (position > new_length) {
    throw Error(VERNAL_INTERNAL, fmt::format("{}: seq_restorable expected at most {}, found {}",
                                             table_->name, new_length, position));
  }
  return position;
}

bool BackendPool::seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) {
  const std::int32_t status = table_->api.seq_truncate(pool_.get(), sequence, new_length);
  if (status == VERNAL_NOT_RESTORABLE) return false;
  table_->check(status, "seq_truncate");
  return true;
}

std::optional<vernal_sequence_id> BackendPool::seq_fork(vernal_sequence_id source,
                                                        vernal_checkpoint_id checkpoint,
                                                        std::uint64_t position) {
  vernal_sequence_id id = 0;
  const std::int32_t status = table_->api.seq_fork(pool_.get(), source, checkpoint, position, &id);
  if (status == VERNAL_RESOURCE_EXHAUSTED || status == VERNAL_NOT_RESTORABLE) return std::nullopt;
  table_->check(status, "seq_fork");
  return id;
}

void BackendPool::seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) {
  table_->check(table_->api.seq_restore(pool_.get(), sequence, checkpoint), "seq_restore");
}

std::optional<vernal_checkpoint_id> BackendPool::checkpoint_create(vernal_sequence_id sequence) {
  vernal_checkpoint_id id = 0;
  const std::int32_t status = table_->api.checkpoint_create(pool_.get(), sequence, &id);
  if (status == VERNAL_RESOURCE_EXHAUSTED) return std::nullopt;
  table_->check(status, "checkpoint_create");
  return id;
}

vernal_checkpoint_info BackendPool::checkpoint_info(vernal_checkpoint_id checkpoint) {
  auto out = sized<vernal_checkpoint_info>();
  table_->check(table_->api.checkpoint_info(pool_.get(), checkpoint, &out), "checkpoint_info");
  return out;
}

void BackendPool::checkpoint_release(vernal_checkpoint_id checkpoint) {
  table_->check(table_->api.checkpoint_release(pool_.get(), checkpoint), "checkpoint_release");
}

void BackendPool::snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                                  const vernal_sink& sink) {
  table_->check(table_->api.snapshot_export(pool_.get(), sequence, checkpoint, &sink),
                "snapshot_export");
}

vernal_sequence_id BackendPool::snapshot_import(const vernal_reader& reader) {
  vernal_sequence_id id = 0;
  table_->check(table_->api.snapshot_import(pool_.get(), &reader, &id), "snapshot_import");
  return id;
}

BackendStep BackendPool::submit(const Step& step) {
  require_well_formed(step, table_->name);
  inputs_.clear();
  sequences_.clear();
  outputs_.clear();
  for (const StepInput& input : step.inputs) inputs_.push_back(to_abi(input));
  for (const StepSequence& part : step.sequences) {
    sequences_.push_back(
        {sizeof(vernal_step_sequence), part.sequence, part.start, part.count, part.first_position});
  }
  for (const std::string_view output : step.outputs) outputs_.push_back(to_str(output));

  auto batch = sized<vernal_step_batch>();
  batch.num_tokens = step.num_tokens;
  batch.num_sequences = sequences_.size();
  batch.num_rows = step.rows.size();
  batch.inputs = inputs_.data();
  batch.num_inputs = inputs_.size();
  batch.input_stride = sizeof(vernal_step_input);
  batch.sequences = sequences_.data();
  batch.sequence_stride = sizeof(vernal_step_sequence);
  batch.rows = step.rows.data();
  batch.outputs = outputs_.data();
  batch.num_outputs = outputs_.size();
  batch.function = step.function;
  vernal_ticket ticket = 0;
  table_->check(table_->api.step_submit(pool_.get(), &batch, &ticket), "step_submit");
  if (ticket == 0)
    throw Error(VERNAL_INTERNAL, table_->name + ": step_submit answered the ticket 0");
  return BackendStep(table_, pool_.get(), ticket);
}

}  // namespace vernal::plugin
