// An event in the form of the plugin interface.
#pragma once

#include <vector>

#include "engine/request/event.hpp"
#include "vernal/abi/frontend.h"

namespace vernal {

/// Owns an event and the arrays that its interface form points to. The pointers live until the next
/// set() or the end of the object.
class EventView {
 public:
  EventView() = default;
  EventView(const EventView&) = delete;
  EventView& operator=(const EventView&) = delete;

  const vernal_event& set(Event event);

 private:
  void fill_logprobs();

  Event event_;
  std::vector<vernal_candidate> candidates_;  // of all alternatives
  std::vector<vernal_token_logprob> logprobs_;
  vernal_event view_{};
};

}  // namespace vernal
