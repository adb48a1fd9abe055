// The settings of sampling by name, and which values they may have: the one table for deployments,
// profiles and requests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "text/request/sampling_options.hpp"

namespace vernal {

/// Both ends are allowed.
struct SamplingBounds {
  double least;
  double most;
};

struct SamplingNumber {
  std::string_view name;
  double SamplingOptions::*member;
  SamplingBounds bounds;
};

struct SamplingCount {
  std::string_view name;
  std::int32_t SamplingOptions::*member;
  SamplingBounds bounds;
};

inline constexpr double kMostCount = std::numeric_limits<std::int32_t>::max();

inline constexpr std::array kSamplingNumbers = {
    SamplingNumber{"temperature", &SamplingOptions::temperature, {0, 2}},
    SamplingNumber{"dynatemp_range", &SamplingOptions::dynatemp_range, {0, 2}},
    SamplingNumber{"dynatemp_exponent", &SamplingOptions::dynatemp_exponent, {0, 10}},
    SamplingNumber{"top_p", &SamplingOptions::top_p, {0, 1}},
    SamplingNumber{"min_p", &SamplingOptions::min_p, {0, 1}},
    SamplingNumber{"typical_p", &SamplingOptions::typical_p, {0, 1}},
    SamplingNumber{"top_n_sigma", &SamplingOptions::top_n_sigma, {-1, 100}},
    SamplingNumber{"xtc_probability", &SamplingOptions::xtc_probability, {0, 1}},
    SamplingNumber{"xtc_threshold", &SamplingOptions::xtc_threshold, {0, 1}},
    SamplingNumber{"repetition_penalty", &SamplingOptions::repetition_penalty, {0.01, 100}},
    SamplingNumber{"presence_penalty", &SamplingOptions::presence_penalty, {-2, 2}},
    SamplingNumber{"frequency_penalty", &SamplingOptions::frequency_penalty, {-2, 2}},
    SamplingNumber{"dry_multiplier", &SamplingOptions::dry_multiplier, {0, 100}},
    SamplingNumber{"dry_base", &SamplingOptions::dry_base, {1, 100}},
    SamplingNumber{"mirostat_tau", &SamplingOptions::mirostat_tau, {0, 100}},
    SamplingNumber{"mirostat_eta", &SamplingOptions::mirostat_eta, {0, 1}},
};

inline constexpr std::array kSamplingCounts = {
    SamplingCount{"top_k", &SamplingOptions::top_k, {0, kMostCount}},
    SamplingCount{"min_keep", &SamplingOptions::min_keep, {0, kMostCount}},
    SamplingCount{"penalty_last_n", &SamplingOptions::penalty_last_n, {-1, kMostCount}},
    SamplingCount{"dry_allowed_length", &SamplingOptions::dry_allowed_length, {1, kMostCount}},
    SamplingCount{"dry_penalty_last_n", &SamplingOptions::dry_penalty_last_n, {-1, kMostCount}},
    SamplingCount{"mirostat", &SamplingOptions::mirostat, {0, 2}},
};

struct SamplerName {
  std::string_view name;
  SamplerStage stage;
};

/// In the usual order of the chain.
inline constexpr std::array kSamplerNames = {
    SamplerName{"penalties", SamplerStage::kPenalties},
    SamplerName{"dry", SamplerStage::kDry},
    SamplerName{"top_n_sigma", SamplerStage::kTopNSigma},
    SamplerName{"top_k", SamplerStage::kTopK},
    SamplerName{"typical_p", SamplerStage::kTypicalP},
    SamplerName{"top_p", SamplerStage::kTopP},
    SamplerName{"min_p", SamplerStage::kMinP},
    SamplerName{"xtc", SamplerStage::kXtc},
    SamplerName{"temperature", SamplerStage::kTemperature},
};

inline std::optional<SamplerStage> find_sampler(std::string_view name) noexcept {
  for (const SamplerName& known : kSamplerNames) {
    if (known.name == name) return known.stage;
  }
  return std::nullopt;
}

/// For messages.
inline std::string sampler_names() {
  std::string names;
  for (const SamplerName& known : kSamplerNames) {
    names += names.empty() ? "" : ", ";
    names += known.name;
  }
  return names;
}

inline constexpr SamplingBounds kLogitBiasBounds{-100, 100};
inline constexpr std::size_t kMaxLogitBiases = 4096;
inline constexpr std::size_t kMaxSequenceBreakers = 64;
inline constexpr std::size_t kMaxBreakerBytes = 64;
inline constexpr std::size_t kMaxSamplers = 16;

/// Most tokens that a step may guess ahead for one sequence.
inline constexpr std::uint32_t kMaxDraftTokens = 16;

}  // namespace vernal
