// Faults that give wrong numbers.
#include "zoo.hpp"

namespace zoo {

const std::map<std::string_view, Fault>& number_faults() {
  static const std::map<std::string_view, Fault> faults;
  return faults;
}

}  // namespace zoo
