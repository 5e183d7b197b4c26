#include "enforce/xdp_program.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "bpf/object.hpp"

namespace palang {
namespace {

// libbpf tells what went wrong to a function of the process alone: its last warning, for the sentence of an Error.
thread_local std::string last_warning;

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::array<char, 512> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string text(line.data(), std::min(line.size() - 1, static_cast<size_t>(std::max(length, 0))));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  // The log of the verifier is pages long; what follows it says less.
  if (text.find("BEGIN PROG LOAD LOG") == std::string::npos && text.find("-- END") == std::string::npos)
    last_warning = std::move(text);
  return 0;
}

Failure fail_load(const char* what, int error) {
  std::string why = describe_errno(error);
  if (!last_warning.empty()) why += "; " + last_warning;
  if (error == EPERM) why += " (it takes CAP_BPF and CAP_NET_ADMIN, or root)";
  return Failure(Error{fmt::format("{} the program for XDP: {}", what, why), ErrorKind::fault, error});
}

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};
using Types = std::unique_ptr<btf, FreeBtf>;

bool has_function(const btf* types, const char* name) {
  return types != nullptr && btf__find_by_name_kind(types, name, BTF_KIND_FUNC) > 0;
}

// In the kernel itself, or in its module where that is loaded.
bool kernel_offers_conntrack() {
  const Types kernel(btf__load_vmlinux_btf());
  if (!kernel) return false;
  constexpr const char* lookup = "bpf_xdp_ct_lookup";
  if (has_function(kernel.get(), lookup)) return true;
  const Types module(btf__load_module_btf("nf_conntrack", kernel.get()));
  return has_function(module.get(), lookup);
}

}  // namespace

void XdpProgram::Close::operator()(bpf_object* object) const {
  bpf_object__close(object);
}

XdpProgram::XdpProgram(XdpProgram&&) noexcept = default;
XdpProgram& XdpProgram::operator=(XdpProgram&&) noexcept = default;
XdpProgram::~XdpProgram() = default;

Result<XdpProgram> XdpProgram::load(const Options& options) {
  libbpf_set_print(keep_warning);
  if (kernel_offers_conntrack()) {
    auto loaded = try_load(options, true);
    if (loaded) return loaded;
  }
  return try_load(options, false);
}

Result<XdpProgram> XdpProgram::try_load(const Options& options, bool with_conntrack) {
  last_warning.clear();
  const auto bytes = bpf_object_gate();
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  open_options.object_name = "palang";
  bpf_object* const opened = bpf_object__open_mem(bytes.data(), bytes.size(), &open_options);
  if (opened == nullptr) return fail_load("read", errno);
  XdpProgram loaded(opened);
  loaded.sees_conntrack_ = with_conntrack;

  bpf_program__set_autoload(bpf_object__find_program_by_name(opened, "palang_xdp"), options.with_xdp);
  bpf_program__set_autoload(bpf_object__find_program_by_name(opened, "palang_tc"), options.with_tc);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, opened) {
    const std::string name = bpf_map__name(map);
    if (bpf_map__is_internal(map)) {
      const uint8_t flag = with_conntrack ? 1 : 0;
      if (name.ends_with(".rodata")) bpf_map__set_initial_value(map, &flag, sizeof flag);
    } else if (!options.pins.empty()) {
      bpf_map__set_pin_path(map, (options.pins + "/" + name).c_str());
    }
  }
  if (const int error = bpf_object__load(opened); error != 0) return fail_load("load", -error);
  return loaded;
}

int XdpProgram::program(const char* name) const {
  const bpf_program* const found = bpf_object__find_program_by_name(object_.get(), name);
  return found == nullptr ? -1 : bpf_program__fd(found);
}

int XdpProgram::map(const char* name) const {
  const bpf_map* const found = bpf_object__find_map_by_name(object_.get(), name);
  return found == nullptr ? -1 : bpf_map__fd(found);
}

}  // namespace palang
