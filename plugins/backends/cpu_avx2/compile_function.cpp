#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "buffer_planner.hpp"
#include "compiled_function.hpp"
#include "node_support.hpp"
#include "operations/experts.hpp"
#include "operations/linear.hpp"
#include "operations/positions.hpp"
#include "operations/recurrent.hpp"
#include "operations/rows.hpp"
#include "vernal/error.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

/// A value as rows of numbers: everything but the last dimension counts rows.
struct RowShape {
  RowCount rows;
  std::int64_t num_columns = 1;
};

RowShape row_shape(const Shape& shape) {
  RowShape out;
  for (std::uint32_t d = 0; d < shape.rank; ++d) {
    if (shape[d] < 0) {
      out.rows.leading = shape[d];
    } else if (d + 1 == shape.rank) {
      out.num_columns = shape[d];
    } else {
      out.rows.factor *= shape[d];
    }
  }
  return out;
}

class FunctionCompiler {
 public:
  FunctionCompiler(const Module& module, const Function& function, const CompileContext& context)
      : module_(module),
        function_(function),
        options_(context.options),
        kv_(context.kv),
        states_(context.states),
        num_threads_(context.num_threads),
        buffers_(function.values.size(), kNoBuffer),
        producers_(function.values.size(), nullptr),
        num_uses_(function.values.size(), 0),
        is_done_(function.nodes.size(), false) {
    for (const Node& node : function_.nodes) {
      for (const vernal_operand& operand : node.operands) {
        if (operand.kind == VERNAL_OPERAND_VALUE) ++num_uses_[operand.index];
      }
    }
  }

  CompiledFunction compile() {
    for (std::size_t i = 0; i < function_.nodes.size(); ++i) {
      if (!is_done_[i]) compile_node(i);
    }
    planner_.place(out_.operations);
    place_barriers(out_.operations, planner_.locations());
    out_.locations = planner_.locations();
    out_.arena_bytes = planner_.arena_bytes();
    out_.output_bytes = planner_.output_bytes();
    for (const auto& operation : out_.operations) {
      out_.scratch_bytes = std::max(out_.scratch_bytes, (operation->scratch_bytes + 63) / 64 * 64);
    }
    return std::move(out_);
  }

 private:
  using Method = void (FunctionCompiler::*)(const Node&);

  void compile_node(std::size_t index) {
    static const std::map<std::string_view, Method> kMethods{
        {"vernal.input/1", &FunctionCompiler::input},
        {"vernal.output/1", &FunctionCompiler::output},
        {"vernal.embed/1", &FunctionCompiler::embed},
        {"vernal.override_rows/1", &FunctionCompiler::override_rows},
        {"vernal.rmsnorm/1", &FunctionCompiler::norm},
        {"vernal.l2norm/1", &FunctionCompiler::norm},
        {"vernal.rope/1", &FunctionCompiler::rope},
        {"vernal.attention/1", &FunctionCompiler::attention},
        {"vernal.add/1", &FunctionCompiler::binary},
        {"vernal.mul/1", &FunctionCompiler::binary},
        {"vernal.scale/1", &FunctionCompiler::map},
        {"vernal.act/1", &FunctionCompiler::map},
        {"vernal.softcap/1", &FunctionCompiler::map},
        {"vernal.glu/1", &FunctionCompiler::glu},
        {"vernal.reshape/1", &FunctionCompiler::reshape},
        {"vernal.slice/1", &FunctionCompiler::slice},
        {"vernal.split/1", &FunctionCompiler::split},
        {"vernal.concat/1", &FunctionCompiler::concat},
        {"vernal.select_rows/1", &FunctionCompiler::select_rows},
        {"vernal.conv1d_state/1", &FunctionCompiler::conv1d_state},
        {"vernal.gated_delta_rule/1", &FunctionCompiler::gated_delta_rule},
        {"vernal.moe_route/1", &FunctionCompiler::moe_route},
        {"vernal.moe_glu/1", &FunctionCompiler::moe_glu},
    };
    const Node& node = function_.nodes[index];
    if (node.op == "vernal.linear/1") {
      linear(index);
    } else {
      (this->*kMethods.at(node.op))(node);
    }
  }

  // ---- values and buffers
  // ------------------------------------------------------------------------

  const Shape& shape(std::uint32_t value) const { return function_.values[value].shape; }
  std::uint32_t operand_value(const Node& node, std::size_t i) const {
    return node.operands[i].index;
  }
  BufferId operand(const Node& node, std::size_t i) const {
    return buffers_[operand_value(node, i)];
  }
  RowShape operand_rows(const Node& node, std::size_t i) const {
    return row_shape(shape(operand_value(node, i)));
  }

  /// Index of an optional weight operand, or -1.
  static std::int64_t weight(const Node& node, std::size_t i) {
    const vernal_operand operand = node.operand(i);
    return operand.kind == VERNAL_OPERAND_WEIGHT ? std::int64_t{operand.index} : -1;
  }

  std::int64_t most(RowCount rows) const {
    if (rows.leading == VERNAL_DIM_ROWS)
      return rows.factor * static_cast<std::int64_t>(options_.max_rows);
    if (rows.leading < 0)
      return rows.factor * static_cast<std::int64_t>(options_.max_tokens_per_step);
    return rows.factor;
  }

  BufferId new_buffer(std::uint32_t value) {
    const RowShape rows = row_shape(shape(value));
    buffers_[value] = planner_.add_arena(most(rows.rows) * rows.num_columns * kFloatBytes);
    return buffers_[value];
  }

  template <class T, class... Arguments>
  T* emit(Arguments&&... arguments) {
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    T* raw = made.get();
    out_.operations.push_back(std::move(made));
    return raw;
  }

  template <class T>
  void emit_rows(const Node& node, const typename T::Parameters& parameters) {
    producers_[node.outputs[0]] = emit<T>(parameters);
  }

  // ---- inputs and outputs
  // ------------------------------------------------------------------------

  void input(const Node& node) {
    const std::uint32_t value = node.outputs[0];
    const Shape& s = shape(value);
    InputSlot slot;
    slot.name = node.text("name", "");
    slot.element = function_.values[value].element;
    slot.leading = s.rank > 0 && s[0] < 0 ? s[0] : 1;
    for (std::uint32_t d = 0; d < s.rank; ++d) slot.factor *= s[d] < 0 ? 1 : s[d];
    buffers_[value] = planner_.add_input(static_cast<std::int64_t>(out_.inputs.size()));
    out_.inputs.push_back(std::move(slot));
  }

  /// Remembers that the integers of an input are indices below `limit`.
  void limit_input(BufferId buffer, std::int64_t limit) {
    const Location& location = planner_.locations()[static_cast<std::size_t>(buffer)];
    out_.inputs[static_cast<std::size_t>(location.offset)].limit = limit;
  }

  void output(const Node& node) {
    const RowShape rows = operand_rows(node, 0);
    BufferId buffer = operand(node, 0);
    if (planner_.locations()[static_cast<std::size_t>(buffer)].place == Place::kInput) {
      const BufferId copy = planner_.add_arena(most(rows.rows) * rows.num_columns * kFloatBytes);
      emit<CopyAxisOperation>(CopyAxisOperation::Parameters{
          buffer, copy, rows.rows, 1, rows.num_columns, rows.num_columns, 0, rows.num_columns, 0});
      buffer = copy;
    }
    planner_.make_output(buffer);
    out_.outputs.push_back(
        {std::string(node.text("name", "")), buffer, rows.rows, rows.num_columns});
  }

  // ---- rows
  // --------------------------------------------------------------------------------------

  void embed(const Node& node) {
    const std::uint32_t table = node.operands[1].index;
    const Weight& w = module_.weights[table];
    limit_input(operand(node, 0), w.shape[0]);
    emit<EmbedOperation>(
        EmbedOperation::Parameters{operand(node, 0), new_buffer(node.outputs[0]), table, w.shape[1],
                                   static_cast<float>(node.number("scale", 1))},
        row_scratch_bytes(w.format, w.shape[1]));
  }

  void select_rows(const Node& node) {
    const RowShape rows = operand_rows(node, 0);
    limit_input(operand(node, 1), VERNAL_DIM_TOKENS);
    emit<SelectRowsOperation>(operand(node, 0), operand(node, 1), new_buffer(node.outputs[0]),
                              rows.rows.factor * rows.num_columns);
  }

  void override_rows(const Node& node) {
    limit_input(operand(node, 2), VERNAL_DIM_TOKENS);
    emit<OverrideRowsOperation>(OverrideRowsOperation::Parameters{
        operand(node, 0), operand(node, 1), operand(node, 2), new_buffer(node.outputs[0]),
        operand_rows(node, 0).num_columns});
  }

  void norm(const Node& node) {
    const RowShape rows = operand_rows(node, 0);
    emit_rows<NormOperation>(
        node, {operand(node, 0), new_buffer(node.outputs[0]), weight(node, 1), rows.rows,
               rows.num_columns, static_cast<float>(node.number("eps", 0)),
               node.op == "vernal.l2norm/1"});
  }

  void glu(const Node& node) {
    const RowShape rows = operand_rows(node, 0);
    emit_rows<GluOperation>(node, {operand(node, 0), operand(node, 1), new_buffer(node.outputs[0]),
                                   *find_glu(node.text("kind", "")), rows.rows, rows.num_columns,
                                   static_cast<float>(node.number("alpha", 1.702)),
                                   static_cast<float>(node.number("limit", 7))});
  }

  void map(const Node& node) {
    const RowShape rows = operand_rows(node, 0);
    MapOperation::Parameters p{operand(node, 0),
                               new_buffer(node.outputs[0]),
                               MapOperation::Kind::kScale,
                               Activation::kSilu,
                               static_cast<float>(node.number("scale", 1)),
                               rows.rows,
                               rows.num_columns};
    if (node.op == "vernal.act/1") {
      p.kind = MapOperation::Kind::kActivate;
      p.activation = *find_activation(node.text("kind", ""));
    } else if (node.op == "vernal.softcap/1") {
      p.kind = MapOperation::Kind::kSoftcap;
      p.number = static_cast<float>(node.number("c", 1));
    }
    emit<MapOperation>(p);
  }

  /// Strides over the four dimensions of the result, 0 where the operand repeats.
  BinaryOperation::Source binary_source(const Node& node, std::size_t i) const {
    const bool is_weight = node.operands[i].kind == VERNAL_OPERAND_WEIGHT;
    const Shape& s =
        is_weight ? module_.weights[node.operands[i].index].shape : shape(operand_value(node, i));
    BinaryOperation::Source source{is_weight ? kNoBuffer : operand(node, i), weight(node, i), {}};
    std::int64_t stride = 1;
    for (std::uint32_t d = 0; d < s.rank; ++d) {
      const std::uint32_t from = s.rank - 1 - d;
      source.strides[3 - d] = s[from] == 1 ? 0 : stride;
      if (s[from] > 0) stride *= s[from];
    }
    return source;
  }

  void binary(const Node& node) {
    const Shape& s = shape(node.outputs[0]);
    BinaryOperation::Parameters p{binary_source(node, 0),
                                  binary_source(node, 1),
                                  new_buffer(node.outputs[0]),
                                  node.op == "vernal.add/1" ? Binary::kAdd : Binary::kMultiply,
                                  {1, 1, 1, 1}};
    for (std::uint32_t d = 0; d < s.rank; ++d) p.dims[4 - s.rank + d] = s[d];
    emit<BinaryOperation>(p);
  }

  // ---- shapes
  // ------------------------------------------------------------------------------------

  void reshape(const Node& node) {
    buffers_[node.outputs[0]] = operand(node, 0);
    // Rows of another length would be quantised differently; the same ones keep their maker.
    const RowShape before = operand_rows(node, 0);
    if (row_shape(shape(node.outputs[0])).num_columns == before.num_columns) {
      producers_[node.outputs[0]] = producers_[operand_value(node, 0)];
    }
  }

  /// A copy of part of an axis between two values, all but places and lengths filled in.
  CopyAxisOperation::Parameters axis_copy(std::uint32_t x, std::uint32_t y,
                                          std::size_t axis) const {
    const Shape& s = shape(x);
    CopyAxisOperation::Parameters p{};
    for (std::uint32_t d = 0; d < s.rank; ++d) {
      if (s[d] < 0) {
        p.rows.leading = s[d];
      } else if (d < axis) {
        p.rows.factor *= s[d];
      }
    }
    p.inner = 1;
    for (auto d = static_cast<std::uint32_t>(axis) + 1; d < s.rank; ++d) p.inner *= s[d];
    p.x = buffers_[x];
    p.y = buffers_[y];
    p.x_axis = s.dims[axis];
    p.y_axis = shape(y).dims[axis];
    return p;
  }

  void slice(const Node& node) {
    new_buffer(node.outputs[0]);
    auto p = axis_copy(operand_value(node, 0), node.outputs[0],
                       static_cast<std::size_t>(node.integer("axis", 0)));
    p.length = node.integer("length", 0);
    p.x_start = node.integer("start", 0);
    emit<CopyAxisOperation>(p);
  }

  void split(const Node& node) {
    std::int64_t start = 0;
    for (const std::uint32_t value : node.outputs) {
      new_buffer(value);
      auto p = axis_copy(operand_value(node, 0), value,
                         static_cast<std::size_t>(node.integer("axis", 0)));
      p.length = p.y_axis;
      p.x_start = start;
      start += p.length;
      emit<CopyAxisOperation>(p);
    }
  }

  void concat(const Node& node) {
    new_buffer(node.outputs[0]);
    std::int64_t start = 0;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      auto p = axis_copy(operand_value(node, i), node.outputs[0],
                         static_cast<std::size_t>(node.integer("axis", 0)));
      p.length = p.x_axis;
      p.y_start = start;
      start += p.length;
      emit<CopyAxisOperation>(p);
    }
  }

  // ---- products
  // ----------------------------------------------------------------------------------

  /// The quantised form of a value, made once: by its producer if that makes rows, else by itself.
  BufferId quantized(std::uint32_t value, ActivationKind kind) {
    const RowShape rows = row_shape(shape(value));
    const auto key = std::make_tuple(buffers_[value], rows.num_columns, kind);
    if (const auto found = quantized_.find(key); found != quantized_.end()) return found->second;
    const BufferId blocks = planner_.add_arena(
        static_cast<std::int64_t>(activation_bytes(kind, most(rows.rows), rows.num_columns)));
    if (producers_[value] != nullptr) {
      producers_[value]->add_quantized({blocks, kind});
    } else {
      emit<QuantizeOperation>(QuantizeOperation::Parameters{buffers_[value], blocks, kind,
                                                            rows.rows, rows.num_columns});
    }
    quantized_.emplace(key, blocks);
    return blocks;
  }

  /// The node that adds this product's result to something already computed, and does nothing else
  /// with it: its sum can be made where the result is written. Or the end of the nodes.
  std::size_t find_residual_add(std::size_t index) const {
    const std::uint32_t product = function_.nodes[index].outputs[0];
    const std::size_t none = function_.nodes.size();
    if (num_uses_[product] != 1) return none;
    for (std::size_t i = index + 1; i < none; ++i) {
      const Node& node = function_.nodes[i];
      const bool uses = std::ranges::any_of(node.operands, [&](const vernal_operand& o) {
        return o.kind == VERNAL_OPERAND_VALUE && o.index == product;
      });
      if (!uses) continue;
      if (node.op != "vernal.add/1" || other_operand(node, product) < 0) return none;
      const auto other = static_cast<std::uint32_t>(other_operand(node, product));
      const bool fits = buffers_[other] != kNoBuffer && shape(other) == shape(product) &&
                        shape(node.outputs[0]) == shape(product);
      return fits ? i : none;
    }
    return none;
  }

  /// The value that `node` adds to `product`, or -1 if it is a weight.
  static std::int64_t other_operand(const Node& node, std::uint32_t product) {
    for (const vernal_operand& o : node.operands) {
      if (o.kind != VERNAL_OPERAND_VALUE) return -1;
      if (o.index != product) return o.index;
    }
    return -1;
  }

  void linear(std::size_t index) {
    const Node& node = function_.nodes[index];
    const std::uint32_t x = operand_value(node, 0);
    const Weight& w = module_.weights[node.operands[1].index];
    LinearOperation::Parameters p{};
    p.kind = activation_kind(*find_weight_format(w.format));
    p.x = p.kind == ActivationKind::kFloat ? buffers_[x] : quantized(x, p.kind);
    p.residual = kNoBuffer;
    p.weight = node.operands[1].index;
    p.bias = weight(node, 2);
    p.rows = row_shape(shape(x)).rows;
    p.num_columns = w.shape[1];
    p.num_outputs = w.shape[0];
    std::uint32_t result = node.outputs[0];
    if (const std::size_t add = find_residual_add(index); add < function_.nodes.size()) {
      const auto other = static_cast<std::uint32_t>(other_operand(function_.nodes[add], result));
      p.residual = buffers_[other];
      result = function_.nodes[add].outputs[0];
      is_done_[add] = true;
    }
    p.y = new_buffer(result);
    emit<LinearOperation>(p);
  }

  // ---- positions
  // ---------------------------------------------------------------------------------

  /// The table of sines and cosines for these parameters, made at its first use.
  BufferId rope_table(const RopeParameters& parameters, const Node& node) {
    const BufferId positions = operand(node, 1);
    const std::int64_t factors = weight(node, 2);
    for (const KnownTable& known : tables_) {
      if (known.parameters == parameters && known.positions == positions &&
          known.factors == factors) {
        return known.table;
      }
    }
    const auto tokens = static_cast<std::int64_t>(options_.max_tokens_per_step);
    const BufferId table = planner_.add_arena(tokens * parameters.n_rot * kFloatBytes);
    const std::int64_t num_axes = shape(operand_value(node, 1)).last();
    out_.rope_tables.push_back(
        emit<RopeTableOperation>(parameters, factors, num_axes, positions, table));
    tables_.push_back({parameters, positions, factors, table});
    return table;
  }

  void rope(const Node& node) {
    const RopeParameters parameters = rope_parameters(node);
    const BufferId table = rope_table(parameters, node);
    const Shape& s = shape(operand_value(node, 0));
    emit<RopeOperation>(RopeOperation::Parameters{operand(node, 0), new_buffer(node.outputs[0]),
                                                  table, parameters.n_rot / 2, s[1], s[2],
                                                  node.text("style", "neox") == "interleaved"});
  }

  void attention(const Node& node) {
    const std::uint32_t state = node.operands[3].index;
    AttentionOperation::Parameters p{};
    p.q = operand(node, 0);
    p.k = operand(node, 1);
    p.v = operand(node, 2);
    p.sinks = weight(node, 4);
    p.kv_group = kv_.group(state);
    p.page_offset = kv_.offset(state);
    p.shape.layout = kv_.layout(state);
    p.shape.num_query_heads = shape(operand_value(node, 0))[1];
    p.shape.window = module_.states[state].window;
    p.shape.scale = static_cast<float>(node.number("scale", 1));
    p.shape.softcap = static_cast<float>(node.number("softcap", 0));
    p.shape.is_causal = node.integer("causal", 1) != 0;
    p.schedule = schedule_of(p.shape);
    p.y = new_buffer(node.outputs[0]);
    const auto context_length = static_cast<std::int64_t>(options_.context_length);
    const std::int64_t splits = (context_length + kSplitTokens - 1) / kSplitTokens;
    const std::int64_t rows = std::int64_t{4} * num_threads_ * p.shape.num_query_heads * splits;
    p.partial_rows = rows;
    p.partials = planner_.add_arena(rows * partial_floats(p.shape.layout.value_dim) * kFloatBytes);
    const auto* made = emit<AttentionOperation>(p);
    if (p.schedule == static_cast<std::int64_t>(out_.scheduled.size())) {
      out_.scheduled.push_back(made);
    }
  }

  /// Number of the schedule for operations that cut a step up alike.
  std::int64_t schedule_of(const Attention& a) const {
    for (std::size_t i = 0; i < out_.scheduled.size(); ++i) {
      const Attention& known = out_.scheduled[i]->parameters().shape;
      if (known.window == a.window && known.is_causal == a.is_causal &&
          known.num_query_heads == a.num_query_heads &&
          known.layout.num_heads == a.layout.num_heads) {
        return static_cast<std::int64_t>(i);
      }
    }
    return static_cast<std::int64_t>(out_.scheduled.size());
  }

  // ---- recurrent states
  // --------------------------------------------------------------------------

  void conv1d_state(const Node& node) {
    const StatePlan::Entry& state = states_.entry(node.operands[3].index);
    Conv1d conv = conv_parameters(module_, node);
    conv.num_columns = state.num_parts;
    emit<ConvOperation>(ConvOperation::Parameters{operand(node, 0), new_buffer(node.outputs[0]),
                                                  node.operands[1].index, weight(node, 2),
                                                  state.offset, conv});
  }

  void gated_delta_rule(const Node& node) {
    const StatePlan::Entry& state = states_.entry(node.operands[5].index);
    DeltaRule rule = delta_rule_parameters(function_, node);
    rule.num_versions = state.num_parts;
    emit<DeltaRuleOperation>(DeltaRuleOperation::Parameters{
        operand(node, 0), operand(node, 1), operand(node, 2), operand(node, 3), operand(node, 4),
        new_buffer(node.outputs[0]), state.offset, rule});
  }

  // ---- experts
  // -----------------------------------------------------------------------------------

  void moe_route(const Node& node) {
    emit<MoeRouteOperation>(MoeRouteOperation::Parameters{
        operand(node, 0), new_buffer(node.outputs[0]), new_buffer(node.outputs[1]), weight(node, 1),
        route_parameters(function_, node)});
  }

  /// A matrix of moe_glu/1 whose input is rows of K by visit.
  MoeGluOperation::Matrix expert_matrix(const Node& node, std::size_t i, std::int64_t visits) {
    const Weight& w = module_.weights[node.operands[i].index];
    MoeGluOperation::Matrix m{};
    m.weight = node.operands[i].index;
    m.bias = weight(node, i + 3);
    m.kind = activation_kind(*find_weight_format(w.format));
    m.num_outputs = w.shape[1];
    m.num_columns = w.shape[2];
    m.output = planner_.add_arena(visits * m.num_outputs * kFloatBytes);
    return m;
  }

  BufferId visit_rows(const MoeGluOperation::Matrix& m, std::int64_t visits) {
    return planner_.add_arena(
        m.kind == ActivationKind::kFloat
            ? visits * m.num_columns * kFloatBytes
            : static_cast<std::int64_t>(activation_bytes(m.kind, visits, m.num_columns)));
  }

  void moe_glu(const Node& node) {
    MoeGluOperation::Parameters p{};
    p.x = operand(node, 0);
    p.ids = operand(node, 1);
    p.weights = operand(node, 2);
    p.num_used = shape(operand_value(node, 1))[1];
    p.num_experts = module_.weights[node.operands[3].index].shape[0];
    if (planner_.locations()[static_cast<std::size_t>(p.ids)].place == Place::kInput) {
      limit_input(p.ids, p.num_experts);
    }
    const std::int64_t visits = MoeGluOperation::most_visits(
        static_cast<std::int64_t>(options_.max_tokens_per_step), p.num_used);
    p.gate = expert_matrix(node, 3, visits);
    p.up = expert_matrix(node, 4, visits);
    p.down = expert_matrix(node, 5, visits);
    p.gate.input = visit_rows(p.gate, visits);
    p.up.input = p.up.kind == p.gate.kind ? p.gate.input : visit_rows(p.up, visits);
    const bool is_float = p.down.kind == ActivationKind::kFloat;
    p.down.input = is_float ? p.gate.output : visit_rows(p.down, visits);
    p.kind = *find_glu(node.text("kind", ""));
    p.alpha = static_cast<float>(node.number("alpha", 1.702));
    p.limit = static_cast<float>(node.number("limit", 7));
    p.weights_input = node.text("weight_on", "out") == "in";
    p.y = new_buffer(node.outputs[0]);
    emit<MoeGluOperation>(p);
  }

  struct KnownTable {
    RopeParameters parameters;
    BufferId positions;
    std::int64_t factors;
    BufferId table;
  };

  const Module& module_;
  const Function& function_;
  const PlanOptions& options_;
  const KvPlan& kv_;
  const StatePlan& states_;
  std::int32_t num_threads_;
  CompiledFunction out_;
  BufferPlanner planner_;
  std::vector<BufferId> buffers_;         // by value
  std::vector<RowOperation*> producers_;  // by value; null unless rows are made one by one
  std::vector<std::int64_t> num_uses_;    // by value
  std::vector<bool> is_done_;             // by node: merged into an earlier one
  std::map<std::tuple<BufferId, std::int64_t, ActivationKind>, BufferId> quantized_;
  std::vector<KnownTable> tables_;
};

}  // namespace

CompiledFunction compile_function(const Module& module, std::uint32_t function,
                                  const CompileContext& context) {
  return FunctionCompiler(module, module.functions[function], context).compile();
}

}  // namespace vernal::cpu_avx2
