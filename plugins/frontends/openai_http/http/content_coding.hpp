// Request bodies that come compressed (Content-Encoding).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace vernal::openai_http {

enum class ContentCoding { kIdentity, kGzip, kZstd };

/// What a 415 lists in Accept-Encoding, best first.
inline constexpr std::string_view kAcceptedCodings = "zstd, gzip";

/// Most bytes that a decoder takes: a window of 8 MiB, and what stands around it.
inline constexpr std::size_t kMostDecoderMemory = std::size_t{9} << 20;

/// The coding that a Content-Encoding names, in any case; "x-gzip" is gzip (RFC 9110, section 8.4.1).
/// nullopt for other names and for lists of codings.
std::optional<ContentCoding> find_content_coding(std::string_view name) noexcept;

/// Decodes one body as it comes. Where it ends and how large it may become is the caller's to judge.
/// Not thread-safe.
class BodyDecoder {
 public:
  /// Gets decoded bytes, at most 64 KiB at a time. What it throws ends the decoding.
  using Sink = std::function<void(std::string_view)>;

  BodyDecoder() = default;
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;
  virtual ~BodyDecoder() = default;

  /// Decodes `bytes`, which follow those of the last call, and hands on what comes of them.
  /// Errors   RequestRefused: 400 malformed_encoding for bytes that are not of the coding, and for a
  ///          zstd window above 8 MiB, the most that RFC 9659 allows in HTTP.
  ///          std::bad_alloc
  virtual void put(std::string_view bytes, const Sink& sink) = 0;

  /// Whether the bytes so far are whole: one or more gzip members or zstd frames.
  virtual bool is_complete() const noexcept = 0;

  /// Bytes that the decoder itself takes now.
  virtual std::size_t memory() const noexcept = 0;
};

/// A decoder for one body. `coding` is not kIdentity. Throws std::bad_alloc.
std::unique_ptr<BodyDecoder> make_body_decoder(ContentCoding coding);

}  // namespace vernal::openai_http
