// Responses that clients may ask for again, or go on from, by their id.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "openai_http/http/asio.hpp"

namespace vernal::openai_http {

/// Text that counts against the limit of its store for as long as anybody holds it.
class StoredText {
 public:
  ///   more_bytes   what counts with it: memory around the text
  StoredText(std::string text, std::atomic<std::uint64_t>& num_bytes, std::size_t more_bytes = 0);
  StoredText(const StoredText&) = delete;
  StoredText& operator=(const StoredText&) = delete;
  ~StoredText();

  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::size_t size_;  // as it counts
  std::atomic<std::uint64_t>& num_bytes_;
};

/// JSON arrays of items, oldest first. Responses that go on from each other share them.
using Conversation = std::vector<std::shared_ptr<const StoredText>>;

struct StoredResponse {
  std::shared_ptr<const StoredText> document;  // the response object
  Conversation input;                          // what was before, and the request's own items
  std::shared_ptr<const StoredText> output;    // JSON array of the answer's items

  /// What a request that goes on from here has before it.
  Conversation conversation() const;
};

/// Keeps the newest responses in memory, within limits. Each belongs to the client that asked for it
/// and is not there for others. Any thread.
class ResponseStore {
 public:
  struct Limits {
    std::uint64_t max_responses = 0;  // 0: none is kept
    std::uint64_t max_bytes = 0;      // of all texts
    Milliseconds max_age{0};
  };
  /// A response that is to be kept.
  struct NewResponse {
    std::string document;
    Conversation history;                    // of a response of this store, or empty
    std::string input;                       // JSON array of the request's own items
    std::string output;                      // JSON array
    std::vector<std::string> item_ids = {};  // of the items in `input` and `output`
  };

  explicit ResponseStore(Limits limits) : limits_(limits) {}

  bool keeps_any() const noexcept { return limits_.max_responses > 0; }

  /// Keeps a response. Those that are too old leave, and then those that nobody asked for the
  /// longest, until all limits hold; this may be the new one too.
  void put(std::size_t client, std::string id, NewResponse response, TimePoint now = Clock::now());

  /// Null if there is none of that id that belongs to `client`.
  std::shared_ptr<const StoredResponse> find(std::size_t client, std::string_view id,
                                             TimePoint now = Clock::now());
  /// The newest response with an item of that id, among those that belong to `client`; null if there
  /// is none.
  std::shared_ptr<const StoredResponse> find_with_item(std::size_t client, std::string_view item_id,
                                                       TimePoint now = Clock::now());
  /// Whether there was one.
  bool erase(std::size_t client, std::string_view id, TimePoint now = Clock::now());

  std::uint64_t num_responses() const;
  /// Of the texts that are kept or in use.
  std::uint64_t num_bytes() const noexcept { return num_bytes_; }

 private:
  struct Entry {
    std::string id;
    std::size_t client;
    TimePoint stored_at;
    std::shared_ptr<const StoredResponse> response;
    std::vector<std::string> item_keys;
  };
  using Entries = std::list<Entry>;

  void index_items(Entries::iterator entry, const std::vector<std::string>& item_ids);
  Entries::iterator find_entry(std::size_t client, std::string_view id, TimePoint now);
  bool is_too_old(const Entry& entry, TimePoint now) const;
  void drop(Entries::iterator entry);

  const Limits limits_;
  std::atomic<std::uint64_t> num_bytes_ = 0;  // outlives the texts, which refer to it
  mutable std::mutex mutex_;                  // guards what follows
  Entries entries_;                           // last used first
  // The keys of both live in the entries.
  std::unordered_map<std::string_view, Entries::iterator> by_id_;
  std::unordered_map<std::string_view, Entries::iterator> by_item_;
};

}  // namespace vernal::openai_http
