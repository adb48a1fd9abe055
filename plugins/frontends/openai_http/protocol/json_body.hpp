// Request bodies: untrusted JSON, parsed within limits.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace vernal::openai_http {

/// A parsed body. It owns the memory in which its object lives, so it cannot be copied or moved.
class JsonBody {
 public:
  /// Parses `text`, which must be one JSON object of RFC 8259 in valid UTF-8, at most 128 levels
  /// deep, with finite numbers. If a key comes twice, the last one counts. Numbers of what is
  /// handed on to the engine keep their digits (exact_json.hpp). Throws RequestRefused:
  /// 400 invalid_json, or 413 if the parsed form needs more than 64 MiB + 3 bytes for each byte of
  /// text.
  explicit JsonBody(std::string_view text);

  const boost::json::object& object() const { return value_.get_object(); }

 private:
  /// Memory with an upper bound.
  class BoundedMemory final : public boost::json::memory_resource {
   public:
    explicit BoundedMemory(std::size_t limit) : left_(limit) {}

   private:
    void* do_allocate(std::size_t size, std::size_t alignment) override;
    void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override;
    bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }
    std::size_t left_;
  };

  BoundedMemory memory_;
  boost::json::value value_;
};

/// `value` in a few words for a message: "an array of 3 elements", or its JSON text, shortened.
std::string describe(const boost::json::value& value);

}  // namespace vernal::openai_http
