// Schemas of plugins that do not exist, for tests of the deployment file.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/deployment.hpp"
#include "vernal/abi/plugin.h"
#include "vernal/error.hpp"

namespace vernal::testing {

inline SchemaRow row(std::string path, std::uint32_t type, std::string default_value = "",
                     std::uint32_t flags = 0) {
  SchemaRow out;
  out.path = std::move(path);
  out.type = type;
  out.default_value = std::move(default_value);
  out.flags = flags;
  out.help = "help of " + out.path;
  return out;
}

inline SchemaRow bounded(SchemaRow out, double minimum, double maximum) {
  out.minimum = minimum;
  out.maximum = maximum;
  return out;
}

/// Has a backend "calc", a frontend "web" with a row of every type, and a frontend "broken" that
/// cannot be used.
class InventedSchemas : public SchemaSource {
 public:
  std::vector<SchemaRow> schema(const std::string& plugin, std::uint32_t kind) override {
    if (plugin == "calc" && kind == VERNAL_KIND_BACKEND) {
      return {bounded(row("threads", VERNAL_CONFIG_INT, "4"), 1, 64)};
    }
    if (plugin == "web" && kind == VERNAL_KIND_FRONTEND) return web_rows();
    if (plugin == "broken") throw Error(VERNAL_INCOMPATIBLE, "needs interface minor 7, found 0");
    throw Error(VERNAL_NOT_FOUND, "no such plugin");
  }

  std::vector<std::string> names(std::uint32_t kind) override {
    if (kind == VERNAL_KIND_BACKEND) return {"calc"};
    return {"web", "broken"};
  }

 private:
  static std::vector<SchemaRow> web_rows() {
    SchemaRow mode = row("mode", VERNAL_CONFIG_ENUM, "\"plain\"");
    mode.choices = {"plain", "fancy"};
    SchemaRow old_port = row("port", VERNAL_CONFIG_INT);
    old_port.deprecated_by = "listen";
    return {
        row("listen", VERNAL_CONFIG_STRING, "", VERNAL_CONFIG_REQUIRED),
        row("models", VERNAL_CONFIG_STRING_LIST, "[]", VERNAL_CONFIG_MODEL_NAMES),
        row("main_model", VERNAL_CONFIG_STRING, "", VERNAL_CONFIG_MODEL_NAMES),
        row("cors", VERNAL_CONFIG_BOOL, "true"),
        bounded(row("ratio", VERNAL_CONFIG_FLOAT, "0.5"), 0, 1),
        row("keys_file", VERNAL_CONFIG_PATH, "\"keys.txt\""),
        bounded(row("max_body", VERNAL_CONFIG_SIZE, "\"1MiB\""), 1024, 1 << 30),
        bounded(row("timeout", VERNAL_CONFIG_DURATION, "\"30s\""), 10, 3.6e6),
        mode,
        old_port,
        bounded(row("cores", VERNAL_CONFIG_INT_LIST), 0, 1023),
        row("token", VERNAL_CONFIG_STRING, "", VERNAL_CONFIG_SECRET),
        row("tls", VERNAL_CONFIG_TABLE),
        row("tls.certificate", VERNAL_CONFIG_PATH, "", VERNAL_CONFIG_REQUIRED),
        row("tls.versions", VERNAL_CONFIG_TABLE),
        bounded(row("tls.versions.lowest", VERNAL_CONFIG_INT, "12"), 10, 13),
    };
  }
};

}  // namespace vernal::testing
