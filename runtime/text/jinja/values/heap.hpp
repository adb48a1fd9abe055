// The strings, lists and mappings of one rendering, and counted references to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "text/jinja/budget.hpp"

namespace vernal::jinja {

class Heap;

/// An object that a value of a template refers to. It lives in one Heap, on one thread.
class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;

  /// Drops every reference that this object holds, so that cycles can be destroyed.
  virtual void drop_references() {}

  Heap& heap() const noexcept { return *heap_; }

  void add_reference() noexcept { ++references_; }
  inline void remove_reference() noexcept;

 protected:
  Object() = default;

  /// Charges `bytes` more, for memory that the object is about to allocate.
  void grow(std::uint64_t bytes);

 private:
  friend class Heap;

  Heap* heap_ = nullptr;
  Object* previous_ = nullptr;
  Object* next_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::uint64_t references_ = 0;
};

/// A counted reference to a T, or to nothing.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_ != nullptr) {
      object_->add_reference();
    }
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  template <class Derived>
  Ref(Ref<Derived> other) noexcept  // converts like a pointer to a derived class
    requires std::is_convertible_v<Derived*, T*>
      : object_(other.release()) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) {
      object_->remove_reference();
    }
  }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

  /// Gives the reference to the caller, who must remove it.
  T* release() noexcept { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

/// Owns every object of one rendering. An object is deleted with its last reference, without
/// recursion even in deep structures. Objects in cycles are deleted with the heap.
class Heap {
 public:
  explicit Heap(Budget& budget) : budget_(budget) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap();

  Budget& budget() const noexcept { return budget_; }

  /// Keeps the text of a number until the heap ends. Returns what number_text() finds it by: not 0.
  std::uint32_t keep_number_text(std::string_view text);
  std::string_view number_text(std::uint32_t number) const { return number_texts_[number - 1]; }

  /// A new object. Its own size is charged here; its class charges what it allocates.
  template <class T, class... Arguments>
  Ref<T> make(Arguments&&... arguments) {
    budget_.charge(sizeof(T));
    // The constructor may charge, too. If that throws, the size stays charged until the rendering
    // ends, which it does then.
    T* object = new T(std::forward<Arguments>(arguments)...);
    adopt(*object, sizeof(T));
    return Ref<T>(object);
  }

 private:
  friend class Object;

  void adopt(Object& object, std::uint64_t bytes) noexcept;
  void retire(Object& object) noexcept;

  Budget& budget_;
  std::deque<std::string> number_texts_;
  Object* live_ = nullptr;     // all objects with references, linked both ways
  Object* retired_ = nullptr;  // objects without references, waiting to be deleted
  bool is_deleting_ = false;
  bool is_closing_ = false;
};

inline void Object::remove_reference() noexcept {
  if (--references_ == 0) {
    heap_->retire(*this);
  }
}

}  // namespace vernal::jinja
