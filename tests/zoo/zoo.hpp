// The zoo: plugins with one deliberate fault each, made from a sound one by replacing a few of its
// functions. The sound plugin is linked in with its entry renamed to zoo_base_entry.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "vernal/abi/architecture.h"
#include "vernal/abi/backend.h"
#include "vernal/abi/frontend.h"
#include "vernal/abi/plugin.h"
#include "vernal/tables.hpp"

namespace zoo {

/// What this plugin shows its host, and what the sound plugin would show. Faults change the former
/// and call the latter.
struct Tables {
  vernal_plugin_api plugin{};
  vernal_backend_api backend{};
  vernal_architecture_api architecture{};
  vernal_frontend_api frontend{};
};

Tables& shown();
const Tables& sound();
/// The host's functions and object, to store error texts.
std::int32_t fail(std::int32_t status, std::string_view text);

/// The host's table as the entry got it, and one of its services.
const vernal_host_api* host_table();
const void* service_table(std::string_view id);

using Fault = void (*)(Tables& shown);

/// Faults by name; each file has some.
const std::map<std::string_view, Fault>& call_faults();
const std::map<std::string_view, Fault>& size_faults();
const std::map<std::string_view, Fault>& process_faults();
const std::map<std::string_view, Fault>& number_faults();
const std::map<std::string_view, Fault>& attribute_faults();
const std::map<std::string_view, Fault>& rope_faults();
const std::map<std::string_view, Fault>& shape_faults();
const std::map<std::string_view, Fault>& state_faults();
const std::map<std::string_view, Fault>& room_faults();
const std::map<std::string_view, Fault>& window_faults();
const std::map<std::string_view, Fault>& step_faults();
const std::map<std::string_view, Fault>& other_faults();

/// The name of this plugin's fault; "none" if it has none.
std::string fault_name();

/// What an entry does: enters the sound plugin and shows its tables with this plugin's fault.
std::int32_t enter(vernal_entry_args* args);

}  // namespace zoo
