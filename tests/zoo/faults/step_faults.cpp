// Faults of steps: results and inputs, and what one program of an instance does to another.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "zoo.hpp"

namespace zoo {
namespace {

/// All results lie in one buffer, where the next one replaces them.
void results_are_replaced(Tables& t) {
  t.backend.step_output = [](vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                             vernal_step_output* out) {
    static std::vector<float> buffer(1 << 16);
    const std::int32_t status = sound().backend.step_output(pool, ticket, name, out);
    const std::uint64_t count = out->rows * out->columns;
    if (status != VERNAL_OK || count > buffer.size()) return status;
    std::copy_n(out->data, count, buffer.begin());
    out->data = buffer.data();
    return status;
  };
}

/// Takes the newest result for that of the step it was told.
void reads_newest_result(Tables& t) {
  static std::vector<float> newest;
  t.backend.step_wait = [](vernal_pool* pool, vernal_ticket ticket, std::uint64_t timeout_ms) {
    const std::int32_t status = sound().backend.step_wait(pool, ticket, timeout_ms);
    vernal_step_output out{};
    out.struct_size = sizeof(out);
    if (status == VERNAL_OK &&
        sound().backend.step_output(pool, ticket, {"hidden", 6}, &out) == VERNAL_OK) {
      newest.assign(out.data, out.data + out.rows * out.columns);
    }
    return status;
  };
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    vernal_step_batch mine = vernal::copy_in(batch);
    vernal_step_input input{};
    if (batch->num_inputs == 1) input = vernal::element_at(batch->inputs, batch->input_stride, 0);
    if (input.source == VERNAL_INPUT_STEP) {
      input.source = VERNAL_INPUT_HOST;
      input.data = newest.data();
      input.bytes = newest.size() * sizeof(float);
      mine.inputs = &input;
      mine.input_stride = sizeof(input);
    }
    return sound().backend.step_submit(pool, &mine, out);
  };
}

/// Keeps the inputs of a step in a buffer that all programs of the process share.
void shared_scratch(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    static std::array<std::byte, 1 << 16> scratch;
    std::vector<vernal_step_input> inputs;
    std::size_t used = 0;
    for (std::uint64_t i = 0; i < batch->num_inputs; ++i) {
      inputs.push_back(vernal::element_at(batch->inputs, batch->input_stride, i));
      vernal_step_input& input = inputs.back();
      if (input.source != VERNAL_INPUT_HOST || input.bytes > scratch.size() - used) continue;
      std::memcpy(scratch.data() + used, input.data, input.bytes);
      input.data = scratch.data() + used;
      used += input.bytes;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));  // as long as a step takes
    vernal_step_batch mine = vernal::copy_in(batch);
    mine.inputs = inputs.data();
    mine.input_stride = sizeof(inputs[0]);
    return sound().backend.step_submit(pool, &mine, out);
  };
}

/// The loading of weights uses what the steps of other programs use.
void build_disturbs_steps(Tables& t) {
  static std::atomic<bool> is_building;
  t.backend.program_build = [](vernal_plan* plan, const vernal_weight_source* source,
                               const vernal_progress* progress, vernal_program** out) {
    is_building = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::int32_t status = sound().backend.program_build(plan, source, progress, out);
    is_building = false;
    return status;
  };
  t.backend.step_output = [](vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                             vernal_step_output* out) {
    const std::int32_t status = sound().backend.step_output(pool, ticket, name, out);
    if (status == VERNAL_OK && is_building) const_cast<float*>(out->data)[0] += 1;
    return status;
  };
}

void trusts_external_rows(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    for (std::uint64_t i = 0; i < batch->num_inputs; ++i) {
      const auto input = vernal::element_at(batch->inputs, batch->input_stride, i);
      if (std::string_view(input.name.data, input.name.size) != "ext_index") continue;
      const auto* index = static_cast<const std::int32_t*>(input.data);
      // What an unchecked row does when it is far outside.
      volatile char* far = nullptr;
      for (std::uint64_t x = 0; x < input.bytes / sizeof(std::int32_t); ++x) {
        if (index[x] > 1'000'000) far[index[x]] = 1;
      }
    }
    return sound().backend.step_submit(pool, batch, out);
  };
}

void prints(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    std::printf("step of %d tokens\n", static_cast<int>(batch->num_tokens));
    return sound().backend.step_submit(pool, batch, out);
  };
}

void prints_errors(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    const std::int32_t status = sound().backend.step_submit(pool, batch, out);
    if (status != VERNAL_OK) std::fputs("a step failed\n", stderr);
    return status;
  };
}

/// Keeps the address of a weight that it has given back.
void reads_after_unmap(Tables& t) {
  static const volatile char* weight = nullptr;
  t.backend.program_build = [](vernal_plan* plan, const vernal_weight_source* source,
                               const vernal_progress* progress, vernal_program** out) {
    const void* data = nullptr;
    std::uint64_t bytes = 0;
    if (source->map(source->user, 0, &data, &bytes) == VERNAL_OK) {
      weight = static_cast<const volatile char*>(data);
      source->unmap(source->user, 0);
    }
    return sound().backend.program_build(plan, source, progress, out);
  };
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    const char first = *weight;
    static_cast<void>(first);
    return sound().backend.step_submit(pool, batch, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& step_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"results_are_replaced", results_are_replaced},
      {"reads_newest_result", reads_newest_result},
      {"shared_scratch", shared_scratch},
      {"build_disturbs_steps", build_disturbs_steps},
      {"trusts_external_rows", trusts_external_rows},
      {"prints", prints},
      {"prints_errors", prints_errors},
      {"reads_after_unmap", reads_after_unmap},
  };
  return faults;
}

}  // namespace zoo
