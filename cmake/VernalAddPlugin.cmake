# vernal_add_plugin(NAME <name> KIND <kind>... ID <id> VERSION <x.y.z> SOURCES <file>...
#                   [PROVIDES <architecture>...] [ISA <level>] [TARGET_MINOR <k>] [NEEDS <need>...]
#                   [CAPABILITIES <word>...] [VENDOR <text>] [LICENSE <spdx>] [LIBRARIES <target>...])
#
# Builds NAME.so, a plugin that the runtime can load: its manifest (an ELF note, see sdk/README.md), one exported
# symbol, everything bound at load. The same function serves this tree and projects that found the installed package.
#
#   NAME          what a deployment writes in `plugin = "..."`: [a-z0-9_]+; also the name of the target
#   KIND          backend, architecture or frontend; several are allowed
#   ID            reverse domain name, com.example.backend
#   PROVIDES      architectures only: the values of general.architecture it builds
#   ISA           x86-64-v2, -v3 or -v4: compiled for it, and refused by name on a machine without it
#   TARGET_MINOR  least interface minor it needs of a host; default 0: it runs on every host of this major
#   CAPABILITIES  what the runtime may use it for beside its kind: console, a frontend for `vernal chat`
#   NEEDS         further needs for the operator to read, "cuda>=12.4"; not checked before loading
#
# The library goes to VERNAL_PLUGIN_OUTPUT_DIRECTORY (default: the current binary folder) and is installed to
# VERNAL_PLUGIN_INSTALL_DIRECTORY if that is set. VERNAL_PLUGIN_{NAME,ID,VERSION} are defined for its sources.

if(NOT VERNAL_SDK_INCLUDE_DIRECTORY)
  set(VERNAL_SDK_INCLUDE_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}/../sdk/include")
  set(VERNAL_SDK_VERSION "${PROJECT_VERSION}")
endif()
file(STRINGS "${VERNAL_SDK_INCLUDE_DIRECTORY}/vernal/abi/version.h" vernal_version_lines
     REGEX "^#define VERNAL_ABI_(MAJOR|MINOR) [0-9]+")
string(REGEX REPLACE ".*VERNAL_ABI_MAJOR ([0-9]+).*" "\\1" VERNAL_ABI_MAJOR "${vernal_version_lines}")
string(REGEX REPLACE ".*VERNAL_ABI_MINOR ([0-9]+).*" "\\1" VERNAL_ABI_MINOR "${vernal_version_lines}")
# Functions are visible everywhere, variables only below the including folder: hence properties.
set_property(GLOBAL PROPERTY VERNAL_SDK_VERSION "${VERNAL_SDK_VERSION}")
set_property(GLOBAL PROPERTY VERNAL_ABI_MAJOR "${VERNAL_ABI_MAJOR}")
set_property(GLOBAL PROPERTY VERNAL_ABI_MINOR "${VERNAL_ABI_MINOR}")

# The manifest's C text. The descriptor is padded with NUL to whole words, which ends it for readers.
set(manifest_source [=[
/* Manifest of the plugin @ARG_NAME@, written by vernal_add_plugin. */
#include "vernal/abi/plugin.h"

#define MANIFEST_TEXT \
@manifest_literal@
/* Kept when unreferenced sections are dropped (GNU ld keeps notes anyway, and g++ may not know `retain`), and
 * without the padding that AddressSanitizer of clang puts around objects. */
#ifdef __clang__
#define MANIFEST_CLANG , retain, no_sanitize("address")
#else
#define MANIFEST_CLANG
#endif

struct vernal_manifest_note {
  uint32_t namesz, descsz, type;
  char name[8];
  char desc[(sizeof(MANIFEST_TEXT) + 3) / 4 * 4];
};

__attribute__((used, section(".note.vernal"), aligned(4) MANIFEST_CLANG))
static const struct vernal_manifest_note kManifest = {
    sizeof(VERNAL_NOTE_OWNER), sizeof(kManifest.desc), VERNAL_NOTE_TYPE, VERNAL_NOTE_OWNER,
    MANIFEST_TEXT};
]=])
set_property(GLOBAL PROPERTY VERNAL_MANIFEST_SOURCE "${manifest_source}")
unset(manifest_source)

# Refuses an argument that the manifest could not carry.
function(vernal_check_plugin_argument key value pattern)
  if(NOT value MATCHES "${pattern}")
    message(FATAL_ERROR "vernal_add_plugin: ${key} is \"${value}\"; expected ${pattern}")
  endif()
endfunction()

# Writes the manifest source of plugin ARG_NAME (arguments of vernal_add_plugin in scope) to `path`.
function(vernal_write_manifest path minor minor_min)
  get_property(sdk GLOBAL PROPERTY VERNAL_SDK_VERSION)
  get_property(major GLOBAL PROPERTY VERNAL_ABI_MAJOR)
  get_property(source GLOBAL PROPERTY VERNAL_MANIFEST_SOURCE)
  list(JOIN ARG_KIND "," kinds)
  list(JOIN ARG_PROVIDES "," provides)
  list(JOIN ARG_NEEDS "," needs)
  list(JOIN ARG_CAPABILITIES "," capabilities)
  set(manifest_literal "")
  foreach(line "manifest=1" "abi_major=${major}" "abi_minor_min=${minor_min}" "abi_minor_built=${minor}"
               "kinds=${kinds}" "name=${ARG_NAME}" "id=${ARG_ID}" "version=${ARG_VERSION}"
               "vendor=${ARG_VENDOR}" "sdk=${sdk}" "isa=${ARG_ISA}" "needs=${needs}"
               "provides=${provides}" "capabilities=${capabilities}" "licence=${ARG_LICENSE}")
    vernal_check_plugin_argument("manifest line" "${line}" "^[^\"\\\\\n]*$")
    string(APPEND manifest_literal "  \"${line}\\n\" \\\n")
  endforeach()
  file(CONFIGURE OUTPUT "${path}" CONTENT "${source}" @ONLY)
endfunction()

function(vernal_add_plugin)
  cmake_parse_arguments(ARG "" "NAME;ID;VERSION;ISA;TARGET_MINOR;VENDOR;LICENSE"
                        "KIND;PROVIDES;CAPABILITIES;NEEDS;SOURCES;LIBRARIES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vernal_add_plugin: unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  vernal_check_plugin_argument(NAME "${ARG_NAME}" "^[a-z0-9_]+$")
  vernal_check_plugin_argument(ID "${ARG_ID}" "^[a-z0-9_-]+(\\.[a-z0-9_-]+)+$")
  vernal_check_plugin_argument(VERSION "${ARG_VERSION}" "^[0-9]+\\.[0-9]+\\.[0-9]+$")
  vernal_check_plugin_argument(ISA "${ARG_ISA}" "^(x86-64-v[234])?$")
  vernal_check_plugin_argument(KIND "${ARG_KIND}" "^(backend|architecture|frontend)(;(backend|architecture|frontend))*$")
  vernal_check_plugin_argument(CAPABILITIES "${ARG_CAPABILITIES}" "^([a-z0-9_]+(;[a-z0-9_]+)*)?$")
  get_property(minor GLOBAL PROPERTY VERNAL_ABI_MINOR)
  if(NOT DEFINED ARG_TARGET_MINOR)
    set(ARG_TARGET_MINOR 0)
  elseif(ARG_TARGET_MINOR GREATER minor)
    message(FATAL_ERROR "vernal_add_plugin: TARGET_MINOR is ${ARG_TARGET_MINOR}; these headers know ${minor}")
  endif()

  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(extension c)
  if(CXX IN_LIST languages)
    set(extension cpp)
  endif()
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}_plugin")
  vernal_write_manifest("${generated}/manifest.${extension}" ${minor} ${ARG_TARGET_MINOR})
  file(CONFIGURE OUTPUT "${generated}/exports.map" @ONLY
       CONTENT "{\n  global: vernal_plugin_entry_v1;\n  local: *;\n};\n")

  add_library(${ARG_NAME} MODULE ${ARG_SOURCES} "${generated}/manifest.${extension}")
  target_link_libraries(${ARG_NAME} PRIVATE vernal::sdk ${ARG_LIBRARIES})
  target_compile_definitions(${ARG_NAME} PRIVATE
    VERNAL_TARGET_MINOR=${ARG_TARGET_MINOR} VERNAL_PLUGIN_NAME="${ARG_NAME}"
    VERNAL_PLUGIN_ID="${ARG_ID}" VERNAL_PLUGIN_VERSION="${ARG_VERSION}")
  # Unique symbols are shared between all plugins that define them; exported ones could be taken over.
  target_compile_options(${ARG_NAME} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  if(ARG_ISA)
    target_compile_options(${ARG_NAME} PRIVATE $<$<COMPILE_LANGUAGE:C,CXX>:-march=${ARG_ISA}>)
  endif()
  target_link_options(${ARG_NAME} PRIVATE
    LINKER:--version-script=${generated}/exports.map LINKER:--exclude-libs,ALL
    LINKER:-z,now LINKER:-z,relro LINKER:-z,noexecstack LINKER:--build-id)
  # Sanitizer runtimes live in the host, so their symbols stay open in a plugin.
  if(NOT VERNAL_SANITIZE AND NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize=")
    target_link_options(${ARG_NAME} PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${ARG_NAME} PROPERTIES
    PREFIX "" SUFFIX ".so" POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN"
    LINK_DEPENDS "${generated}/exports.map")
  if(VERNAL_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${ARG_NAME} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${VERNAL_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  if(VERNAL_PLUGIN_INSTALL_DIRECTORY)
    install(TARGETS ${ARG_NAME} LIBRARY DESTINATION "${VERNAL_PLUGIN_INSTALL_DIRECTORY}" COMPONENT plugins)
  endif()
endfunction()
