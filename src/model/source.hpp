#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/event.hpp"

namespace palang {

// Where a line was written, as far as its source knows for certain: what rules are bound to.
struct LineOrigin {
  std::string_view file;        // path of the log file
  std::string_view unit;        // journald: the systemd unit of the writer, which it can't choose
  std::string_view identifier;  // journald: the name that the writer gave itself
  std::string_view comm;        // journald: the name of the writer's process, as the kernel knows it
  std::string_view pid;         // journald: of that process
  std::string_view transport;   // journald: "syslog", "stdout", "journal", "kernel", "audit"
  std::optional<uint32_t> uid;  // journald: the user of the writer
};

// What the text of a RawLine begins with.
enum class Framing : uint8_t {
  syslog,   // a line of a log file: header (time, host, program), then the message; the header says when it happened
  kernel,   // a message that only the kernel can have written (kmsg, journald's trusted transport), without header
  message,  // a message without header; the program is the identifier of its origin
};

// One line as a source read it. The text belongs to the source and is valid until its next read().
struct RawLine {
  std::string_view text;  // no line end
  Framing framing = Framing::syslog;
  WallTime at;  // syslog: no line is newer than this (now, or a replayed file's last change; dates the yearless);
                // kernel, message: when it happened
  const LineOrigin* origin = nullptr;  // valid as long as the text; none: not known
};

// A packet that a firewall handed over instead of a line about it (NFLOG). What it refers to belongs to the source and
// is valid until its next read().
struct RawPacket {
  std::span<const uint8_t> bytes;  // from the IP header on, perhaps cut behind the headers
  std::span<const uint8_t>
      link_bytes;           // the link's header, empty where there is none: Ethernet's begins with the target
  std::string_view prefix;  // what the admin's rule says of it, as in a line of the kernel log
  std::string_view in;      // interface it came in by
  std::string_view out;     // interface it was to leave by
  WallTime at;
};

// How far a source has been read: opaque to all but the source. Committed with what was decided from it (promise 4).
struct Position {
  std::string source;  // Source::name()
  std::string value;
};

// Totals since start; a source only ever adds.
struct SourceCounters {
  uint64_t lines = 0;
  uint64_t bytes = 0;
  uint64_t cut_lines = 0;   // over 64 KiB: the rest was dropped
  uint64_t lost_lines = 0;  // overwritten or dropped before they were read, as far as the source can know
};

// A place that news of refused packets comes from; what it hands over counts as lines.
class Source {
 public:
  virtual ~Source() = default;

  // "file:/var/log/kern.log", "journald", "kmsg", "stdin": unique among the sources, stable over restarts.
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Readable (epoll) when read() may have something; -1 where read() always has, until it says finished.
  [[nodiscard]] virtual int fd() const = 0;

  // A source delivers one of three: lines, packets, or events that need no parsing (their `line`, too, is valid until
  // the next read(); an empty one is written from the event where evidence is kept).
  struct Batch {
    std::vector<RawLine> lines;
    std::vector<RawPacket> packets;
    std::vector<Event> events;
    bool more = false;      // read() again soon: it stopped at its limit, not for lack of lines
    bool finished = false;  // there will never be more (end of a replay or of standard input)

    [[nodiscard]] bool empty() const { return lines.empty() && packets.empty() && events.empty(); }
    void clear() {
      lines.clear();
      packets.clear();
      events.clear();
      more = finished = false;
    }
  };
  // Replaces the content of `batch` with the next lines, about 1 MiB at most; never blocks.
  // On an error the source stays usable: call again when fd() is readable.
  [[nodiscard]] virtual Result<void> read(Batch& batch) = 0;

  // Behind the last line of the last batch.
  [[nodiscard]] virtual Position position() const = 0;
  [[nodiscard]] virtual SourceCounters counters() const = 0;
};

}  // namespace palang
