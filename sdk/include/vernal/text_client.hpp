// The core's text service as a frontend uses it: tokens, templates and counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/abi/frontend.h"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal {

/// Tokens, templates and counts of a model or profile of the deployment. Any thread. The text of an
/// error may be shown to a client.
///   Errors   NOT_FOUND: no such model
///            UNAVAILABLE: the model is loading
///            INVALID_ARGUMENT: the document or the text is wrong
///            UNSUPPORTED: the model has no chat template
class TextClient {
 public:
  /// The service of this plugin's host. Control thread.
  TextClient() {
    void* object = nullptr;
    const auto* table = plugin_host().service<vernal_text_api>(VERNAL_SERVICE_TEXT, &object);
    api_ = adopt_table(table, "vernal_text_api");
    text_ = static_cast<vernal_text*>(object);
  }
  TextClient(const vernal_text_api* api, vernal_text* text)
      : api_(adopt_table(api, "vernal_text_api")), text_(text) {}

  /// The token ids of a text. `flags` are VERNAL_TEXT_*.
  std::vector<std::int32_t> tokenize(std::string_view model, std::string_view input,
                                     std::uint32_t flags) const {
    std::vector<std::int32_t> tokens;
    const vernal_sink sink = append_to(tokens);
    check(api_.tokenize(text_, to_str(model), to_str(input), flags, &sink));
    return tokens;
  }
  /// The text of token ids, in UTF-8.
  std::string detokenize(std::string_view model, std::span<const std::int32_t> tokens) const {
    std::string utf8;
    const vernal_sink sink = append_to(utf8);
    check(api_.detokenize(text_, to_str(model), tokens.data(), tokens.size(), &sink));
    return utf8;
  }
  /// The prompt that the chat template makes of a request document.
  std::string apply_template(std::string_view model, std::string_view request_json) const {
    std::string utf8;
    const vernal_sink sink = append_to(utf8);
    check(api_.apply_template(text_, to_str(model), to_str(request_json), &sink));
    return utf8;
  }
  /// The number of prompt tokens of a request document.
  std::uint64_t count(std::string_view model, std::string_view request_json) const {
    std::uint64_t tokens = 0;
    check(api_.count(text_, to_str(model), to_str(request_json), &tokens));
    return tokens;
  }
  /// The bytes of each token. UNIMPLEMENTED on hosts before 1.2.
  std::vector<std::string> token_bytes(std::string_view model,
                                       std::span<const std::int32_t> tokens) const {
    std::vector<std::string> bytes;
    const vernal_sink sink{
        [](void* user, const void* data, std::uint64_t size) noexcept -> std::int32_t {
          return guard([&] {
            static_cast<std::vector<std::string>*>(user)->emplace_back(
                static_cast<const char*>(data), size);
          });
        },
        &bytes};
    check(api_.token_bytes(text_, to_str(model), tokens.data(), tokens.size(), &sink));
    return bytes;
  }
  /// What the model is, as a JSON object. UNIMPLEMENTED on hosts before 1.2.
  std::string describe(std::string_view model) const {
    std::string json;
    const vernal_sink sink = append_to(json);
    check(api_.describe(text_, to_str(model), &sink));
    return json;
  }

 private:
  static void check(std::int32_t status) {
    if (status != VERNAL_OK) throw Error(status, plugin_host().take_error(status));
  }

  vernal_text_api api_{};
  vernal_text* text_ = nullptr;
};

}  // namespace vernal
