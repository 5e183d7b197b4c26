#include "enforce/xdp_program.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "bpf/abi.h"
#include "bpf/object.hpp"

namespace palang {
namespace {

// libbpf tells what went wrong to a function of the process alone: its last warning, for the sentence of an Error, and
// what the verifier said, where that is why.
thread_local std::string last_warning;
thread_local std::string verifier_said;

std::string formatted(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  std::string text(static_cast<size_t>(std::max(length, 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, arguments);
  return text;
}

// The log of the verifier is pages long, and its last line but the statistics says why.
std::string verdict_in(std::string_view log) {
  std::string_view verdict;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(line.size() + 1, log.size()));
    if (!line.empty() && !line.starts_with("processed ") && !line.starts_with("--")) verdict = line;
  }
  return std::string(verdict);
}

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::string text = formatted(format, arguments);
  constexpr std::string_view begin = "BEGIN PROG LOAD LOG --\n";
  if (const size_t at = text.find(begin); at != std::string::npos) {
    verifier_said = verdict_in(std::string_view(text).substr(at + begin.size()));
    return 0;
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  last_warning = std::move(text);
  return 0;
}

Failure fail_load(const char* what, int error) {
  std::string why = describe_errno(error);
  if (!verifier_said.empty())
    why = "the kernel's verifier refused it: " + verifier_said;
  else if (!last_warning.empty())
    why += "; " + last_warning;
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

// Functions of modules can be called by those alone who may open their types (CAP_SYS_ADMIN). Who may not can't even
// load a program that would do without them: libbpf before 1.3 gives up.
bool may_open_modules() {
  uint32_t first = 0;
  return bpf_btf_get_next_id(0, &first) == 0 || errno == ENOENT;
}

// In the kernel itself, or in its module where that is loaded.
bool offers_conntrack(const Types& kernel) {
  constexpr const char* lookup = "bpf_xdp_ct_lookup";
  if (has_function(kernel.get(), lookup)) return true;
  const Types module(btf__load_module_btf("nf_conntrack", kernel.get()));
  return has_function(module.get(), lookup) && may_open_modules();
}

}  // namespace

XdpProgram::XdpProgram(XdpProgram&&) noexcept = default;
XdpProgram& XdpProgram::operator=(XdpProgram&&) noexcept = default;
XdpProgram::~XdpProgram() = default;

Result<XdpProgram> XdpProgram::load(const Options& options) {
  libbpf_set_print(keep_warning);
  const Types kernel(btf__load_vmlinux_btf());
  if (!kernel)
    return fail(
        "load the program for XDP: this kernel doesn't tell its types (BTF; /sys/kernel/btf/vmlinux is missing)");
  Features features;
  features.conntrack = options.with_conntrack && offers_conntrack(kernel);
  features.cookies = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_tcp_raw_gen_syncookie_ipv4, nullptr) == 1;
  // What is offered may still be refused; the least that is needed says what the trouble is.
  auto loaded = try_load(options, features);
  if (!loaded && features.conntrack) {
    features.conntrack = false;
    loaded = try_load(options, features);
  }
  return loaded || !features.cookies ? std::move(loaded) : try_load(options, {});
}

Result<BpfObject> XdpProgram::open_object(Features features) {
  last_warning.clear();
  verifier_said.clear();
  const auto bytes = features.conntrack ? bpf_object_gate() : bpf_object_gate_alone();
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  open_options.object_name = "palang";
  BpfObject opened(bpf_object__open_mem(bytes.data(), bytes.size(), &open_options));
  if (!opened) return fail_load("read", errno);
  const palang_features told{features.conntrack, features.cookies};
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, opened.get()) {
    if (bpf_map__is_internal(map) && std::string_view(bpf_map__name(map)).ends_with(".rodata"))
      bpf_map__set_initial_value(map, &told, sizeof told);
  }
  return opened;
}

Result<XdpProgram> XdpProgram::try_load(const Options& options, Features features) {
  auto opened = open_object(features);
  if (!opened) return Failure(opened.error());
  bpf_object* const object = opened->get();
  XdpProgram loaded(*std::move(opened));
  loaded.features_ = features;
  loaded.pins_ = options.pins;

  bpf_program__set_autoload(bpf_object__find_program_by_name(object, "palang_xdp"), options.with_xdp);
  bpf_program__set_autoload(bpf_object__find_program_by_name(object, "palang_tc"), options.with_tc);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (!bpf_map__is_internal(map) && !options.pins.empty())
      bpf_map__set_pin_path(map, (options.pins + "/" + bpf_map__name(map)).c_str());
  }
  if (const int error = bpf_object__load(object); error != 0) return fail_load("load", -error);
  return loaded;
}

Result<BpfObject> XdpProgram::open_again() const {
  auto opened = open_object(features_);
  if (!opened) return opened;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, opened->get()) if (std::string_view(bpf_program__name(program)) != "palang_xdp")
      bpf_program__set_autoload(program, false);
  bpf_map* mine = nullptr;
  bpf_object__for_each_map(mine, opened->get()) {
    if (bpf_map__is_internal(mine)) continue;
    if (const int error = bpf_map__reuse_fd(mine, map(bpf_map__name(mine))); error != 0)
      return fail_load("share the maps of", -error);
  }
  return opened;
}

int XdpProgram::program(const char* name) const {
  const bpf_program* const found = bpf_object__find_program_by_name(object_.get(), name);
  return found == nullptr ? -1 : bpf_program__fd(found);
}

int XdpProgram::map(const char* name) const {
  const bpf_map* const found = bpf_object__find_map_by_name(object_.get(), name);
  return found == nullptr ? -1 : bpf_map__fd(found);
}

std::vector<int> XdpProgram::maps() const {
  std::vector<int> all;
  const bpf_map* one = nullptr;
  bpf_object__for_each_map(one, object_.get()) all.push_back(bpf_map__fd(one));
  return all;
}

uint32_t XdpProgram::layout() {
  return PALANG_ABI;
}

MapSlot XdpProgram::slot(const char* name) const {
  return {map(name), pins_.empty() ? std::string() : fmt::format("{}/{}", pins_, name)};
}

}  // namespace palang
