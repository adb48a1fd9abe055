// The files of the page in this folder, as the build embeds them into the plugin.
#pragma once

#include <span>
#include <string_view>

namespace vernal::openai_http {

struct PageFile {
  std::string_view name;  // "style.css"
  std::string_view content_type;
  std::string_view etag;  // a quoted hash of the content
  std::string_view content;
};

/// All of them. Their source is made by embed_page.cmake.
std::span<const PageFile> page_files() noexcept;

/// The file of that name, or null.
const PageFile* find_page_file(std::string_view name) noexcept;

}  // namespace vernal::openai_http
