#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/kv_quality.hpp"
#include "command/text_scores.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct KvcheckArguments {
  std::filesystem::path file;
  std::string model;
  std::filesystem::path text;
  std::vector<std::string> depths{"2K", "8K"};
  std::vector<std::string> formats{"q8_0", "q8_0/q4_0", "q4_0"};  // as of `vernal perplexity --kv`
  std::uint64_t tokens = 256;                                     // scored after each depth
  bool json = false;
};

/// What is measured: the text, and which of its tokens.
struct Plan {
  std::vector<TokenId> tokens;
  std::vector<std::uint64_t> depths;
  std::uint64_t count = 0;  // scored after each depth

  /// Tokens of the longest sequence.
  std::uint64_t length() const { return depths.back() + count; }
};

std::vector<std::uint64_t> parse_depths(const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> out;
  for (const std::string& text : texts) out.push_back(parse_token_count(text));
  std::ranges::sort(out);
  return out;
}

/// Each format that was asked for as it is stored plainly and, if it is quantised, rotated.
std::vector<KvCacheSettings> variants(const std::vector<std::string>& formats) {
  std::vector<KvCacheSettings> out;
  for (const std::string& format : formats) {
    KvCacheSettings kv = parse_kv_format(format);
    const bool can_rotate = kv.is_rotated();
    kv.rotate = false;
    out.push_back(kv);
    if (!can_rotate) continue;
    kv.rotate = true;
    out.push_back(kv);
  }
  return out;
}

/// The rows of f16; reads the text on the way, because the model has the vocabulary.
std::vector<KvBaseline> measure_baseline(OpenDeployment& open, ModelSettings settings,
                                         const std::filesystem::path& text, Plan& plan,
                                         std::uint64_t& bytes_per_token) {
  settings.kv_cache = {};
  TextModel model(open, settings, plan.length());
  plan.tokens = read_text_tokens(text, *model.loaded().tokenizer);
  if (plan.tokens.size() <= plan.length()) {
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format("--text {}: depth {} and {} scored tokens need more than {} tokens, found {}",
                    text.string(), plan.depths.back(), plan.count, plan.length(),
                    plan.tokens.size()));
  }
  bytes_per_token = model.bytes_per_kv_token();
  std::vector<KvBaseline> out;
  for (const std::uint64_t depth : plan.depths) {
    KvBaseline& baseline = out.emplace_back();
    baseline.logits.reserve(plan.count * model.loaded().vocabulary_size);
    model.score(plan.tokens, depth, plan.count, [&](std::uint64_t, auto logits) {
      baseline.logits.insert(baseline.logits.end(), logits.begin(), logits.end());
      baseline.log_sums.push_back(log_sum_of(logits));
    });
  }
  return out;
}

KvResult measure(OpenDeployment& open, ModelSettings settings, const KvCacheSettings& kv,
                 const Plan& plan, const std::vector<KvBaseline>& baselines) {
  KvResult result;
  result.kv = settings.kv_cache = kv;
  try {
    TextModel model(open, settings, plan.length());
    result.bytes_per_token = model.bytes_per_kv_token();
    for (std::size_t i = 0; i < baselines.size(); ++i) {
      KvComparison comparison(baselines[i], plan.depths[i]);
      model.score(plan.tokens, plan.depths[i], plan.count, [&](std::uint64_t row, auto logits) {
        comparison.add(row, logits, plan.tokens[plan.depths[i] + row + 1]);
      });
      result.qualities.push_back(comparison.result());
    }
  } catch (const Error& error) {
    if (error.code() != VERNAL_UNSUPPORTED) throw;
    result.refusal = error.what();
  }
  return result;
}

std::string name_of(const KvCacheSettings& kv) {
  return kv_format_text(kv) + (kv.is_rotated() ? " rotated" : "");
}

void print_lines(const KvResult& result) {
  if (!result.refusal.empty()) {
    fmt::print("{:<20}  refused: {}\n", name_of(result.kv), result.refusal);
  }
  for (const KvQuality& q : result.qualities) {
    fmt::print("{:<20}  {:>7}  {:>8.1f}  {:>10.6f}  {:>10.4f}  {:>8.2f}%  {:>10.4f}  {:>+8.3f}%\n",
               name_of(result.kv), q.depth, static_cast<double>(result.bytes_per_token) / 1024,
               q.divergence, q.worst_divergence, q.agreement * 100, q.perplexity,
               (q.perplexity / q.baseline_perplexity - 1) * 100);
  }
  std::fflush(stdout);
}

std::string recommendation(const KvResult* best) {
  if (best == nullptr) return "kv_cache = { keys = \"f16\", values = \"f16\" }";
  return fmt::format("kv_cache = {{ keys = \"{}\", values = \"{}\", rotate = {} }}", best->kv.keys,
                     best->kv.values, best->kv.is_rotated());
}

boost::json::object to_json(const KvResult& result) {
  boost::json::array qualities;
  for (const KvQuality& q : result.qualities) {
    qualities.push_back(boost::json::object{{"depth", q.depth},
                                            {"kl_divergence", q.divergence},
                                            {"worst_kl_divergence", q.worst_divergence},
                                            {"top1_agreement", q.agreement},
                                            {"perplexity", q.perplexity},
                                            {"baseline_perplexity", q.baseline_perplexity}});
  }
  boost::json::object out{{"keys", result.kv.keys},
                          {"values", result.kv.values},
                          {"rotate", result.kv.is_rotated()},
                          {"bytes_per_token", result.bytes_per_token},
                          {"depths", std::move(qualities)}};
  if (!result.refusal.empty()) out["refusal"] = result.refusal;
  return out;
}

void print_json(const ModelSettings& settings, const Plan& plan,
                const std::vector<KvResult>& results) {
  boost::json::array list;
  for (const KvResult& result : results) list.push_back(to_json(result));
  fmt::print("{}\n", boost::json::serialize(boost::json::object{
                         {"model", settings.path.filename().string()},
                         {"scored_tokens", plan.count},
                         {"formats", std::move(list)},
                         {"recommendation", recommendation(recommended_format(results))}}));
}

int kvcheck(const KvcheckArguments& arguments) {
  Plan plan;
  plan.depths = parse_depths(arguments.depths);
  plan.count = arguments.tokens;
  const std::vector<KvCacheSettings> asked = variants(arguments.formats);
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  log.set_level(LogLevel::kWarning);
  open.price_models();
  const ModelSettings settings = open.model(arguments.model).settings();
  std::uint64_t bytes_per_token = 0;
  const auto baselines = measure_baseline(open, settings, arguments.text, plan, bytes_per_token);
  if (!arguments.json) {
    fmt::print("{}: {} tokens scored after each depth; f16 takes {:.1f} KiB a token\n",
               settings.path.filename().string(), plan.count,
               static_cast<double>(bytes_per_token) / 1024);
    fmt::print("{:<20}  {:>7}  {:>8}  {:>10}  {:>10}  {:>9}  {:>10}  {:>9}\n", "keys/values",
               "depth", "KiB/tok", "mean KL", "worst KL", "same top", "perplexity", "change");
  }
  std::vector<KvResult> results;
  for (const KvCacheSettings& kv : asked) {
    results.push_back(measure(open, settings, kv, plan, baselines));
    if (!arguments.json) print_lines(results.back());
  }
  if (arguments.json) {
    print_json(settings, plan, results);
  } else {
    fmt::print(
        "\nThe smallest with a mean KL divergence of at most {} and the same likeliest token in "
        "{}% "
        "of places:\n  {}\n",
        kMostDivergence, kLeastAgreement * 100, recommendation(recommended_format(results)));
  }
  return 0;
}

}  // namespace

void add_kvcheck_command(CommandLine& line) {
  const auto arguments = std::make_shared<KvcheckArguments>();
  CLI::App& command =
      line.add("kvcheck", "Compare KV cache formats with f16 on a text, and recommend one",
               [arguments] { return kvcheck(*arguments); });
  add_deployment_file(command, arguments->file);
  command.add_option("-m,--model", arguments->model, "model; default: the first");
  command.add_option("--text", arguments->text, "text file like those the model will see")
      ->required();
  command
      .add_option("-d,--depth", arguments->depths,
                  "tokens before the first that is scored: 512, 2K")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--kv", arguments->formats,
                  "formats or KEYS/VALUES, each measured with rotation and without")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--tokens", arguments->tokens, "tokens scored after each depth")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command.add_flag("--json", arguments->json, "print JSON");
}

}  // namespace vernal
