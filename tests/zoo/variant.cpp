// Which fault this plugin has, and the entry's part that all plugins of the zoo share.
#include <string>

#include "zoo.hpp"

namespace zoo {
namespace {

constexpr std::string_view kMark = "zoo-fault:";

/// The mark and the name of the fault. make_variants.py writes another name here in each copy of the
/// plugin, so the compiler must not know what it says.
volatile const char fault_slot[64] = "zoo-fault:none";

}  // namespace

std::string fault_name() {
  std::string text;
  for (std::size_t i = kMark.size(); fault_slot[i] != '\0'; ++i) text += fault_slot[i];
  return text;
}

}  // namespace zoo
