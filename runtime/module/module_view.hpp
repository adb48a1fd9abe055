// vernal_module_api over a Module: what a backend reads.
#pragma once

#include <memory>
#include <vector>

#include "vernal/module.hpp"

namespace vernal {

/// What a backend reads. It shares the module with its builder. A backend's plan may read the
/// module as long as the plan lives, so keep the view until the plan is destroyed. Control thread.
/// Nothing is thrown across the interface.
class ModuleView {
 public:
  explicit ModuleView(std::shared_ptr<const Module> module);
  ModuleView(const ModuleView&) = delete;
  ModuleView& operator=(const ModuleView&) = delete;

  vernal_module_ref ref() const noexcept;
  const Module& module() const noexcept { return *module_; }
  /// The attributes of a node as the interface wants them. Indices must be in range.
  const std::vector<vernal_attr>& attributes(std::size_t function, std::size_t node) const {
    return attributes_[function][node];
  }

 private:
  std::shared_ptr<const Module> module_;
  std::vector<std::vector<std::vector<vernal_attr>>> attributes_;  // by function, then node
};

}  // namespace vernal
