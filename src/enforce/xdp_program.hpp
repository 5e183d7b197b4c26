#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "enforce/xdp_map.hpp"
#include "enforce/xdp_shared.hpp"

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
    bool with_conntrack = true;  // where it can be had
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
  [[nodiscard]] std::vector<int> maps() const;
  // For the maps that name another map.
  [[nodiscard]] MapSlot slot(const char* name) const;

  // Replies to connections behind address translation are known, too.
  [[nodiscard]] bool sees_conntrack() const { return features_.conntrack; }
  // Decoys can be answered.
  [[nodiscard]] bool bakes_cookies() const { return features_.cookies; }

  // The number of the layout that its maps have (bpf/abi.h): others can't be taken over.
  [[nodiscard]] static uint32_t layout();
  // The same program once more, not yet loaded, on the maps of this one.
  [[nodiscard]] Result<BpfObject> open_again() const;

 private:
  struct Features {  // beyond the least that is needed
    bool conntrack = false;
    bool cookies = false;
  };
  explicit XdpProgram(BpfObject object) : object_(std::move(object)) {}
  [[nodiscard]] static Result<BpfObject> open_object(Features features);
  [[nodiscard]] static Result<XdpProgram> try_load(const Options& options, Features features);
  [[nodiscard]] int program(const char* name) const;

  BpfObject object_;
  std::string pins_;
  Features features_;
};

}  // namespace palang
