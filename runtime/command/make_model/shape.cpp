#include "command/make_model/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "command/make_model/tensors.hpp"
#include "config/nesting.hpp"
#include "config/suggestion.hpp"
#include "config/table_reader.hpp"
#include "config/text_file.hpp"
#include "model/printable.hpp"
#include "model/row_quantizer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kLargestFile = 1024 * 1024;

//   architecture, biases, head norms, post norms, experts, hybrid, rope base
constexpr std::array<ModelFamily, 7> kFamilies{{
    {"llama", false, false, false, false, false, 500000},
    {"qwen2", true, false, false, false, false, 1000000},
    {"qwen3", false, true, false, false, false, 1000000},
    {"gemma3", false, true, true, false, false, 1000000},
    {"qwen3moe", false, true, false, true, false, 1000000},
    {"qwen35", false, true, false, false, true, 10000000},
    {"qwen35moe", false, true, false, true, true, 10000000},
}};

// Far above any model, far below what could wrap a product of two.
constexpr Bounds kLayers{1, 1024};
constexpr Bounds kSize{1, 1 << 20};
constexpr Bounds kHeads{1, 1 << 14};

toml::table parse(const std::string& text, const std::filesystem::path& file) {
  check_nesting(text, file.native());
  try {
    return toml::parse(text, std::string_view(file.native()));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    const SourcePlace place{file.string(), at.line, at.column};
    const std::string_view what = error.description();
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: {}", place.text(), printable(what, what.size())));
  }
}

/// One parse of one file.
class ShapeReader {
 public:
  ShapeReader(const toml::table& root, const std::filesystem::path& file)
      : root_(root), file_(std::make_shared<const std::string>(file.string())) {}

  ModelShape read() {
    TableReader reader("", root_, file_, problems_);
    std::int64_t schema = 0;
    if (!reader.has("schema")) reader.problem("schema", "the file must say \"schema = 1\"");
    reader.read("schema", schema, {1, 1});
    read_family(reader);
    reader.read("name", shape_.name);
    reader.read("seed", shape_.seed, {1, 9e15});
    const toml::table* tokenizer = required_table(reader, "tokenizer");
    const toml::table* shape = required_table(reader, "shape");
    const toml::table* types = required_table(reader, "types");
    reader.finish();
    problems_.raise();  // without a family and these tables, nothing else can be judged
    read_tokenizer(*tokenizer);
    read_shape(*shape);
    problems_.raise();  // the tensors follow from the shape
    read_types(*types);
    problems_.raise();
    return std::move(shape_);
  }

 private:
  const toml::table* required_table(TableReader& reader, std::string_view key) {
    const toml::table* found = reader.table(key);
    if (found == nullptr && !reader.has(key)) {
      reader.problem(key, fmt::format("the file needs a table [{}]", key));
    }
    return found;
  }

  void read_family(TableReader& reader) {
    std::vector<std::string> known;
    for (const ModelFamily& family : kFamilies) known.emplace_back(family.architecture);
    std::string architecture;
    if (!reader.has("architecture")) {
      reader.problem("architecture", "the file must name an \"architecture\"");
    }
    reader.read_choice("architecture", architecture, known);
    shape_.family = find_model_family(architecture);
    shape_.name = "random " + architecture;
  }

  void read_tokenizer(const toml::table& table) {
    TableReader reader("tokenizer", table, file_, problems_);
    reader.require("from", "the model file whose tokenizer is cut");
    reader.read_path("from", shape_.tokenizer);
    reader.read("tokens", shape_.num_tokens, {1, 1 << 22});
    reader.finish();
  }

  void require_size(TableReader& reader, std::string_view key, std::int64_t& out, Bounds bounds) {
    reader.require(key, "an integer");
    reader.read(key, out, bounds);
  }

  void require_divisor(TableReader& reader, std::string_view key, std::int64_t divisor,
                       std::int64_t number) {
    if (divisor <= 0 || number % divisor == 0) return;
    reader.problem(key, fmt::format("\"{}\": expected a divisor of {}, found {}",
                                    reader.full_name(key), number, divisor));
  }

  void read_shape(const toml::table& table) {
    TableReader reader("shape", table, file_, problems_);
    ModelShape& s = shape_;
    require_size(reader, "layers", s.layers, kLayers);
    require_size(reader, "hidden_size", s.hidden_size, kSize);
    require_size(reader, "feed_forward_size", s.feed_forward_size, kSize);
    require_size(reader, "heads", s.heads, kHeads);
    s.kv_heads = s.heads;
    reader.read("kv_heads", s.kv_heads, kHeads);
    require_divisor(reader, "kv_heads", s.kv_heads, s.heads);
    require_size(reader, "head_size", s.head_size, {2, 1 << 14});
    s.rotated_size = s.family->is_hybrid && s.head_size >= 8 ? s.head_size / 8 * 2 : s.head_size;
    reader.read("rotated_size", s.rotated_size, {2, static_cast<double>(s.head_size)});
    if (s.rotated_size % 2 != 0) {
      reader.problem("rotated_size", fmt::format("\"{}\": expected an even number, found {}",
                                                 reader.full_name("rotated_size"), s.rotated_size));
    }
    reader.read("context_length", s.context_length, {1, 1 << 30});
    s.rope_base = s.family->rope_base;
    reader.read("rope_base", s.rope_base, {2, 1e15});
    reader.read("norm_eps", s.norm_eps, {1e-12, 1});
    reader.read("tied_head", s.tied_head);
    if (s.family->has_post_norms) reader.read("window", s.window, {1, 1 << 30});
    if (s.family->has_experts) read_experts(reader);
    if (s.family->is_hybrid) read_delta_net(reader);
    reader.finish();
  }

  void read_experts(TableReader& shape) {
    const toml::table* table = required_table(shape, "experts");
    if (table == nullptr) return;
    TableReader reader("shape.experts", *table, file_, problems_);
    ExpertShape& e = shape_.experts;
    require_size(reader, "count", e.count, {1, 4096});
    require_size(reader, "used", e.used, {1, static_cast<double>(std::max(e.count, {1}))});
    require_size(reader, "size", e.size, kSize);
    if (shape_.family->is_hybrid) require_size(reader, "shared_size", e.shared_size, kSize);
    reader.finish();
  }

  void read_delta_net(TableReader& shape) {
    const toml::table* table = required_table(shape, "delta_net");
    if (table == nullptr) return;
    TableReader reader("shape.delta_net", *table, file_, problems_);
    DeltaNetShape& d = shape_.delta_net;
    require_size(reader, "key_heads", d.key_heads, kHeads);
    require_size(reader, "value_heads", d.value_heads, kHeads);
    require_divisor(reader, "key_heads", d.key_heads, d.value_heads);
    reader.read("head_size", d.head_size, {2, 1 << 14});
    reader.read("conv_width", d.conv_width, {2, 64});
    reader.read("attention_interval", d.attention_interval, kLayers);
    reader.read("prediction_layers", d.prediction_layers, {0, 1});
    reader.finish();
  }

  const BlockType* read_type(TableReader& reader, const std::string& key) {
    std::string name;
    reader.read(key, name);
    if (name.empty()) return nullptr;
    const BlockType* type = find_quantizable_type(name);
    if (type == nullptr) {
      reader.problem(key,
                     fmt::format("\"{}\": expected one of {}, found \"{}\"", reader.full_name(key),
                                 quantizable_type_names(), printable(name, 60)));
    }
    return type;
  }

  void read_types(const toml::table& table) {
    TableReader reader("types", table, file_, problems_);
    reader.require("default", "the type of matrices without a key of their own");
    shape_.default_type = read_type(reader, "default");
    std::set<std::string> stems;
    for (const TensorPlan& tensor : plan_tensors(shape_, 1)) {
      if (tensor.is_matrix) stems.insert(tensor.stem);
    }
    for (const std::string& stem : stems) {
      if (const BlockType* type = read_type(reader, stem)) shape_.types[stem] = type;
    }
    reader.finish();
    if (shape_.default_type != nullptr) check_columns(reader);
  }

  /// Each stem once: its tensors have the same columns.
  void check_columns(TableReader& reader) {
    std::set<std::string> seen;
    for (const TensorPlan& tensor : plan_tensors(shape_, 1)) {
      if (tensor.type->accepts_columns(tensor.columns()) || !seen.insert(tensor.stem).second) {
        continue;
      }
      reader.problem(shape_.types.contains(tensor.stem) ? tensor.stem : "default",
                     fmt::format("tensor \"{}\": {} needs rows of a multiple of {} weights, "
                                 "found {}; give \"{}\" another type",
                                 tensor.name, tensor.type->name, tensor.type->weights_per_block,
                                 tensor.columns(), tensor.stem));
    }
  }

  const toml::table& root_;
  std::shared_ptr<const std::string> file_;
  Problems problems_;
  ModelShape shape_;
};

}  // namespace

const ModelFamily* find_model_family(std::string_view architecture) noexcept {
  const auto* const found = std::ranges::find(kFamilies, architecture, &ModelFamily::architecture);
  return found == kFamilies.end() ? nullptr : found;
}

ModelShape read_model_shape(const std::filesystem::path& file) {
  const toml::table root = parse(read_text_file(file, "a TOML file", kLargestFile), file);
  return ShapeReader(root, file).read();
}

}  // namespace vernal
