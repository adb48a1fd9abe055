#include "openai_http/http/content_coding.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <new>
#include <vector>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr int kLargestWindowLog = 23;  // 8 MiB

[[noreturn]] void refuse_encoding(std::string_view coding, std::string_view why) {
  throw RequestRefused(http_refusal(
      "malformed_encoding",
      fmt::format("The request body is not what its Content-Encoding {} says: {}.", coding, why)));
}

class GzipDecoder final : public BodyDecoder {
 public:
  GzipDecoder() : piece_(kPiece) {
    constexpr int kGzipOnly = 16;  // added to the window's bits, it tells zlib to expect gzip
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  void put(std::string_view bytes, const Sink& sink) override {
    // The library writes nothing there, but its type says so.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0) {
      if (is_complete_) begin_member();
      std::size_t size = 0;
      do {
        size = inflate_piece();
        if (size > 0) sink({piece_.data(), size});
      } while (size == piece_.size() && !is_complete_);
    }
  }
  bool is_complete() const noexcept override { return is_complete_; }
  std::size_t memory() const noexcept override {
    constexpr std::size_t kInflate = 64 * 1024;  // more than zlib's own 48 KiB
    return piece_.size() + kInflate;
  }

 private:
  /// What follows a whole member can only be another one.
  void begin_member() {
    inflateReset(&stream_);
    is_complete_ = false;
  }

  /// Bytes that were decoded into the piece.
  std::size_t inflate_piece() {
    stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
    stream_.avail_out = static_cast<uInt>(piece_.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    is_complete_ = status == Z_STREAM_END;
    const bool goes_on = status == Z_OK || status == Z_BUF_ERROR;  // the latter: no more input
    if (!is_complete_ && !goes_on) {
      refuse_encoding("gzip", stream_.msg != nullptr ? stream_.msg : "it is damaged");
    }
    return piece_.size() - stream_.avail_out;
  }

  z_stream stream_{};
  std::vector<char> piece_;
  bool is_complete_ = false;
};

class ZstdDecoder final : public BodyDecoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()), piece_(kPiece) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }

  void put(std::string_view bytes, const Sink& sink) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool is_full = false;
    while (in.pos < in.size || is_full) {
      ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
      const std::size_t status = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(status) != 0) refuse_status(status);
      is_complete_ = status == 0;
      is_full = out.pos == out.size && !is_complete_;
      if (out.pos > 0) sink({piece_.data(), out.pos});
    }
  }
  bool is_complete() const noexcept override { return is_complete_; }
  std::size_t memory() const noexcept override {
    return piece_.size() + ZSTD_sizeof_DStream(stream_.get());
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };

  [[noreturn]] static void refuse_status(std::size_t status) {
    const ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
    if (code == ZSTD_error_memory_allocation) throw std::bad_alloc();
    if (code == ZSTD_error_frameParameter_windowTooLarge) {
      refuse_encoding("zstd", "it needs a window of more than 8 MiB");
    }
    refuse_encoding("zstd", ZSTD_getErrorName(status));
  }

  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::vector<char> piece_;
  bool is_complete_ = false;
};

bool is_name(std::string_view name, std::string_view known) {
  return boost::beast::iequals({name.data(), name.size()}, {known.data(), known.size()});
}

}  // namespace

std::optional<ContentCoding> find_content_coding(std::string_view name) noexcept {
  if (is_name(name, "identity")) return ContentCoding::kIdentity;
  if (is_name(name, "gzip") || is_name(name, "x-gzip")) return ContentCoding::kGzip;
  if (is_name(name, "zstd")) return ContentCoding::kZstd;
  return std::nullopt;
}

std::unique_ptr<BodyDecoder> make_body_decoder(ContentCoding coding) {
  if (coding == ContentCoding::kGzip) return std::make_unique<GzipDecoder>();
  return std::make_unique<ZstdDecoder>();
}

}  // namespace vernal::openai_http
