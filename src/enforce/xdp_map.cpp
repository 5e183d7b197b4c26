#include "enforce/xdp_map.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace palang {
namespace {

std::string pin_of(const MapSlot& slot, uint32_t place) {
  return fmt::format("{}_{}", slot.pin, place);
}

std::string next_pin_of(const MapSlot& slot) {
  return slot.pin + "_next";
}

}  // namespace

Result<MappedMemory> MappedMemory::of(int map, size_t bytes, const char* name) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  bytes = (bytes + page - 1) / page * page;
  void* const start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (start == MAP_FAILED) return fail_os("map BPF memory", name, errno);
  return MappedMemory(start, bytes);
}

Result<MappedMemory> MappedMemory::reserve(size_t bytes) {
  void* const start = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return fail_os("reserve", "address space for BPF memory", errno);
  return MappedMemory(start, bytes);
}

Result<void> MappedMemory::put(int map, size_t offset, size_t bytes) {
  void* const where = static_cast<char*>(start_) + offset;
  if (::mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, map, 0) == MAP_FAILED)
    return fail_os("map BPF memory", "pages", errno);
  return {};
}

MappedMemory::~MappedMemory() {
  if (start_ != nullptr) ::munmap(start_, bytes_);
}

Result<MapFacts> facts_of_map(int map) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(map, &info, &size) != 0) return fail_os("look at", "a BPF map", errno);
  return MapFacts{info.max_entries, info.id};
}

Result<Fd> inner_map(const MapSlot& slot, uint32_t place) {
  uint32_t id = 0;
  if (bpf_map_lookup_elem(slot.outer, &place, &id) != 0) {
    if (errno == ENOENT) return Fd();
    return fail_os("look up", "the present table", errno);
  }
  // A daemon that died in replace_inner_map() leaves two.
  for (const std::string& path : {pin_of(slot, place), next_pin_of(slot)}) {
    Fd pinned(slot.pin.empty() ? -1 : bpf_obj_get(path.c_str()));
    if (!pinned) continue;
    if (const auto facts = facts_of_map(pinned.get()); facts && facts->id == id) return pinned;
  }
  Fd inner(bpf_map_get_fd_by_id(id));
  if (!inner) return fail_os("open", "the present table", errno);
  return inner;
}

Result<void> replace_inner_map(const MapSlot& slot, int inner) {
  const std::string next = next_pin_of(slot);
  if (!slot.pin.empty()) {
    (void)::unlink(next.c_str());
    if (bpf_obj_pin(inner, next.c_str()) != 0) return fail_os("pin", next, errno);
  }
  const uint32_t zero = 0;
  if (bpf_map_update_elem(slot.outer, &zero, &inner, BPF_ANY) != 0)
    return fail_os("put in place", "a larger table", errno);
  if (!slot.pin.empty() && std::rename(next.c_str(), pin_of(slot, 0).c_str()) != 0)
    return fail_os("pin", pin_of(slot, 0), errno);
  return {};
}

Result<void> pin_inner_map(const MapSlot& slot, uint32_t place, int inner) {
  if (slot.pin.empty()) return {};
  unpin_inner_map(slot, place);
  if (bpf_obj_pin(inner, pin_of(slot, place).c_str()) != 0) return fail_os("pin", pin_of(slot, place), errno);
  return {};
}

void unpin_inner_map(const MapSlot& slot, uint32_t place) {
  if (!slot.pin.empty()) (void)::unlink(pin_of(slot, place).c_str());
}

Result<Fd> create_map(const MapShape& shape) {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.map_flags = shape.flags;
  Fd map(bpf_map_create(static_cast<bpf_map_type>(shape.type), shape.name, shape.key_size, shape.value_size,
                        shape.entries, &options));
  if (!map) return fail_os("create", fmt::format("the BPF map {} of {} entries", shape.name, shape.entries), errno);
  return map;
}

}  // namespace palang
