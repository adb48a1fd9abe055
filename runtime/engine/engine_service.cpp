#include "engine/engine_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/model_facts.hpp"
#include "vernal/host.hpp"
#include "vernal/tables.hpp"

namespace vernal {
namespace {

// The opaque types are never defined: the pointers are an Engine's.
Engine& engine_of(vernal_engine* engine) noexcept { return *reinterpret_cast<Engine*>(engine); }
Engine& engine_of(vernal_text* text) noexcept { return *reinterpret_cast<Engine*>(text); }

template <class T>
T& require(T* pointer, const char* name) {
  if (pointer == nullptr) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: expected a pointer, found null", name));
  }
  return *pointer;
}

void require_ok(std::int32_t status) {
  if (status != VERNAL_OK) {
    throw Error(status, "the receiver of a result refused it");
  }
}

std::span<const TokenId> to_span(const std::int32_t* tokens, std::uint64_t count) {
  return tokens == nullptr ? std::span<const TokenId>() : std::span(tokens, count);
}

// ---- engine -------------------------------------------------------------------------------------

/// `aliases` borrows from the caller: one name on each line.
vernal_model_info to_abi(const ModelDescription& model, const std::string& aliases) {
  vernal_model_info info{};
  info.struct_size = sizeof(info);
  info.id = to_str(model.id);
  info.architecture = to_str(model.architecture);
  info.description = to_str(model.description);
  info.context_length = model.context_length;
  info.created = model.created;
  info.vocabulary_size = model.vocabulary_size;
  info.state = model.status.state;
  info.has_chat_template = model.has_chat_template ? 1U : 0U;
  info.aliases = to_str(aliases);
  info.num_slots = model.num_slots;
  info.embedding_size = model.embedding_size;
  return info;
}

std::int32_t list_models(vernal_engine* engine, const vernal_model_sink* sink) noexcept {
  return guard([&] {
    require(sink, "sink");
    for (const ModelDescription& model : engine_of(engine).models()) {
      const std::string aliases = fmt::format("{}", fmt::join(model.aliases, "\n"));
      const vernal_model_info info = to_abi(model, aliases);
      require_ok(sink->add(sink->user, &info));
    }
  });
}

std::int32_t submit(vernal_engine* engine, const vernal_submit_args* args,
                    vernal_request_id* out) noexcept {
  return guard([&] {
    require(out, "out") = 0;
    const vernal_submit_args submitted = copy_in(&require(args, "args"));
    SubmitArguments arguments;
    arguments.model = view(submitted.model);
    arguments.document = view(submitted.request_json);
    arguments.tokens = to_span(submitted.tokens, submitted.num_tokens);
    arguments.has_tokens = submitted.tokens != nullptr;
    if (submitted.on_ready != nullptr) {
      arguments.on_ready = [on_ready = submitted.on_ready, user = submitted.user](RequestId id) {
        on_ready(user, id);
      };
    }
    *out = engine_of(engine).submit(arguments);
  });
}

void take_event(vernal_engine* engine, vernal_request_id request, std::chrono::milliseconds timeout,
                vernal_event* out, std::uint32_t* out_more) {
  require(out, "out");
  require(out_more, "out_more") = 0;
  const vernal_event* event = engine_of(engine).poll_view(request, timeout);
  copy_out(event != nullptr ? *event : vernal_event{}, out);
  *out_more = event != nullptr ? 1U : 0U;
}

std::int32_t poll_events(vernal_engine* engine, vernal_request_id request, vernal_event* out,
                         std::uint32_t* out_more) noexcept {
  return guard([&] { take_event(engine, request, std::chrono::milliseconds(0), out, out_more); });
}

std::int32_t wait_events(vernal_engine* engine, vernal_request_id request, std::uint64_t timeout_ms,
                         vernal_event* out, std::uint32_t* out_more) noexcept {
  return guard([&] {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
    const auto timeout = static_cast<std::int64_t>(std::min(timeout_ms, kMost));
    take_event(engine, request, std::chrono::milliseconds(timeout), out, out_more);
  });
}

std::int32_t cancel(vernal_engine* engine, vernal_request_id request, vernal_str reason) noexcept {
  return guard([&] { engine_of(engine).cancel(request, view(reason)); });
}

std::int32_t release(vernal_engine* engine, vernal_request_id request) noexcept {
  return guard([&] { engine_of(engine).release(request); });
}

std::int32_t stats(vernal_engine* engine, const vernal_metric_sink* sink) noexcept {
  return guard([&] {
    require(sink, "sink");
    engine_of(engine).visit_metrics([&](const MetricSample& metric) {
      vernal_metric out{};
      out.struct_size = sizeof(out);
      out.name = to_str(metric.name);
      out.help = to_str(metric.help);
      out.labels = to_str(metric.labels);
      out.value = metric.value;
      out.type = metric.type;
      require_ok(sink->add(sink->user, &out));
    });
  });
}

std::int32_t health(vernal_engine* engine, std::uint32_t* out_state,
                    const vernal_sink* reason) noexcept {
  return guard([&] {
    const ModelStatus status = engine_of(engine).health();
    require(out_state, "out_state") = status.state;
    write(reason, status.reason);
  });
}

std::int32_t list_slots(vernal_engine* engine, vernal_str model,
                        const vernal_slot_sink* sink) noexcept {
  return guard([&] {
    require(sink, "sink");
    std::uint64_t number = 0;
    for (const SlotState& slot : engine_of(engine).text_model(view(model)).engine->slots()) {
      vernal_slot_info out{};
      out.struct_size = sizeof(out);
      out.slot = ++number;
      out.request = slot.request;
      out.prompt_tokens = slot.prompt_tokens;
      out.computed_tokens = slot.computed_tokens;
      out.generated_tokens = slot.generated_tokens;
      out.max_new_tokens = slot.max_new_tokens;
      require_ok(sink->add(sink->user, &out));
    }
  });
}

// ---- text ---------------------------------------------------------------------------------------

std::int32_t tokenize(vernal_text* text, vernal_str model, vernal_str input, std::uint32_t flags,
                      const vernal_sink* ids) noexcept {
  return guard([&] {
    constexpr std::uint32_t kKnown = VERNAL_TEXT_PARSE_SPECIAL | VERNAL_TEXT_ADD_SPECIAL;
    if ((flags & ~kKnown) != 0) {
      throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("tokenize: unknown flags {:#x}", flags));
    }
    const EncodeOptions options{.parse_special = (flags & VERNAL_TEXT_PARSE_SPECIAL) != 0,
                                .add_special = (flags & VERNAL_TEXT_ADD_SPECIAL) != 0};
    const Engine::TextModel target = engine_of(text).text_model(view(model));
    const std::vector<TokenId> tokens =
        target.engine->prompts().tokenizer().encode(view(input), options);
    write(ids, {reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(TokenId)});
  });
}

std::int32_t detokenize(vernal_text* text, vernal_str model, const std::int32_t* tokens,
                        std::uint64_t num_tokens, const vernal_sink* utf8) noexcept {
  return guard([&] {
    const Engine::TextModel target = engine_of(text).text_model(view(model));
    Detokenizer detokenizer(target.engine->prompts().tokenizer(), false);
    for (const TokenId token : to_span(tokens, num_tokens)) {
      write(utf8, detokenizer.push(token));
    }
    write(utf8, detokenizer.flush());
  });
}

std::int32_t apply_template(vernal_text* text, vernal_str model, vernal_str request_json,
                            const vernal_sink* utf8) noexcept {
  return guard([&] {
    const Engine::TextModel target = engine_of(text).text_model(view(model));
    const RequestDocument document = parse_request(view(request_json), *target.defaults, false);
    write(utf8, target.engine->prompts().text(document));
  });
}

std::int32_t count(vernal_text* text, vernal_str model, vernal_str request_json,
                   std::uint64_t* out_tokens) noexcept {
  return guard([&] {
    const Engine::TextModel target = engine_of(text).text_model(view(model));
    const RequestDocument document = parse_request(view(request_json), *target.defaults, false);
    require(out_tokens, "out_tokens") = target.engine->prompts().tokens(document).size();
  });
}

std::int32_t token_bytes(vernal_text* text, vernal_str model, const std::int32_t* tokens,
                         std::uint64_t num_tokens, const vernal_sink* bytes) noexcept {
  return guard([&] {
    require(bytes, "bytes");
    const Engine::TextModel target = engine_of(text).text_model(view(model));
    const Tokenizer& tokenizer = target.engine->prompts().tokenizer();
    for (const TokenId token : to_span(tokens, num_tokens)) {
      if (!tokenizer.contains(token)) {
        throw Error(VERNAL_INVALID_ARGUMENT,
                    fmt::format("Invalid value for 'tokens': expected token ids from 0 to {}, "
                                "found {}.",
                                tokenizer.size() - 1, token));
      }
      const std::string_view written = tokenizer.token_bytes(token);
      require_ok(bytes->write(bytes->user, written.data(), written.size()));
    }
  });
}

std::int32_t describe(vernal_text* text, vernal_str model, const vernal_sink* json) noexcept {
  return guard([&] {
    const Engine::TextModel target = engine_of(text).text_model(view(model));
    write(json, describe_model(view(model), *target.engine, *target.defaults));
  });
}

}  // namespace

const vernal_engine_api& engine_service_api() noexcept {
  static constexpr vernal_engine_api kApi = {sizeof(vernal_engine_api),
                                             list_models,
                                             submit,
                                             poll_events,
                                             wait_events,
                                             cancel,
                                             release,
                                             stats,
                                             health,
                                             list_slots};
  return kApi;
}

const vernal_text_api& text_service_api() noexcept {
  static constexpr vernal_text_api kApi = {
      sizeof(vernal_text_api), tokenize, detokenize, apply_template, count, token_bytes, describe};
  return kApi;
}

vernal_engine* engine_service_object(Engine& engine) noexcept {
  return reinterpret_cast<vernal_engine*>(&engine);
}

vernal_text* text_service_object(Engine& engine) noexcept {
  return reinterpret_cast<vernal_text*>(&engine);
}

}  // namespace vernal
