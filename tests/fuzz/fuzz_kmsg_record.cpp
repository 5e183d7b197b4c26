#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "source/kmsg_record.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// What is taken for a record lies within the bytes and reads back the same from its canonical form.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto record = palang::parse_kmsg_record(bytes);
  if (!record) return 0;
  require(record->level < 8);
  require(record->since_boot.count() >= 0);
  require(record->text.find('\n') == std::string_view::npos);
  require(record->text.data() > bytes.data() && record->text.data() + record->text.size() <= bytes.data() + size);
  require(record->text.data()[-1] == ';');
  const uint64_t priority = uint64_t{record->facility} * 8 + record->level;
  const std::string canonical = std::to_string(priority) + "," + std::to_string(record->sequence) + "," +
                                std::to_string(record->since_boot.count()) + ",-;" + std::string(record->text) + "\n";
  const auto again = palang::parse_kmsg_record(canonical);
  require(again && again->facility == record->facility && again->level == record->level &&
          again->sequence == record->sequence && again->since_boot == record->since_boot &&
          again->text == record->text);
  return 0;
}
