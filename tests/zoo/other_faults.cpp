// Faults of architectures and frontends.
#include "zoo.hpp"

namespace zoo {

const std::map<std::string_view, Fault>& other_faults() {
  static const std::map<std::string_view, Fault> faults;
  return faults;
}

}  // namespace zoo
