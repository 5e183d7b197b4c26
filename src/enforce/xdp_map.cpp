#include "enforce/xdp_map.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace palang {

Result<MappedMemory> MappedMemory::of(int map, size_t bytes, const char* name) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  bytes = (bytes + page - 1) / page * page;
  void* const start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (start == MAP_FAILED) return fail_os("map BPF memory", name, errno);
  return MappedMemory(start, bytes);
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

Result<Fd> inner_map(int outer) {
  const uint32_t zero = 0;
  uint32_t id = 0;
  if (bpf_map_lookup_elem(outer, &zero, &id) != 0) {
    if (errno == ENOENT) return Fd();
    return fail_os("look up", "the present table", errno);
  }
  Fd inner(bpf_map_get_fd_by_id(id));
  if (!inner) return fail_os("open", "the present table", errno);
  return inner;
}

Result<void> replace_inner_map(int outer, int inner) {
  const uint32_t zero = 0;
  if (bpf_map_update_elem(outer, &zero, &inner, BPF_ANY) != 0) return fail_os("put in place", "a larger table", errno);
  return {};
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
