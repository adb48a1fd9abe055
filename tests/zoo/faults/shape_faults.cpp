// Kernels that are right at the sizes their author tried: heads, keys, rows, tokens and sequences
// beyond one tile, one block of threads or one batch.
#include <algorithm>
#include <cmath>

#include "module_change.hpp"
#include "step_change.hpp"
#include "zoo.hpp"

namespace zoo {
namespace {

/// Wrong attention where `is_wrong` says so of the shapes of q and k, [T, heads, size].
void change_attention(Tables& t, bool (*is_wrong)(const std::vector<std::int64_t>& q,
                                                  const std::vector<std::int64_t>& k)) {
  static bool (*chosen)(const std::vector<std::int64_t>&, const std::vector<std::int64_t>&);
  chosen = is_wrong;
  change_nodes(t, [](ReadNode& node) {
    if (node.op != "vernal.attention/1" || !chosen(node.shape(0), node.shape(1))) return;
    node.find("scale")->number *= 0.95;
  });
}

void heads_of_192(Tables& t) {
  change_attention(t, [](const auto&, const auto& k) { return k[2] == 192; });
}
void heads_of_256(Tables& t) {
  change_attention(t, [](const auto&, const auto& k) { return k[2] == 256; });
}
void eight_heads_over_one(Tables& t) {
  change_attention(t, [](const auto& q, const auto& k) { return q[1] / k[1] == 8; });
}
void many_heads_over_one(Tables& t) {
  change_attention(t, [](const auto& q, const auto& k) { return q[1] / k[1] > 8; });
}

/// The first keys of a long sequence are lost.
void loses_keys_behind_128(Tables& t) {
  change_windows(t, [](vernal_state_desc& state, std::vector<std::int64_t>) {
    if (state.window == 0) state.window = 128;
  });
}
void loses_keys_behind_512(Tables& t) {
  change_windows(t, [](vernal_state_desc& state, std::vector<std::int64_t>) {
    if (state.window == 0) state.window = 512;
  });
}
void wide_window_is_128(Tables& t) {
  change_windows(t, [](vernal_state_desc& state, std::vector<std::int64_t>) {
    state.window = std::min<std::int64_t>(state.window, 128);
  });
}

/// All windows of a model are taken for its first one.
void one_window_for_all(Tables& t) {
  change_windows(t, [](vernal_state_desc& state, std::vector<std::int64_t> windows) {
    if (state.window > 0) state.window = windows.front();
  });
}
/// A model with windows has them in every layer.
void windows_in_full_layers(Tables& t) {
  change_windows(t, [](vernal_state_desc& state, std::vector<std::int64_t> windows) {
    if (state.window == 0 && !windows.empty()) state.window = windows.back();
  });
}

/// The columns from `first` on are not computed.
void clear_columns(Numbers& numbers, std::uint64_t first) {
  for (std::uint64_t r = 0; r < numbers.rows(); ++r) {
    for (std::uint64_t c = first; c < numbers.columns; ++c) {
      numbers.values[r * numbers.columns + c] = 0;
    }
  }
}

void leaves_row_257_out(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) {
    if (numbers.columns > 256 && numbers.columns < 512) clear_columns(numbers, 256);
  });
}
/// It counts in whole tiles of 64 rows.
void leaves_part_of_tile_out(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) {
    if (numbers.columns > 512) clear_columns(numbers, numbers.columns / 64 * 64);
  });
}
/// Its grid has 4,096 rows.
void leaves_row_4097_out(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) { clear_columns(numbers, 4096); });
}

/// Tokens from `first` on are not computed.
void clear_rows(Numbers& numbers, std::uint64_t first) {
  for (std::uint64_t r = first; r < numbers.rows(); ++r) numbers.scale(r, 0);
}

void leaves_token_257_out(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.num_tokens < 512) clear_rows(numbers, 256);
  });
}
void leaves_token_513_out(Tables& t) {
  change_outputs(t, [](const StepFacts&, Numbers& numbers) { clear_rows(numbers, 512); });
}

/// The parts of a step from `first` on are not computed.
void clear_parts(const StepFacts& facts, Numbers& numbers, std::uint64_t first) {
  for (std::uint64_t p = first; p < facts.parts.size(); ++p) {
    for (std::uint64_t i = 0; i < facts.parts[p].count; ++i) {
      if (facts.parts[p].start + i < numbers.rows()) numbers.scale(facts.parts[p].start + i, 0);
    }
  }
}

void leaves_fourth_sequence_out(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    if (facts.parts.size() == 4) clear_parts(facts, numbers, 3);
  });
}
void leaves_ninth_sequence_out(Tables& t) {
  change_outputs(t,
                 [](const StepFacts& facts, Numbers& numbers) { clear_parts(facts, numbers, 8); });
}

/// Integers that change their shape pass through floats of 16 bits.
void reshapes_integers_as_halves(Tables& t) {
  static bool reshapes_integers;
  change_nodes(t, [](ReadNode& node) {
    if (node.index == 0) reshapes_integers = false;
    if (node.op != "vernal.reshape/1") return;
    vernal_value_view value{};
    value.struct_size = sizeof(value);
    true_module().value(read_module(), node.function, node.operands[0].index, &value);
    if (value.element == VERNAL_ELEMENT_I32) reshapes_integers = true;
  });
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    std::vector<vernal_step_input> inputs;
    std::vector<std::int32_t> rounded;
    for (std::uint64_t i = 0; i < batch->num_inputs; ++i) {
      inputs.push_back(vernal::element_at(batch->inputs, batch->input_stride, i));
      vernal_step_input& input = inputs.back();
      if (!reshapes_integers || std::string_view(input.name.data, input.name.size) != "ids") {
        continue;
      }
      const auto* ids = static_cast<const std::int32_t*>(input.data);
      rounded.assign(ids, ids + input.bytes / sizeof(std::int32_t));
      for (std::int32_t& id : rounded) {
        if (id > 2048) id = id / 4 * 4;
      }
      input.data = rounded.data();
    }
    vernal_step_batch mine = vernal::copy_in(batch);
    mine.inputs = inputs.data();
    mine.input_stride = sizeof(inputs[0]);
    return sound().backend.step_submit(pool, &mine, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& shape_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"heads_of_192", heads_of_192},
      {"heads_of_256", heads_of_256},
      {"eight_heads_over_one", eight_heads_over_one},
      {"many_heads_over_one", many_heads_over_one},
      {"loses_keys_behind_128", loses_keys_behind_128},
      {"loses_keys_behind_512", loses_keys_behind_512},
      {"wide_window_is_128", wide_window_is_128},
      {"one_window_for_all", one_window_for_all},
      {"windows_in_full_layers", windows_in_full_layers},
      {"leaves_row_257_out", leaves_row_257_out},
      {"leaves_part_of_tile_out", leaves_part_of_tile_out},
      {"leaves_row_4097_out", leaves_row_4097_out},
      {"leaves_token_257_out", leaves_token_257_out},
      {"leaves_token_513_out", leaves_token_513_out},
      {"leaves_fourth_sequence_out", leaves_fourth_sequence_out},
      {"leaves_ninth_sequence_out", leaves_ninth_sequence_out},
      {"reshapes_integers_as_halves", reshapes_integers_as_halves},
  };
  return faults;
}

}  // namespace zoo
