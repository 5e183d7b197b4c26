#pragma once

#include <string_view>

// What the API says, byte for byte: a public contract. api/ must write it, cli/ must read it.
namespace palang::golden {

inline constexpr std::string_view status =
    R"x({"version":"0.1.0","pid":812,"started":"2025-01-09T05:00:00Z","healthy":false,)x"
    R"x("troubles":["write to the ledger: no space left on device (ENOSPC)"],"profile":"default",)x"
    R"x("enforcer":"xdp and nftables","enforcement":{"interfaces":[{"name":"eth0","mode":"native","reasons":[]},)x"
    R"x({"name":"wg0","mode":null,"reasons":["wg0 carries no Ethernet frames"]}],"reasons":[],)x"
    R"x("kernel_bytes":41200000,"runs":1000,"run_ns":38000,"packets":{"pass":900,"drop_full":100}},)x"
    R"x("bans":{"intended":1234,"in_kernel":1233,"quiet":1200,"full":34},"allowed":3,)x"
    R"x("sources":[{"name":"file:/var/log/kern.log","lines":123456,"bytes":34567890,"cut_lines":1,"lost_lines":0,)x"
    R"x("trouble":null},{"name":"kmsg","lines":7,"bytes":900,"cut_lines":0,"lost_lines":2,)x"
    R"x("trouble":"open /dev/kmsg: permission denied"}],"counters":{"judged":1500,"stopped":266},)x"
    R"x("open_ports":{"tcp":["22","80"],"udp":["53"]},"protected":["203.0.113.7 (live ssh peer)"]})x";

inline constexpr std::string_view ban_fields =
    R"x("id":7,"prefix":"198.51.100.0/24","scope":"quiet","rule":"blocked",)x"
    R"x("reason":"refused 4 times, last at tcp/8083","origin":"local","proof":"forgeable",)x"
    R"x("from":"2025-01-11T17:30:41Z","until":"2025-01-12T17:30:41Z","proven_at":"2025-01-11T17:30:41Z",)x"
    R"x("count":4,"protocol":"tcp","port":8083,"repeat":1)x";

inline constexpr std::string_view ban_extras = R"x("note":"","hits":12,"last_seen":"2025-01-11T18:00:00Z")x";

inline constexpr std::string_view bans_begin = R"x({"total":99050,"bans":[{)x";

inline constexpr std::string_view why_begin = R"x({"address":"198.51.100.9","banned":true,"ban":{)x";
inline constexpr std::string_view why_middle = R"x(},"exempt":null,"decisions":[{)x";
inline constexpr std::string_view why_end =
    R"x(,"note":"","how_it_ended":null}],"evidence":[{"at":"2025-01-11T17:30:41Z","source":"198.51.100.9",)x"
    R"x("rule":"blocked","line":"SRC=198.51.100.9 \u001b[31m"}],)x"
    R"x("advice":["To let it in: palang unban 198.51.100.0/24"]})x";

inline constexpr std::string_view why_nothing =
    R"x({"address":"192.0.2.1","banned":false,"ban":null,"exempt":null,"decisions":[],"evidence":[],"advice":[]})x";

inline constexpr std::string_view allowed =
    R"x({"allowed":[{"prefix":"192.0.2.0/24","by":"command","from":"2025-01-11T17:30:41Z",)x"
    R"x("until":"2025-01-12T17:30:41Z","note":"office"},)x"
    R"x({"prefix":"192.0.2.254","by":"host","from":null,"until":null,"note":"gateway"}]})x";

inline constexpr std::string_view change_begin = R"x({"change":"added","at":"2025-01-11T17:30:41Z",)x";

}  // namespace palang::golden
