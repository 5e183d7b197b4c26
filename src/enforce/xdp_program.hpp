#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

struct bpf_object;

namespace palang {

// The program of src/bpf with its maps, loaded into the kernel. Owns both until they are pinned or attached elsewhere.
class XdpProgram {
 public:
  struct Options {
    // A folder in a bpffs: maps pinned there by an earlier palang are taken over, the others are pinned there. Empty:
    // all maps are new and go with the process.
    std::string pins;
    bool with_xdp = true;
    bool with_tc = false;
  };

  // Fails with a sentence that says what the kernel lacks or refuses.
  [[nodiscard]] static Result<XdpProgram> load(const Options& options);

  XdpProgram(XdpProgram&&) noexcept;
  XdpProgram& operator=(XdpProgram&&) noexcept;
  ~XdpProgram();

  // Descriptors stay the property of this object; -1 for what was not loaded.
  [[nodiscard]] int xdp() const { return program("palang_xdp"); }
  [[nodiscard]] int tc() const { return program("palang_tc"); }
  [[nodiscard]] int clock() const { return program("palang_clock"); }
  [[nodiscard]] int map(const char* name) const;

  // Replies to connections behind address translation are known, too.
  [[nodiscard]] bool sees_conntrack() const { return sees_conntrack_; }

 private:
  struct Close {
    void operator()(bpf_object* object) const;
  };
  explicit XdpProgram(bpf_object* object) : object_(object) {}
  [[nodiscard]] static Result<XdpProgram> try_load(const Options& options, bool with_conntrack);
  [[nodiscard]] int program(const char* name) const;

  std::unique_ptr<bpf_object, Close> object_;
  bool sees_conntrack_ = false;
};

}  // namespace palang
