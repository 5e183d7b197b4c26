#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "source/line_splitter.hpp"

namespace {

using palang::LineSplitter;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Split {
  std::vector<std::string> lines;
  uint64_t pending = 0;
  uint64_t cut = 0;
  friend bool operator==(const Split&, const Split&) = default;
};

// In pieces whose sizes `sizes` gives in turn, or whole where it is empty.
Split split(std::string_view text, std::string_view sizes) {
  LineSplitter splitter;
  Split result;
  size_t turn = 0;
  while (!text.empty()) {
    const std::span<char> room = splitter.room();
    size_t size = std::min(room.size(), text.size());
    if (!sizes.empty())
      size = std::min<size_t>(size, static_cast<unsigned char>(sizes[turn++ % sizes.size()]) * 97U + 1);
    std::copy_n(text.data(), size, room.data());
    splitter.split(size, [&](std::string_view line) { result.lines.emplace_back(line); });
    if (turn % 3 == 0) splitter.release();
    text.remove_prefix(size);
  }
  result.pending = splitter.pending();
  result.cut = splitter.cut_lines();
  return result;
}

// The definition, written without care for speed.
Split split_simply(std::string_view text) {
  Split result;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    result.cut += line.size() > LineSplitter::longest_line ? 1 : 0;
    result.lines.emplace_back(line.substr(0, LineSplitter::longest_line));
  }
  result.pending = text.size();
  return result;
}

}  // namespace

// The first byte says how many bytes give the sizes of the pieces, the next one how often the rest is repeated (so that
// lines get long); the rest is the text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.size() < 2) return 0;
  const size_t count = std::min<size_t>(static_cast<unsigned char>(bytes[0]) % 16, bytes.size() - 2);
  const unsigned repeats = static_cast<unsigned char>(bytes[1]) + 1U;
  const std::string_view sizes = bytes.substr(2, count);
  bytes.remove_prefix(2 + count);
  std::string text;
  for (unsigned repeat = 0; repeat < repeats && text.size() < 400'000; ++repeat) text += bytes;
  const Split wanted = split_simply(text);
  require(split(text, {}) == wanted);
  require(split(text, sizes) == wanted);
  return 0;
}
