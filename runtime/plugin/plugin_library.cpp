#include "plugin/plugin_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <boost/dll/shared_library.hpp>
#include <utility>

#include "plugin/table_check.hpp"
#include "vernal/host.hpp"

namespace vernal::plugin {
namespace {

constexpr std::uint64_t kMaxConfigRows = 4096;
constexpr std::uint64_t kConfigRowFloor = 120;  // sizeof(vernal_config_row) in interface 1.0

// RTLD_NODELETE: closing must not unmap the library (see PluginLibrary). Boost has no name for it.
constexpr auto kLoadMode =
    static_cast<boost::dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

bool is_valid(vernal_str text) noexcept { return text.size == 0 || text.data != nullptr; }

bool is_valid(const vernal_config_row& row) noexcept {
  return row.path.size != 0 && is_valid(row.path) && is_valid(row.default_value) &&
         is_valid(row.choices) && is_valid(row.deprecated_by) && is_valid(row.help);
}

template <class Table>
const Table& require(const std::optional<Table>& table, const std::string& where,
                     std::uint32_t kind) {
  if (table) return *table;
  throw Error(
      VERNAL_INCOMPATIBLE,
      fmt::format("{}: kind {} expected, the plugin is not of that kind", where, kind_name(kind)));
}

}  // namespace

struct PluginLibrary::Code {
  boost::dll::shared_library library;
};

PluginLibrary::PluginLibrary(std::filesystem::path file, Manifest manifest, CoreHost& host)
    : file_(std::move(file)),
      path_text_(file_.string()),
      manifest_(std::move(manifest)),
      host_(host),
      code_(std::make_unique<Code>()) {
  try {
    code_->library.load(file_, kLoadMode);
  } catch (const std::exception& error) {  // has the linker's text
    throw Error(VERNAL_INCOMPATIBLE,
                fmt::format("{}: cannot be opened: {}", where(), error.what()));
  }
  if (!code_->library.has(VERNAL_ENTRY_SYMBOL)) {
    throw Error(VERNAL_INCOMPATIBLE, fmt::format("{}: entry symbol {} expected, found none",
                                                 where(), VERNAL_ENTRY_SYMBOL));
  }
  auto& entry = code_->library.get<std::int32_t(vernal_entry_args*)>(VERNAL_ENTRY_SYMBOL);
  vernal_entry_args args{};
  args.struct_size = sizeof(args);
  args.host = host_.handle();
  args.host_api = host_.api();
  args.plugin_path = to_str(path_text_);
  args.host_minor = VERNAL_ABI_MINOR;
  plugin_host().check(entry(&args), where() + ": entry");
  api_ = adopt_plugin_table(args.plugin, where(), "vernal_plugin_api");
  adopt_kind(VERNAL_KIND_BACKEND, "vernal_backend_api", backend_);
  adopt_kind(VERNAL_KIND_ARCHITECTURE, "vernal_architecture_api", architecture_);
  adopt_kind(VERNAL_KIND_FRONTEND, "vernal_frontend_api", frontend_);
}

PluginLibrary::~PluginLibrary() { shutdown(); }

std::string PluginLibrary::where() const {
  return fmt::format("{}: plugin \"{}\"", path_text_, manifest_.name);
}

template <class Table>
void PluginLibrary::adopt_kind(std::uint32_t kind, const char* name, std::optional<Table>& out) {
  if (!manifest_.has_kind(kind)) return;
  const void* table = nullptr;
  const std::int32_t status = api_.get_kind(kind, &table);
  if (status != VERNAL_OK) {
    throw Error(VERNAL_INCOMPATIBLE,
                fmt::format("{}: the manifest says kind {}, get_kind answers {}", where(),
                            kind_name(kind), status_name(status)));
  }
  out = adopt_plugin_table(static_cast<const Table*>(table), where(), name);
}

std::vector<vernal_config_row> PluginLibrary::config_schema(std::uint32_t kind) const {
  const vernal_config_row* rows = nullptr;
  std::uint64_t count = 0;
  std::uint64_t stride = 0;
  plugin_host().check(api_.config_schema(kind, &rows, &count, &stride),
                      where() + ": config_schema");
  std::vector<vernal_config_row> out;
  if (count == 0) return out;
  if (rows == nullptr || count > kMaxConfigRows || stride < kConfigRowFloor || stride % 8 != 0) {
    throw Error(
        VERNAL_INCOMPATIBLE,
        fmt::format(
            "{}: config_schema expected at most {} rows of at least {} bytes, found {} of {}",
            where(), kMaxConfigRows, kConfigRowFloor, count, stride));
  }
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    out.push_back(element_at(rows, stride, i));
    if (!is_valid(out.back())) {
      throw Error(VERNAL_INCOMPATIBLE, fmt::format("{}: config_schema row {} has no path or a text "
                                                   "without data",
                                                   where(), i));
    }
  }
  return out;
}

const vernal_backend_api& PluginLibrary::backend() const {
  return require(backend_, where(), VERNAL_KIND_BACKEND);
}

const vernal_architecture_api& PluginLibrary::architecture() const {
  return require(architecture_, where(), VERNAL_KIND_ARCHITECTURE);
}

const vernal_frontend_api& PluginLibrary::frontend() const {
  return require(frontend_, where(), VERNAL_KIND_FRONTEND);
}

std::int32_t PluginLibrary::get_extension(std::string_view id, const void** out) const {
  *out = nullptr;
  return api_.get_extension(to_str(id), out);
}

void PluginLibrary::init() {
  if (is_initialised_) return;
  plugin_host().check(api_.init(), where() + ": init");
  is_initialised_ = true;
}

void PluginLibrary::shutdown() noexcept {
  if (!std::exchange(is_initialised_, false)) return;
  const std::int32_t status = api_.shutdown();
  if (status != VERNAL_OK) {
    host_.log().warning("plugins", "{}: shutdown: {}", name(), status_name(status));
  }
}

}  // namespace vernal::plugin
