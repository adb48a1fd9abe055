// Memory whose end is the end of what may be touched: a read or write behind it is a crash, which
// names the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

namespace vernal::check {

/// Fills memory that nobody should read.
inline constexpr int kPoison = 0xDB;

/// `size` bytes that end where a page without access begins.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::uint64_t size) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t whole = (size + page - 1) / page * page;
    length_ = whole + page;
    void* memory =
        ::mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<unsigned char*>(memory);
    std::memset(begin_, kPoison, whole);
    ::mprotect(begin_ + whole, page, PROT_NONE);
    data_ = begin_ + whole - size;
  }
  /// A copy of the elements.
  template <class T>
  explicit GuardedBytes(const std::vector<T>& values) : GuardedBytes(values.size() * sizeof(T)) {
    std::memcpy(data_, values.data(), values.size() * sizeof(T));
  }
  ~GuardedBytes() { ::munmap(begin_, length_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  unsigned char* data() const { return data_; }

 private:
  unsigned char* begin_ = nullptr;
  unsigned char* data_ = nullptr;
  std::uint64_t length_ = 0;
};

/// A copy of a struct of the interface with nothing behind it: what an older host has.
template <class Struct>
class Guarded {
  static_assert(std::is_trivially_copyable_v<Struct> && sizeof(Struct) % 8 == 0);

 public:
  explicit Guarded(const Struct& value) : bytes_(sizeof(Struct)) {
    std::memcpy(bytes_.data(), &value, sizeof(Struct));
  }
  /// Only the first `size` bytes, at least 8, of a struct that begins with its size.
  Guarded(const Struct& value, std::uint64_t size) : bytes_((size + 7) / 8 * 8) {
    std::memcpy(bytes_.data(), &value, std::min<std::uint64_t>(size, sizeof(Struct)));
    std::memcpy(bytes_.data(), &size, sizeof(size));
  }
  Struct* get() const { return reinterpret_cast<Struct*>(bytes_.data()); }

 private:
  GuardedBytes bytes_;
};

/// A struct of the interface as an older caller has it: only `size` bytes of it are the caller's,
/// the rest is poison.
template <class Struct>
class Shortened {
 public:
  explicit Shortened(std::uint64_t size) : size_(size) {
    std::memset(&value_, kPoison, sizeof(value_));
    std::memset(&value_, 0, size);
    value_.struct_size = size;
  }
  Struct* get() { return &value_; }
  /// Whether what is not the caller's, and the size itself, are as they were.
  bool is_respected() const {
    if (value_.struct_size != size_) return false;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&value_);
    for (std::uint64_t i = size_; i < sizeof(value_); ++i) {
      if (bytes[i] != kPoison) return false;
    }
    return true;
  }

 private:
  std::uint64_t size_;
  Struct value_;
};

}  // namespace vernal::check
