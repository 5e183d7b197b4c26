#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palang::foreign {

// Where something stood in the files of another firewall.
struct Place {
  std::string file;
  uint32_t line = 0;  // from 1; 0: the file as a whole
};

enum class Fate : uint8_t {
  taken_over,    // does the same from now on
  approximated,  // does nearly the same, and the sentence says what differs
  left_out,      // has no counterpart, and the sentence says why
  fault,         // couldn't be read, or could never have worked
};

struct ReportLine {
  Fate fate = Fate::taken_over;
  Place place;
  std::string what;      // as it stood there, or a name for it
  std::string sentence;  // what it becomes, or why it does not
};

// What becomes of each thing, in the order in which it was read.
class ImportReport {
 public:
  void taken_over(Place place, std::string what, std::string becomes);
  void approximated(Place place, std::string what, std::string how);
  void left_out(Place place, std::string what, std::string why);
  void fault(Place place, std::string what, std::string why);

  [[nodiscard]] const std::vector<ReportLine>& lines() const { return lines_; }
  [[nodiscard]] size_t count(Fate fate) const;
  // Faults beyond those kept of one file are counted only: a file that is none of CSF's has nothing but faults.
  [[nodiscard]] size_t dropped_faults() const { return dropped_faults_; }

 private:
  void add(Fate fate, Place place, std::string what, std::string sentence);

  std::vector<ReportLine> lines_;
  std::string faulty_file_;
  size_t faults_of_file_ = 0;
  size_t dropped_faults_ = 0;
};

// "csf.conf:12: TCP_IN: ..."; what came out of the files is escaped.
[[nodiscard]] std::string report_text(const ReportLine& line);
[[nodiscard]] std::string_view fate_name(Fate fate);

}  // namespace palang::foreign
