#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/seeded_table.hpp"
#include "engine/line_reader.hpp"
#include "model/source.hpp"

namespace palang {

// The line with all that differs from one occurrence to the next replaced: numbers by N, addresses by ADDR, long
// hexadecimal words by HEX, quoted text by "…". Lines of one statement of a program have one shape.
[[nodiscard]] std::string shape_of(std::string_view message);

// Which lines of a log no rule understands, grouped by shape.
class Coverage {
 public:
  Coverage(RuleBook book, WallTime booted) : reader_(booted), book_(std::move(book)), shapes_(HashSeed::random()) {}

  void observe(const Source::Batch& batch);

  struct Shape {
    std::string program;
    std::string shape;
    std::string example;  // the first such line
    uint64_t lines = 0;
  };
  // Most frequent first.
  [[nodiscard]] std::vector<Shape> shapes() const;
  [[nodiscard]] uint64_t lines() const { return lines_; }
  [[nodiscard]] uint64_t understood() const { return understood_; }  // by a rule, or by the firewall's parser
  [[nodiscard]] uint64_t without_shape() const { return without_shape_; }

 private:
  static constexpr size_t most_shapes = 100'000;  // a log may be all different

  struct Known {
    size_t place = 0;  // in list_
  };
  struct Key {
    std::string text;
    friend bool operator==(const Key&, const Key&) = default;
    friend uint64_t hash_key(HashSeed seed, const Key& key) { return hash_words(seed, text_fingerprint(key.text), 0); }
  };
  void take(const RawLine& raw, std::string_view program, std::string_view message);

  LineReader reader_;
  RuleBook book_;
  std::vector<Event> events_;
  SeededTable<Key, Known> shapes_;
  std::vector<Shape> list_;
  uint64_t lines_ = 0;
  uint64_t understood_ = 0;
  uint64_t without_shape_ = 0;
};

}  // namespace palang
