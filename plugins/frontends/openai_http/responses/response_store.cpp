#include "openai_http/responses/response_store.hpp"

#include <utility>

namespace vernal::openai_http {
namespace {

/// Memory of a response beside its texts and its list of them: the entry, its id, its key.
constexpr std::size_t kAroundAResponse = 320;
/// The same of an item's key beside its text.
constexpr std::size_t kAroundAnItem = 112;

/// Ids of items may be chosen by clients, so each has its own.
std::string item_key(std::size_t client, std::string_view item_id) {
  return std::to_string(client) + ":" + std::string(item_id);
}

}  // namespace

StoredText::StoredText(std::string text, std::atomic<std::uint64_t>& num_bytes,
                       std::size_t more_bytes)
    : text_(std::move(text)),
      size_(text_.size() + sizeof(*this) + more_bytes),
      num_bytes_(num_bytes) {
  text_.shrink_to_fit();
  num_bytes_ += size_;
}

StoredText::~StoredText() { num_bytes_ -= size_; }

Conversation StoredResponse::conversation() const {
  Conversation all = input;
  all.push_back(output);
  return all;
}

void ResponseStore::put(std::size_t client, std::string id, NewResponse response, TimePoint now) {
  if (!keeps_any()) return;
  const auto held = [this](std::string text, std::size_t more_bytes = 0) {
    return std::make_shared<const StoredText>(std::move(text), num_bytes_, more_bytes);
  };
  auto stored = std::make_shared<StoredResponse>();
  stored->input = std::move(response.history);
  stored->input.push_back(held(std::move(response.input)));
  stored->output = held(std::move(response.output));
  std::size_t around = kAroundAResponse + stored->input.size() * sizeof(stored->output);
  for (const std::string& item : response.item_ids) around += kAroundAnItem + item.size();
  stored->document = held(std::move(response.document), around);
  const std::lock_guard lock(mutex_);
  entries_.push_front({std::move(id), client, now, std::move(stored), {}});
  by_id_.insert_or_assign(entries_.front().id, entries_.begin());
  index_items(entries_.begin(), response.item_ids);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (is_too_old(*entry, now)) drop(entry);
    entry = next;
  }
  while (!entries_.empty() &&
         (entries_.size() > limits_.max_responses || num_bytes_ > limits_.max_bytes)) {
    drop(std::prev(entries_.end()));
  }
}

std::shared_ptr<const StoredResponse> ResponseStore::find(std::size_t client, std::string_view id,
                                                          TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto entry = find_entry(client, id, now);
  if (entry == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->response;
}

std::shared_ptr<const StoredResponse> ResponseStore::find_with_item(std::size_t client,
                                                                    std::string_view item_id,
                                                                    TimePoint now) {
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_item_.find(item_key(client, item_id));
    if (found == by_item_.end()) return nullptr;
    id = found->second->id;
  }
  return find(client, id, now);
}

bool ResponseStore::erase(std::size_t client, std::string_view id, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto entry = find_entry(client, id, now);
  if (entry == entries_.end()) return false;
  drop(entry);
  return true;
}

std::uint64_t ResponseStore::num_responses() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

ResponseStore::Entries::iterator ResponseStore::find_entry(std::size_t client, std::string_view id,
                                                           TimePoint now) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->client != client) return entries_.end();
  const auto entry = found->second;
  if (!is_too_old(*entry, now)) return entry;
  drop(entry);
  return entries_.end();
}

bool ResponseStore::is_too_old(const Entry& entry, TimePoint now) const {
  return now - entry.stored_at > limits_.max_age;
}

// An item that is in several responses belongs to the newest.
void ResponseStore::index_items(Entries::iterator entry, const std::vector<std::string>& item_ids) {
  entry->item_keys.reserve(item_ids.size());
  for (const std::string& id : item_ids) {
    const std::string& key = entry->item_keys.emplace_back(item_key(entry->client, id));
    by_item_.erase(key);  // its key may live in another entry
    by_item_.emplace(key, entry);
  }
}

void ResponseStore::drop(Entries::iterator entry) {
  for (const std::string& key : entry->item_keys) {
    const auto found = by_item_.find(key);
    if (found != by_item_.end() && found->second == entry) by_item_.erase(found);
  }
  by_id_.erase(entry->id);
  entries_.erase(entry);
}

}  // namespace vernal::openai_http
