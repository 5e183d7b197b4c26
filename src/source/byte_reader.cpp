#include "source/byte_reader.hpp"

#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace palang {
namespace {

constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr std::string_view xz_magic{
    "\xfd"
    "7zXZ\0",
    6};
constexpr size_t input_size = size_t{64} * 1024;
constexpr uint64_t xz_memory_limit = uint64_t{256} * 1024 * 1024;  // `xz -9` needs 65 MiB to decompress

// A file's bytes with a look ahead.
class Input {
 public:
  Input(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)), buffer_(input_size) {}

  [[nodiscard]] std::string_view ahead() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void skip(size_t bytes) { begin_ += bytes; }

  // Reads on until `bytes` are ahead or the file ends.
  Result<void> look(size_t bytes) {
    if (begin_ + bytes > buffer_.size() || begin_ == end_) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    }
    while (end_ - begin_ < bytes && !ended_) {
      const Result<size_t> got = read_past({buffer_.data() + end_, buffer_.size() - end_});
      if (!got) return Failure(got.error());
      end_ += *got;
    }
    return {};
  }

  // Straight from the file, past what is ahead.
  Result<size_t> read_past(std::span<char> into) {
    Result<size_t> got = read_some(fd_.get(), into, name_);
    if (!got) return got;
    ended_ = *got == 0;
    total_ += *got;
    return got;
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] uint64_t consumed() const { return total_ - ahead().size(); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Fd fd_;
  std::string name_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool ended_ = false;
  uint64_t total_ = 0;
};

class PlainReader final : public ByteReader {
 public:
  explicit PlainReader(Input input) : input_(std::move(input)) {}

  Result<size_t> read(std::span<char> into) override {
    const std::string_view ahead = input_.ahead().substr(0, into.size());
    if (ahead.empty()) return input_.read_past(into);
    std::memcpy(into.data(), ahead.data(), ahead.size());
    input_.skip(ahead.size());
    return ahead.size();
  }
  [[nodiscard]] uint64_t consumed() const override { return input_.consumed(); }
  [[nodiscard]] bool is_archive() const override { return false; }

 private:
  Input input_;
};

// What the two decompressors share: output first, the error at the next call.
class ArchiveReader : public ByteReader {
 public:
  explicit ArchiveReader(Input input) : input_(std::move(input)) {}

  Result<size_t> read(std::span<char> into) final {
    if (damage_) return Failure(*damage_);
    size_t produced = 0;
    while (produced < into.size() && !finished_) {
      const Result<void> looked = input_.look(1);
      const Result<size_t> more = looked ? step(into.subspan(produced)) : Failure(looked.error());
      if (!more) {
        damage_ = more.error();
        break;
      }
      produced += *more;
    }
    if (produced == 0 && damage_) return Failure(*damage_);
    return produced;
  }
  [[nodiscard]] uint64_t consumed() const final { return input_.consumed(); }
  [[nodiscard]] bool is_archive() const final { return true; }

 protected:
  // Decompresses some of input(); an empty input is the end of the file.
  virtual Result<size_t> step(std::span<char> into) = 0;

  Input& input() { return input_; }
  void set_finished() { finished_ = true; }
  [[nodiscard]] Failure damaged(std::string_view how) const {
    return fail(fmt::format("read {}: {} at byte {}", input_.name(), how, input_.consumed()));
  }

 private:
  Input input_;
  bool finished_ = false;
  std::optional<Error> damage_;
};

class GzipReader final : public ArchiveReader {
 public:
  explicit GzipReader(Input input) : ArchiveReader(std::move(input)) {
    ready_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;  // 16: a gzip header is required
  }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader() override {
    if (ready_) inflateEnd(&stream_);
  }

 protected:
  Result<size_t> step(std::span<char> into) override {
    if (!ready_) return fail("decompress " + input().name() + ": out of memory");
    if (between_members_) return next_member();
    const std::string_view ahead = input().ahead();
    if (ahead.empty()) return damaged("the gzip archive ends too early");
    // zlib never writes to next_in; its type is older than const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(ahead.data()));
    stream_.avail_in = static_cast<uInt>(ahead.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    input().skip(ahead.size() - stream_.avail_in);
    const size_t produced = into.size() - stream_.avail_out;
    if (status == Z_STREAM_END) {
      between_members_ = true;
    } else if (status != Z_OK && produced == 0) {
      return damaged(fmt::format("the gzip archive is corrupt ({})", stream_.msg != nullptr ? stream_.msg : "zlib"));
    }
    return produced;
  }

 private:
  // Behind a member: another one, zeros that a tape or block device padded with, or the end.
  Result<size_t> next_member() {
    if (const Result<void> looked = input().look(gzip_magic.size()); !looked) return Failure(looked.error());
    const std::string_view ahead = input().ahead();
    const size_t zeros = std::min(ahead.find_first_not_of('\0'), ahead.size());
    input().skip(zeros);
    if (ahead.empty()) {
      set_finished();
    } else if (zeros == 0 && ahead.starts_with(gzip_magic)) {
      inflateReset(&stream_);
      between_members_ = false;
    } else if (zeros == 0) {
      return damaged("the gzip archive is followed by something else");
    }
    return 0;
  }

  z_stream stream_{};
  bool ready_ = false;
  bool between_members_ = false;
};

std::string_view xz_problem(lzma_ret status) {
  switch (status) {
    case LZMA_BUF_ERROR: return "the xz archive ends too early";
    case LZMA_MEMLIMIT_ERROR: return "the xz archive needs more than 256 MiB to decompress";
    case LZMA_MEM_ERROR: return "out of memory for the xz archive";
    case LZMA_OPTIONS_ERROR: return "the xz archive uses an unknown option";
    case LZMA_FORMAT_ERROR: return "the xz archive is followed by something else";
    default: return "the xz archive is corrupt";
  }
}

class XzReader final : public ArchiveReader {
 public:
  explicit XzReader(Input input) : ArchiveReader(std::move(input)) {
    ready_ = lzma_stream_decoder(&stream_, xz_memory_limit, LZMA_CONCATENATED) == LZMA_OK;
  }
  XzReader(const XzReader&) = delete;
  XzReader& operator=(const XzReader&) = delete;
  ~XzReader() override { lzma_end(&stream_); }

 protected:
  Result<size_t> step(std::span<char> into) override {
    if (!ready_) return fail("decompress " + input().name() + ": out of memory");
    const std::string_view ahead = input().ahead();
    stream_.next_in = reinterpret_cast<const uint8_t*>(ahead.data());
    stream_.avail_in = ahead.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(into.data());
    stream_.avail_out = into.size();
    const lzma_ret status = lzma_code(&stream_, ahead.empty() ? LZMA_FINISH : LZMA_RUN);
    input().skip(ahead.size() - stream_.avail_in);
    const size_t produced = into.size() - stream_.avail_out;
    if (status == LZMA_STREAM_END) {
      set_finished();
    } else if (status != LZMA_OK && produced == 0) {
      return damaged(xz_problem(status));
    }
    return produced;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_ = false;
};

}  // namespace

Result<size_t> read_some(int fd, std::span<char> into, const std::string& name) {
  for (;;) {
    const ssize_t got = ::read(fd, into.data(), into.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return fail_os("read", name, errno);
  }
}

Result<std::unique_ptr<ByteReader>> open_byte_reader(Fd fd, std::string name) {
  Input input(std::move(fd), std::move(name));
  if (const Result<void> looked = input.look(xz_magic.size()); !looked) return Failure(looked.error());
  if (input.ahead().starts_with(gzip_magic)) return std::make_unique<GzipReader>(std::move(input));
  if (input.ahead().starts_with(xz_magic)) return std::make_unique<XzReader>(std::move(input));
  return std::make_unique<PlainReader>(std::move(input));
}

}  // namespace palang
