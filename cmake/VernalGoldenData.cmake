# Golden data as tests read it, in VERNAL_GOLDEN_DIRECTORY of the build tree: links to tests/golden, and the packed
# vocabularies unpacked beside the files they belong to.
set(VERNAL_GOLDEN_DIRECTORY "${PROJECT_BINARY_DIR}/golden")

function(vernal_prepare_golden_data)
  set(source "${PROJECT_SOURCE_DIR}/tests/golden")
  set(archive "${source}/tokenizers/vocabularies.tar.xz")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${archive}")
  file(MAKE_DIRECTORY "${VERNAL_GOLDEN_DIRECTORY}/tokenizers")
  file(GLOB entries RELATIVE "${source}" "${source}/*" "${source}/tokenizers/*.json")
  list(REMOVE_ITEM entries tokenizers)
  foreach(entry ${entries})
    file(CREATE_LINK "${source}/${entry}" "${VERNAL_GOLDEN_DIRECTORY}/${entry}" SYMBOLIC)
  endforeach()
  set(stamp "${VERNAL_GOLDEN_DIRECTORY}/unpacked")
  if("${archive}" IS_NEWER_THAN "${stamp}")
    file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${VERNAL_GOLDEN_DIRECTORY}/tokenizers")
    file(TOUCH "${stamp}")
  endif()
endfunction()

if(VERNAL_BUILD_TESTS)
  vernal_prepare_golden_data()
endif()
