// The entry of a plugin of the zoo, and faults that lie in the file itself: ZOO_... chooses one.
#include <cstdint>

#include "vernal/abi/plugin.h"

namespace zoo {
std::int32_t enter(vernal_entry_args* args);
}

#if defined(ZOO_UNRESOLVED)
extern "C" int zoo_symbol_that_nobody_defines();
#endif
#if defined(ZOO_SECOND_EXPORT)
extern "C" __attribute__((visibility("default"))) int zoo_second_export() { return 1; }
#endif
#if defined(ZOO_UNIQUE)
asm(".data\n.globl zoo_unique\n.type zoo_unique, @gnu_unique_object\nzoo_unique: .quad 0\n.text");
#endif
#if defined(ZOO_ADDRESS_IN_CODE)
asm(".text\nzoo_address: .quad zoo_address");
#endif

#if defined(ZOO_NO_ENTRY)
extern "C" __attribute__((visibility("default"))) std::int32_t vernal_plugin_entry_v0(
#else
extern "C" __attribute__((visibility("default"))) std::int32_t vernal_plugin_entry_v1(
#endif
    vernal_entry_args* args) {
#if defined(ZOO_UNRESOLVED)
  if (args == nullptr) return zoo_symbol_that_nobody_defines();
#endif
  return zoo::enter(args);
}
