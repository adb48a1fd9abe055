"""Faults for planted_faults.py: small edits of the CUDA backend, each of which a test on the emulated device must catch."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Test:
    program: str
    filter: str
    schedule: str = "greedy_reverse"


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str  # what is wrong
    file: str  # in the backend's folder
    text: str  # which stands there once
    replacement: str
    tests: tuple  # that may catch it, the fastest first


TESTS = {
    "quantize": Test("cuda_sm86_quantize_test", "*"),
    "multiply": Test("cuda_sm86_multiply_test", "*/q4_0:*/iq4_ks"),
    "multiply-all": Test("cuda_sm86_multiply_test", "*"),
    "formats": Test("weight_formats_test", "*/*"),
    "operations": Test("operations_test", "*/*"),
    "operations-forward": Test("operations_test", "*/*", "greedy_forward"),
    "limits": Test("step_limits_test", "*/*"),
    "snapshot": Test("snapshot_test", "*/*"),
    "sequences": Test("hybrid_state_test", "*OtherSequences*"),
    "rollback": Test("hybrid_state_test", "*TakesBack*"),
    "earlier-step": Test("prediction_layer_test", "*TakesThe*"),
    "hybrid": Test("hybrid_state_test", "*/*-*AFailedStep*"),
    "logits-dense": Test("model_logits_test", "*Within*q4_k_m*"),
    "logits-experts": Test("model_logits_test", "*Within*moe*"),
    "logits-all": Test("model_logits_test", "*Within*"),
    "logits-hybrid": Test("model_logits_test", "*Within*iq4_ks*"),
    "attention": Test("cuda_sm86_attention_test", "*"),
    "kv": Test("kv_formats_test", "*BothBackends*"),
    "window": Test("window_test", "Windows.Agree*"),
    "programs": Test("state_programs_test", "*/*"),
    "reads": Test("cuda_sm86_weight_reads_test", "*"),
    "fused": Test("fusion_test", "*Products*q4_K:*Products*iq4_ks"),
    "fused-models": Test("fusion_test", "*Models*"),
}

FAULTS = (
    # ---- experts
    Fault("experts: no barrier before the counts of all", "kernels/experts/visits.cu",
          "  __syncthreads();\n  if (threadIdx.x == 0) {", "  if (threadIdx.x == 0) {", ("operations", "operations-forward")),
    Fault("experts: an expert's second tile is another's", "kernels/experts/visits.cu",
          "tile < end / kColumnTile; ++tile)", "tile < start / kColumnTile + 1; ++tile)", ("operations",)),
    Fault("experts: the row of another token is gathered", "kernels/experts/visits.cu",
          "(visit / g.visits.num_used)", "(visit % g.visits.num_used)", ("operations",)),
    Fault("router: experts of groups that were not chosen", "kernels/experts/route.cu",
          "if (!is_taken(shared.groups[e / size]))", "if (!is_taken(shared.groups[e % route.num_groups]))", ("operations",)),
    Fault("router: a taken expert is seen by some lanes alone", "kernels/experts/route.cu",
          "      shared.choices[best] = taken();\n    }\n    __syncwarp();\n", "      shared.choices[best] = taken();\n    }\n",
          ("operations", "operations-forward")),
    # ---- the host's side
    Fault("a graph for fewer tokens than the step has", "state/pool.cpp",
          "std::bit_width(most - 1)", "std::bit_width(most) - 1", ("operations", "logits-dense")),
    Fault("a graph has the results of another slot", "state/pool.cpp",
          "const StepContext step = context(f, slot, {", "const StepContext step = context(f, 0, {", ("earlier-step",)),
    Fault("the step's number of rows is stale", "state/pool.cpp",
          "  counts.num_rows = static_cast<std::int32_t>(batch.rows.size());\n",
          "  counts.num_rows = 1;\n", ("operations", "limits", "logits-dense")),
    Fault("pages of the first sequence for all", "state/pool.cpp",
          "ids + static_cast<std::int64_t>(i) * layout.most_pages", "ids", ("limits", "sequences",)),
    Fault("pages of sequences overlap in a step's memory", "compile/step_layout.cpp",
          "place(max_sequences * most_pages * 4)", "place(most_pages * 4)", ("limits", "sequences",)),
    Fault("states of the first slot for all sequences", "state/pool.cpp",
          "static_cast<std::int32_t>(part.first_position), state.slot,", "static_cast<std::int32_t>(part.first_position), 0,",
          ("sequences",)),
    Fault("weights: a staging is filled before it is packed", "weights.cpp",
          "    if (staging.is_used) staging.done.wait();\n", "", ("formats", "logits-dense")),
    Fault("weights: a piece of rows lands at the first row", "weights.cpp",
          "repack.first_row = static_cast<std::int32_t>(first);", "repack.first_row = 0;", ("formats", "logits-dense", "logits-all")),
    # ---- recurrent layers
    Fault("delta rule: no barrier before a token's rows are read", "kernels/recurrent/delta_rule.cu",
          "    __syncthreads();\n    const float y = pass_token(", "    const float y = pass_token(", ("operations", "operations-forward")),
    Fault("delta rule: the rows of this token are those of the next one", "kernels/recurrent/delta_rule.cu",
          "shared_rows.of[(position - known) % 2]", "shared_rows.of[0]", ("operations", "operations-forward", "rollback")),
    Fault("delta rule: the sum of a column lacks two lanes", "kernels/recurrent/delta_rule.cu",
          "return x + __shfl_xor_sync(kFullWarp, x, 2);", "return x + __shfl_xor_sync(kFullWarp, x, 4);", ("operations",)),
    Fault("delta rule: the state of another slot", "kernels/recurrent/delta_rule.cu",
          "rule.states + part.slot * rule.slot_bytes", "rule.states", ("sequences",)),
    Fault("delta rule: the log is written over what is read of it", "kernels/recurrent/delta_rule.cu",
          "position, 1 - part.log_side)", "position, part.log_side)", ("rollback", "hybrid")),
    Fault("delta rule: the matrix is stored a token late", "kernels/recurrent/delta_rule.cu",
          "if (position + 1 == stored &&", "if (position == stored &&", ("operations", "rollback")),
    Fault("convolution: a column of the state is a token off", "kernels/recurrent/conv1d.cu",
          "columns[static_cast<int64_t>(position % conv.num_columns) * conv.num_channels + channel] =",
          "columns[static_cast<int64_t>((position + 1) % conv.num_columns) * conv.num_channels + channel] =", ("operations", "sequences")),
    Fault("convolution: the sequence before this one's start", "kernels/recurrent/conv1d.cu",
          "  if (position < 0) return 0.0F;\n", "", ("operations", "sequences")),
    # ---- rows
    Fault("quantisation: the sum of a block lacks its scale", "kernels/matmul/quantize_block.hpp",
          "= scale * sum;", "= sum;", ("quantize",)),
    Fault("rotation: wrong sign", "kernels/elementwise/rope.cu",
          "before * cosines[j] - after * sines[j]", "before * cosines[j] + after * sines[j]", ("operations",)),
    Fault("overridden rows: the first mention of a token wins", "kernels/elementwise/copy.cu",
          "for (int i = 0; i < rows.counts->num_external; ++i) {", "for (int i = rows.counts->num_external - 1; i >= 0; --i) {",
          ("limits", "operations", "logits-all")),
    Fault("part of a row: copied from its beginning", "kernels/elementwise/copy.cu",
          "copy.x + row * copy.x_stride + copy.x_start", "copy.x + row * copy.x_stride", ("operations", "logits-all")),
    # ---- attention
    Fault("keys and values: the page of the next position", "kernels/attention/prepare.cu",
          "a.most_pages + position / kPagePositions]", "a.most_pages + (position + 1) / kPagePositions]", ("logits-dense", "kv", "window")),
    Fault("keys: no barrier between norm and rotation", "kernels/attention/prepare.cu",
          "  __syncwarp();\n  if (rows.rope.table != nullptr)", "  if (rows.rope.table != nullptr)", ("attention", "logits-dense")),
    Fault("queries: wrong sign of a rotation", "kernels/attention/prepare.cu",
          "before * cosines[j] - after * sines[j]", "before * cosines[j] + after * sines[j]", ("logits-dense",)),
    Fault("attention: a merge of splits keeps the old sums as they were", "kernels/attention/finish.cu",
          "merged(numbers[j], merge.old_factor,", "merged(numbers[j], 1.0F,", ("attention", "window")),
    Fault("attention: the gate of another head", "kernels/attention/finish.cu",
          "static_cast<int>(blockIdx.x) * gate.head_stride", "0 * gate.head_stride", ("logits-hybrid",)),
    # ---- launches of several operations
    Fault("gated products: the first matrix twice", "kernels/matmul/multiply_gated.hpp",
          "m.products[j / 2].matrix;", "m.products[0].matrix;", ("fused",)),
    Fault("gated products: no barrier before results are added up", "kernels/matmul/multiply_gated.hpp",
          "  __syncthreads();\n", "", ("fused",)),
    Fault("mixed products: the parts of another format", "kernels/matmul/multiply_tiles.hpp",
          "parts_of(tiles_of<Codec>(p.matrix.num_columns)));", "kMostParts);", ("fused-models",)),
    Fault("normed delta rule: no barrier before a head is normed", "kernels/recurrent/delta_rule.cu",
          "head_rows.of[i][place.column] = y; });\n  __syncthreads();\n", "head_rows.of[i][place.column] = y; });\n",
          ("fused-models",)),
    Fault("fusion: a value that others read is not written", "compile/fusion/fuse_quantization.cpp",
          "list.num_readers(p.x) > 1", "false", ("fused-models", "logits-all")),
    Fault("epilogue: factors before the activation", "kernels/matmul/finish_output.hpp",
          "  if (p.is_activated) sum = activate(p.activation, sum);\n  if (p.factors != nullptr) sum = __fmul_rn(sum, p.factors[n]);\n",
          "  if (p.factors != nullptr) sum = __fmul_rn(sum, p.factors[n]);\n  if (p.is_activated) sum = activate(p.activation, sum);\n",
          ("fused",)),
    # ---- products
    Fault("staged products: a copy is not waited for", "kernels/matmul/multiply_staged.hpp",
          "wait_copies<kStages - 2>();", "wait_copies<kStages - 1>();", ("multiply",)),
    Fault("staged products: no barrier before a chunk", "kernels/matmul/multiply_staged.hpp",
          "    __syncthreads();\n    start_next(", "    start_next(", ("multiply",)),
    Fault("staged products: a part of K is added again", "kernels/matmul/multiply_staged.hpp",
          "        part[i][r] = 0.0F;\n", "", ("multiply",)),
    Fault("staged products: what lies behind the last column counts", "kernels/matmul/multiply_staged.hpp",
          "    if (Codec::kRawColumns < Codec::kColumns && group >= num_blocks) continue;\n", "", ("multiply",)),
    Fault("products: wrong fragment of an output", "kernels/matmul/multiply_tiles.hpp",
          "output % 8 * 4 + in_tile / 2", "output % 8 * 4 + in_tile % 4", ("formats", "logits-dense")),
    Fault("products: the last tile of K is lost", "kernels/matmul/multiply_tiles.hpp",
          "for (; k + num_parts < num_tiles;", "for (; k + 2 * num_parts < num_tiles;", ("multiply", "formats", "logits-dense")),
    Fault("q5_k: the fifth bit of the other block", "kernels/matmul/formats/codes.hpp",
          "4 * (group % 2) + r", "4 * ((group + 1) % 2) + r", ("formats",)),
    Fault("iq4_xs: the upper bits of the next scale", "kernels/matmul/formats/codecs_256.hpp",
          ">> (16 + 2 * group) & 3U", ">> (18 + 2 * group) & 3U", ("formats",)),
    Fault("iq4_ks: the bit of the scale's byte moves the wrong rows", "kernels/matmul/formats/codecs_256.hpp",
          "    a[1] += high;\n    a[2] += low;\n", "    a[1] += low;\n    a[2] += high;\n", ("formats",)),
)
