// Runs a fuzz target without libFuzzer, so that every compiler's test run does: each file of the corpus that the
// arguments name, and a bounded number of mutations of it, the same in every run.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int mutations_of_each = 300;
constexpr size_t longest = 64 * 1024;  // bytes

std::string_view at_hand;

// Says which input it was: what it holds may be binary, so as a C string.
extern "C" void show_input(int signal) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string text = "aborted by this input: \"";
  for (const char c : at_hand) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\')
      text.push_back(c);
    else
      text.append("\\x").append(1, hex[byte >> 4]).append(1, hex[byte & 0xf]);
  }
  text.append("\"\n");
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& input) {
  at_hand = input;
  // A copy of exactly its size, so that the sanitizers see a read behind the end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A piece of any text of the corpus, up to 40 bytes.
std::string some_piece(const std::vector<std::string>& corpus, std::mt19937_64& random) {
  const std::string& text = corpus[random() % corpus.size()];
  return text.empty() ? std::string() : text.substr(random() % text.size(), random() % 40);
}

void mutate(std::string& text, const std::vector<std::string>& corpus, std::mt19937_64& random) {
  const size_t at = text.empty() ? 0 : random() % text.size();
  switch (random() % 6) {
    case 0: text.insert(at, 1, static_cast<char>(random())); break;
    case 1: text.insert(at, some_piece(corpus, random)); break;
    case 2: text.erase(at, random() % 16); break;
    case 3: text.resize(at); break;
    case 4: text.insert(at, text.substr(at, random() % 64)); break;
    default:
      if (!text.empty()) text[at] = static_cast<char>(random());
  }
  text.resize(std::min(text.size(), longest));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
  std::ranges::sort(files);
  if (files.empty()) {
    std::fputs("no corpus: name a folder that holds some\n", stderr);
    return 2;
  }
  std::signal(SIGABRT, show_input);
  std::vector<std::string> corpus;
  for (const auto& file : files) corpus.push_back(read_file(file));
  std::mt19937_64 random(20250112);
  run({});
  for (const std::string& text : corpus) {
    run(text);
    for (int i = 0; i < mutations_of_each; ++i) {
      std::string mutant = text;
      for (uint64_t change = 0; change <= random() % 5; ++change) mutate(mutant, corpus, random);
      run(mutant);
    }
  }
  std::printf("%zu files and %zu mutations of them\n", corpus.size(), corpus.size() * mutations_of_each);
  return 0;
}
