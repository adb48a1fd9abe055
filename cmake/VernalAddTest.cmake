# vernal_add_test(NAME <name> SOURCES <file>... [LIBRARIES <target>...] [LABELS <label>...] [TIMEOUT <seconds>])
# A GoogleTest executable registered as one CTest test per file. "gtest" and its folder below tests/unit are labels too,
# and every label has a target that builds the tests that bear it (tests-unit, tests-engine), so that a build with
# sanitizers compiles no more than it runs. The tests find data through macros:
#   VERNAL_GOLDEN_DIR     tests/golden of this tree, unpacked
#   VERNAL_REFERENCE_DIR  ../shared/reference when present, else the golden data again
#   VERNAL_MODELS_DIR     models of this tree, where tools/fetch_model.py puts real models
#   VERNAL_PLUGIN_DIR     plugins of this build
include(VernalGoldenData)

function(vernal_test_definitions TARGET)
  if(EXISTS "${PROJECT_SOURCE_DIR}/../shared/reference")
    set(reference_dir "${PROJECT_SOURCE_DIR}/../shared/reference")
  else()
    set(reference_dir "${VERNAL_GOLDEN_DIRECTORY}")
  endif()
  # Only the sources that use them: a compiler cache serves the others in every folder that the tree is built in.
  get_target_property(sources ${TARGET} SOURCES)
  foreach(source ${sources})
    file(STRINGS "${source}" uses REGEX "VERNAL_[A-Z]+_DIR|(golden_file|engine_under_test)\\.hpp" LIMIT_COUNT 1)
    if(uses)
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS
        VERNAL_GOLDEN_DIR="${VERNAL_GOLDEN_DIRECTORY}"
        VERNAL_REFERENCE_DIR="${reference_dir}"
        VERNAL_MODELS_DIR="${PROJECT_SOURCE_DIR}/models"
        VERNAL_PLUGIN_DIR="${VERNAL_PLUGIN_OUTPUT_DIRECTORY}")
    endif()
  endforeach()
endfunction()

function(vernal_add_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_include_directories(${ARG_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  vernal_test_definitions(${ARG_NAME})
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  list(APPEND ARG_LABELS gtest)
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  # "model" is taken: it marks tests with real models.
  if(folder MATCHES "^unit/([^/]+)" AND NOT CMAKE_MATCH_1 STREQUAL "model")
    list(APPEND ARG_LABELS ${CMAKE_MATCH_1})
  endif()
  foreach(label ${ARG_LABELS})
    if(NOT TARGET tests-${label})
      add_custom_target(tests-${label})
    endif()
    add_dependencies(tests-${label} ${ARG_NAME})
  endforeach()
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
                       SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()
