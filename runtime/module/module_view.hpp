// vernal_module_api over a Module: what a backend reads.
#pragma once

#include <memory>
#include <vector>

#include "vernal/module.hpp"

namespace vernal {

/// Control thread. The module is shared with whoever built it, because a backend's plan may read it
/// as long as it lives; keep the view until then. Nothing is thrown across the interface.
class ModuleView {
 public:
  explicit ModuleView(std::shared_ptr<const Module> module);
  ModuleView(const ModuleView&) = delete;
  ModuleView& operator=(const ModuleView&) = delete;

  vernal_module_ref ref() const noexcept;
  const Module& module() const noexcept { return *module_; }
  /// The attributes of a node in the interface's form. Indices must be in range.
  const std::vector<vernal_attr>& attributes(std::size_t function, std::size_t node) const {
    return attributes_[function][node];
  }

 private:
  std::shared_ptr<const Module> module_;
  std::vector<std::vector<std::vector<vernal_attr>>> attributes_;  // by function, then node
};

}  // namespace vernal
