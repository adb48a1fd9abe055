# Writes OUT, the source of page_files(), from the FILES of FOLDER:
#   cmake -DOUT=page_files.cpp -DFOLDER=page -DFILES=index.html,style.css -P embed_page.cmake
set(type.html "text/html; charset=utf-8")
set(type.css "text/css; charset=utf-8")
set(type.js "text/javascript; charset=utf-8")
set(type.svg "image/svg+xml")
string(REPLACE "," ";" names "${FILES}")
set(rows "")
foreach(name IN LISTS names)
  get_filename_component(extension "${name}" LAST_EXT)
  set(type "${type${extension}}")
  if(NOT type)
    message(FATAL_ERROR "embed_page: no type is known for ${name}")
  endif()
  file(SHA256 "${FOLDER}/${name}" hash)
  string(SUBSTRING "${hash}" 0 32 tag)
  file(READ "${FOLDER}/${name}" content)
  if(content MATCHES "\\)page\"")
    message(FATAL_ERROR "embed_page: ${name} holds the mark that ends a literal")
  endif()
  string(APPEND rows "    {\"${name}\", \"${type}\",\n     R\"(\"${tag}\")\",\n     R\"page(${content})page\"},\n")
endforeach()
file(WRITE "${OUT}.new" "// Made by embed_page.cmake from the files of the page.
#include \"openai_http/page/page_files.hpp\"

namespace vernal::openai_http {
namespace {

constexpr PageFile kPageFiles[] = {
${rows}};

}  // namespace

std::span<const PageFile> page_files() noexcept { return kPageFiles; }

}  // namespace vernal::openai_http
")
file(RENAME "${OUT}.new" "${OUT}")
