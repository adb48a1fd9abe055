#include "step_change.hpp"

#include <algorithm>
#include <map>

namespace zoo {
namespace {

void (*change_of_outputs)(const StepFacts&, Numbers&) = nullptr;
std::map<vernal_ticket, StepFacts>& facts() {
  static std::map<vernal_ticket, StepFacts> by_ticket;
  return by_ticket;
}
std::map<vernal_ticket, std::vector<float>>& changed() {
  static std::map<vernal_ticket, std::vector<float>> by_ticket;
  return by_ticket;
}

StepFacts facts_of(const vernal_step_batch& batch) {
  StepFacts out;
  out.num_tokens = batch.num_tokens;
  for (std::uint64_t i = 0; i < batch.num_sequences; ++i) {
    out.parts.push_back(vernal::element_at(batch.sequences, batch.sequence_stride, i));
  }
  for (std::uint64_t i = 0; i < batch.num_inputs; ++i) {
    const vernal_step_input input = vernal::element_at(batch.inputs, batch.input_stride, i);
    const std::string_view name(input.name.data, input.name.size);
    if (name == "positions") {
      const auto* first = static_cast<const std::int32_t*>(input.data);
      out.positions.assign(first, first + input.bytes / sizeof(std::int32_t));
    }
    if (name != "x") continue;
    const auto* values = static_cast<const float*>(input.data);
    const std::uint64_t width = input.bytes / sizeof(float) / batch.num_tokens;
    for (std::uint64_t t = 0; t < batch.num_tokens; ++t) {
      out.is_zero_row.push_back(std::all_of(values + t * width, values + (t + 1) * width,
                                            [](float v) { return v == 0; }));
    }
  }
  return out;
}

}  // namespace

void change_outputs(Tables& t, void (*change)(const StepFacts& facts, Numbers& numbers)) {
  change_of_outputs = change;
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    const std::int32_t status = sound().backend.step_submit(pool, batch, out);
    if (status == VERNAL_OK) facts()[*out] = facts_of(*batch);
    return status;
  };
  t.backend.step_output = [](vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                             vernal_step_output* out) {
    const std::int32_t status = sound().backend.step_output(pool, ticket, name, out);
    if (status != VERNAL_OK || out->struct_size < sizeof(*out)) return status;
    std::vector<float>& values = changed()[ticket];
    values.assign(out->data, out->data + out->rows * out->columns);
    Numbers numbers{values, out->columns};
    change_of_outputs(facts()[ticket], numbers);
    out->data = values.data();
    return status;
  };
  t.backend.step_release = [](vernal_pool* pool, vernal_ticket ticket) {
    facts().erase(ticket);
    changed().erase(ticket);
    return sound().backend.step_release(pool, ticket);
  };
}

}  // namespace zoo
