// What a grammar does not hold an answer to.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vernal::grammar {

enum class Loss : std::uint8_t {
  kRelaxed,   ///< answers may break the keyword; a strict grammar is refused
  kNarrowed,  ///< answers keep it, and some that would keep it, too, are not offered
  kIgnored,   ///< the keyword is a note: nobody holds an answer to it
};

/// A keyword that answers are not held to, or more than it asks. The rest of the schema holds.
struct GrammarWarning {
  std::string pointer;  ///< of the schema: "#/properties/a"
  std::string keyword;  ///< "pattern"
  std::string reason;
  Loss loss = Loss::kRelaxed;

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
