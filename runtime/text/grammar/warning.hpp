// What a grammar does not hold an answer to.
#pragma once

#include <string>
#include <vector>

namespace vernal::grammar {

/// A keyword that is relaxed: answers may break it. The rest of the schema holds.
struct GrammarWarning {
  std::string pointer;  ///< of the schema: "#/properties/a"
  std::string keyword;  ///< "pattern"
  std::string reason;

  bool operator==(const GrammarWarning&) const = default;
};

/// Collects warnings; the same one counts once.
class WarningList {
 public:
  void add(GrammarWarning warning) {
    for (const GrammarWarning& known : warnings_) {
      if (known == warning) {
        return;
      }
    }
    warnings_.push_back(std::move(warning));
  }
  const std::vector<GrammarWarning>& all() const noexcept { return warnings_; }

 private:
  std::vector<GrammarWarning> warnings_;
};

}  // namespace vernal::grammar
