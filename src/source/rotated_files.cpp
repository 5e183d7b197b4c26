#include "source/rotated_files.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace palang {
namespace {

constexpr int most_links = 16;

std::string_view without_compression(std::string_view name) {
  if (name.ends_with(".gz") || name.ends_with(".xz")) name.remove_suffix(3);
  return name;
}

// ".1", "-20250112", ".2025-01-12_03:00", ".old"
bool names_a_rotation(std::string_view suffix) {
  if (suffix.empty() || std::string_view(".-_").find(suffix[0]) == std::string_view::npos) return false;
  if (suffix == ".old") return true;
  return suffix.find_first_not_of("0123456789.-_:T") == std::string_view::npos &&
         suffix.find_first_of("0123456789") != std::string_view::npos;
}

// ".1" → 1; dates and what is no number → 0.
int rotation_count(const RotatedFile& file) {
  const std::string_view name = without_compression(file.path);
  const size_t digits = name.size() - (name.find_last_not_of("0123456789") + 1);
  if (digits == 0 || digits > 4) return 0;
  int count = 0;
  std::from_chars(name.data() + name.size() - digits, name.data() + name.size(), count);
  return count;
}

bool is_older(const RotatedFile& left, const RotatedFile& right) {
  if (left.changed_ns != right.changed_ns) return left.changed_ns < right.changed_ns;
  const int left_count = rotation_count(left);
  const int right_count = rotation_count(right);
  if (left_count != right_count) return left_count > right_count;
  return left.path < right.path;
}

void list_beside(const std::string& path, std::vector<RotatedFile>& found) {
  const std::string base = std::filesystem::path(path).filename();
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_of(path), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (!name.starts_with(base) || name.size() == base.size()) continue;
    struct stat status{};
    if (lstat(entry->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const std::string_view plain = without_compression(name);
    found.push_back({entry->path(), id_of(status), changed_ns(status), plain.size() != name.size(),
                     names_a_rotation(plain.substr(base.size()))});
  }
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  return directory.empty() ? "." : directory;
}

std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names{path};
  for (int links = 0; links < most_links; ++links) {
    std::error_code error;
    const std::filesystem::path target = std::filesystem::read_symlink(names.back(), error);
    if (error) break;
    names.push_back(std::filesystem::path(directory_of(names.back())) / target);
  }
  return names;
}

std::vector<RotatedFile> rotated_files_of(const std::string& path) {
  std::vector<RotatedFile> files;
  for (const std::string& name : names_of(path)) list_beside(name, files);
  std::erase_if(files, [&](const RotatedFile& archive) {
    return archive.archive && std::ranges::any_of(files, [&](const RotatedFile& other) {
             return other.path == without_compression(archive.path);
           });
  });
  std::ranges::sort(files, is_older);
  return files;
}

}  // namespace palang
