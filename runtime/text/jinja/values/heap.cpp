#include "text/jinja/values/heap.hpp"

namespace vernal::jinja {

void Object::grow(std::uint64_t bytes) {
  heap_->budget_.charge(bytes);
  bytes_ += bytes;
}

std::uint32_t Heap::keep_number_text(std::string_view text) {
  budget_.charge(sizeof(std::string) + text.size());
  number_texts_.emplace_back(text);
  return static_cast<std::uint32_t>(number_texts_.size());
}

void Heap::adopt(Object& object, std::uint64_t bytes) noexcept {
  object.heap_ = this;
  object.bytes_ = bytes;
  object.next_ = live_;
  if (live_ != nullptr) {
    live_->previous_ = &object;
  }
  live_ = &object;
}

void Heap::retire(Object& object) noexcept {
  if (is_closing_) {
    return;  // it stays in the live list, and the destructor deletes it
  }
  (object.previous_ == nullptr ? live_ : object.previous_->next_) = object.next_;
  if (object.next_ != nullptr) {
    object.next_->previous_ = object.previous_;
  }
  object.next_ = retired_;
  retired_ = &object;
  if (is_deleting_) {
    return;  // the deletion that runs already deletes it: there is no recursion
  }
  is_deleting_ = true;
  while (retired_ != nullptr) {
    Object* const last = retired_;
    retired_ = last->next_;
    budget_.release(last->bytes_);
    delete last;
  }
  is_deleting_ = false;
}

Heap::~Heap() {
  is_closing_ = true;
  for (Object* object = live_; object != nullptr; object = object->next_) {
    object->drop_references();
  }
  while (live_ != nullptr) {
    Object* const first = live_;
    live_ = first->next_;
    delete first;
  }
}

}  // namespace vernal::jinja
