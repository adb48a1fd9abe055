#include "unit/stdin_repl/fake_console.hpp"

#include "unit/stdin_repl/fake_host.hpp"

namespace vernal::stdin_repl {
namespace {

FakeConsole& fake(vernal_console* console) { return *reinterpret_cast<FakeConsole*>(console); }

constexpr vernal_console_api kApi = {
    .struct_size = sizeof(vernal_console_api),
    .is_terminal =
        [](vernal_console* console, std::uint32_t* input, std::uint32_t* output) {
          *input = fake(console).is_input_terminal ? 1 : 0;
          *output = fake(console).is_output_terminal ? 1 : 0;
          return VERNAL_OK;
        },
    .descriptors =
        [](vernal_console* console, std::int32_t* input, std::int32_t* output) {
          *input = fake(console).input;
          *output = -1;
          return VERNAL_OK;
        },
    .write =
        [](vernal_console* console, vernal_str text) {
          if (fake(console).write_status == VERNAL_OK) fake(console).written += view(text);
          return fake(console).write_status;
        },
    .on_interrupt = [](vernal_console*, void (*)(void*), void*) { return VERNAL_OK; },
    .finished =
        [](vernal_console* console, std::int32_t status) {
          fake(console).finished.set_value(status == VERNAL_OK ? std::string() : stored_error());
          return VERNAL_OK;
        },
};

}  // namespace

ConsoleClient FakeConsole::client() { return {&kApi, reinterpret_cast<vernal_console*>(this)}; }

}  // namespace vernal::stdin_repl
