#include "firewall/csf_options.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "firewall/csf_lines.hpp"

namespace palang::foreign::csf {

namespace {

struct OptionGroup {
  std::string_view why_not;
  std::string_view names;  // separated by single spaces
};

constexpr std::array handled_options{
    OptionGroup{
        "",
        "TESTING LF_SPI TCP_IN TCP_OUT UDP_IN UDP_OUT ICMP_IN ICMP_IN_RATE ICMP_OUT ICMP_OUT_RATE IPV6 "
        "IPV6_ICMP_STRICT "
        "IPV6_SPI TCP6_IN TCP6_OUT UDP6_IN UDP6_OUT ETH_DEVICE ETH6_DEVICE ETH_DEVICE_SKIP IGNORE_ALLOW DNS_STRICT "
        "DNS_STRICT_NS DENY_IP_LIMIT DENY_TEMP_IP_LIMIT LF_DAEMON PACKET_FILTER SMTP_BLOCK SMTP_ALLOWLOCAL "
        "SMTP_REDIRECT "
        "SMTP_PORTS SMTP_ALLOWUSER SMTP_ALLOWGROUP SYNFLOOD SYNFLOOD_RATE SYNFLOOD_BURST CONNLIMIT PORTFLOOD UDPFLOOD "
        "UDPFLOOD_LIMIT UDPFLOOD_BURST UDPFLOOD_ALLOWUSER DROP DROP_OUT DROP_LOGGING DROP_NOLOG LF_PERMBLOCK "
        "LF_PERMBLOCK_INTERVAL LF_PERMBLOCK_COUNT LF_NETBLOCK LF_NETBLOCK_INTERVAL LF_NETBLOCK_COUNT LF_NETBLOCK_CLASS "
        "LF_NETBLOCK_IPV6 DYNDNS DYNDNS_IGNORE LF_GLOBAL GLOBAL_ALLOW GLOBAL_DENY GLOBAL_IGNORE GLOBAL_DYNDNS "
        "GLOBAL_DYNDNS_INTERVAL GLOBAL_DYNDNS_IGNORE CC_DENY CC_ALLOW CC_ALLOW_FILTER CC_ALLOW_PORTS "
        "CC_ALLOW_PORTS_TCP "
        "CC_ALLOW_PORTS_UDP CC_DENY_PORTS CC_DENY_PORTS_TCP CC_DENY_PORTS_UDP CC_IGNORE LF_TRIGGER LF_TRIGGER_PERM "
        "LF_SELECT LF_SSHD LF_SSHD_PERM LF_FTPD LF_FTPD_PERM LF_SMTPAUTH LF_SMTPAUTH_PERM LF_EXIMSYNTAX "
        "LF_EXIMSYNTAX_PERM LF_POP3D LF_POP3D_PERM LF_IMAPD LF_IMAPD_PERM LF_HTACCESS LF_HTACCESS_PERM LF_MODSEC "
        "LF_MODSEC_PERM LF_BIND LF_BIND_PERM LF_CPANEL LF_CPANEL_PERM LF_WEBMIN LF_WEBMIN_PERM LF_DIRECTADMIN "
        "LF_DIRECTADMIN_PERM LF_APACHE_404 LF_APACHE_404_PERM LF_APACHE_403 LF_APACHE_403_PERM LF_APACHE_401 "
        "LF_APACHE_401_PERM LF_INTERVAL LF_BLOCKINONLY LF_DISTATTACK LF_DISTATTACK_UNIQ CT_LIMIT CT_INTERVAL "
        "CT_PERMANENT "
        "CT_BLOCK_TIME CT_SKIP_TIME_WAIT CT_STATES CT_PORTS CT_SUBNET_LIMIT PS_INTERVAL PS_LIMIT PS_PORTS PS_DIVERSITY "
        "PS_PERMANENT PS_BLOCK_TIME PORTKNOCKING DOCKER"},
};

constexpr std::array options_left_out{
    OptionGroup{"palang sends no mail; 'palang watch' and the metrics tell of bans",
                "LF_ALERT_TO LF_ALERT_FROM LF_ALERT_SMTP X_ARF X_ARF_FROM X_ARF_TO X_ARF_ABUSE LF_EMAIL_ALERT "
                "LF_TEMP_EMAIL_ALERT LF_PERMBLOCK_ALERT LF_NETBLOCK_ALERT LF_DISTFTP_ALERT LF_DISTSMTP_ALERT "
                "LT_EMAIL_ALERT CT_EMAIL_ALERT PS_EMAIL_ALERT LF_SSH_EMAIL_ALERT LF_SU_EMAIL_ALERT LF_SUDO_EMAIL_ALERT "
                "LF_CONSOLE_EMAIL_ALERT LF_WEBMIN_EMAIL_ALERT LF_CPANEL_ALERT LF_CPANEL_ALERT_USERS "
                "LF_CPANEL_ALERT_ACTION LF_CPANEL_BANDMIN PORTKNOCKING_ALERT LOGFLOOD_ALERT PT_USERKILL_ALERT UI_ALERT "
                "PT_LOAD_EMAIL_ALERT LF_CXS_ALERT RT_ALERT"},
    OptionGroup{"no programs are run for a ban; read 'palang watch --json'",
                "BLOCK_REPORT UNBLOCK_REPORT LF_DIST_ACTION PT_USER_ACTION PT_LOAD_ACTION PT_DELETED_ACTION "
                "RECAPTCHA_ACTION LF_DIRWATCH_ACTION"},
    OptionGroup{
        "palang doesn't watch processes",
        "PT_LIMIT PT_INTERVAL PT_SKIP_HTTP PT_DELETED PT_USERPROC PT_USERMEM PT_USERRSS PT_USERTIME PT_USERKILL "
        "PT_LOAD PT_LOAD_AVG PT_LOAD_LEVEL PT_LOAD_SKIP PT_APACHESTATUS PT_FORKBOMB PT_SSHDHUNG PT_SSHDKILL "
        "PT_ALL_USERS PT_USERKILL_ALL"},
    OptionGroup{
        "palang doesn't watch files, accounts or the host's integrity",
        "LF_EXPLOIT LF_EXPLOIT_IGNORE LF_DIRWATCH LF_DIRWATCH_DISABLE LF_DIRWATCH_FILE LF_INTEGRITY AT_ALERT "
        "AT_INTERVAL AT_NEW AT_OLD AT_PASSWD AT_UID AT_GID AT_DIR AT_SHELL LF_QUEUE_ALERT LF_QUEUE_INTERVAL "
        "LF_SCRIPT_ALERT LF_SCRIPT_LIMIT LF_SCRIPT_ACTION LF_SCRIPT_PERM LF_MODSECIPDB_ALERT LF_MODSECIPDB_FILE "
        "LF_XMLRPC_ALERT"},
    OptionGroup{
        "who sends how much mail is not counted",
        "RT_RELAY_ALERT RT_RELAY_LIMIT RT_RELAY_BLOCK RT_AUTHRELAY_ALERT RT_AUTHRELAY_LIMIT RT_AUTHRELAY_BLOCK "
        "RT_POPRELAY_ALERT RT_POPRELAY_LIMIT RT_POPRELAY_BLOCK RT_LOCALRELAY_ALERT RT_LOCALRELAY_LIMIT "
        "RT_LOCALHOSTRELAY_ALERT RT_LOCALHOSTRELAY_LIMIT RT_ACTION RELAYHOSTS SMTPAUTH_RESTRICT CC_ALLOW_SMTPAUTH"},
    OptionGroup{"logins that succeeded are not counted",
                "LT_POP3D LT_IMAPD LT_SKIPPERMBLOCK LF_DISTFTP LF_DISTFTP_UNIQ LF_DISTFTP_PERM LF_DISTSMTP "
                "LF_DISTSMTP_UNIQ LF_DISTSMTP_PERM LF_DIST_INTERVAL"},
    OptionGroup{"what users of this host send out is not judged", "UID_INTERVAL UID_LIMIT UID_PORTS DROP_UID_LOGGING"},
    OptionGroup{"palang has no such rule for this service; write one (docs/rules.md)",
                "LF_SUHOSIN LF_SUHOSIN_PERM LF_CXS LF_CXS_PERM LF_QOS LF_QOS_PERM LF_SYMLINK LF_SYMLINK_PERM"},
};

constexpr std::array more_options_left_out{
    OptionGroup{"palang has no page for the banned",
                "MESSENGER MESSENGER_TEMP MESSENGER_PERM MESSENGER_USER MESSENGER_CHILDREN MESSENGER_HTML "
                "MESSENGER_HTML_IN MESSENGER_TEXT MESSENGER_TEXT_IN MESSENGER_RATE MESSENGER_BURST MESSENGERV2 "
                "MESSENGERV3 MESSENGERV3LOCATION MESSENGERV3RESTART MESSENGERV3TEST MESSENGERV3HTTPS_CONF "
                "MESSENGERV3WEBSERVER MESSENGERV3PERMS MESSENGERV3GROUP MESSENGERV3PHPHANDLER MESSENGER_HTTPS "
                "MESSENGER_HTTPS_IN MESSENGER_HTTPS_CONF MESSENGER_HTTPS_CRT MESSENGER_HTTPS_KEY "
                "MESSENGER_HTTPS_SKIPMAIL MESSENGER_HTTPS_DISABLED CC_MESSENGER_ALLOW CC_MESSENGER_DENY "
                "RECAPTCHA_SITEKEY RECAPTCHA_SECRET RECAPTCHA_NAT"},
    OptionGroup{"there is no cluster of hosts; the API can be driven by a program",
                "CLUSTER_SENDTO CLUSTER_RECVFROM CLUSTER_MASTER CLUSTER_NAT CLUSTER_LOCALADDR CLUSTER_PORT CLUSTER_KEY "
                "CLUSTER_BLOCK CLUSTER_CONFIG CLUSTER_CHILDREN"},
    OptionGroup{"CSF's own web interface",
                "UI UI_PORT UI_IP UI_USER UI_PASS UI_TIMEOUT UI_CHILDREN UI_RETRY UI_BAN UI_ALLOW UI_BLOCK UI_CIPHER "
                "UI_SSL_VERSION UI_CXS UI_CSE UI_BLOCK_PRINT STYLE_CUSTOM STYLE_MOBILE RESTRICT_UI THIS_UI"},
    OptionGroup{"no reports are made of logs; 'palang replay' judges them",
                "LOGSCANNER LOGSCANNER_INTERVAL LOGSCANNER_STYLE LOGSCANNER_EMPTY LOGSCANNER_LINES LOGSCANNER_LEVEL"},
    OptionGroup{"palang keeps its own history (palang why, /metrics)",
                "ST_ENABLE ST_IPTABLES ST_LOOKUP ST_SYSTEM ST_SYSTEM_MAXDAYS ST_MYSQL ST_MYSQL_USER ST_MYSQL_PASS "
                "ST_MYSQL_HOST ST_APACHE ST_DISKW ST_DISKW_FREQ ST_DISKW_DD"},
    OptionGroup{"names and countries of addresses are not looked up",
                "LF_LOOKUPS CC_LOOKUPS CC6_LOOKUPS CC_INTERVAL CC_DROP_CIDR CC_SRC MM_LICENSE_KEY CC_OLDGEOLITE "
                "CC_DISABLE ECC_SRC"},
    OptionGroup{"refused packets reach the daemon by NFLOG, whatever is logged for people (firewall.log)",
                "DROP_IP_LOGGING DROP_OUT_LOGGING DROP_ONLYRES DROP_PF_LOGGING CONNLIMIT_LOGGING UDPFLOOD_LOGGING "
                "PORTKNOCKING_LOG WATCH_MODE SYSLOG SYSLOG_CHECK SYSLOG_LOG"},
    OptionGroup{
        "palang's own way of working has no need of it",
        "TESTING_INTERVAL AUTO_UPDATES RESTRICT_SYSLOG RESTRICT_SYSLOG_GROUP USE_CONNTRACK USE_FTPHELPER LF_CSF "
        "FASTSTART LF_IPSET LF_IPSET_HASHSIZE LF_IPSET_MAXELEM LFDSTART VERBOSE DEBUG GENERIC LF_PARSE LF_FLUSH "
        "LF_REPEATBLOCK SAFECHAINUPDATE LF_BOGON_SKIP URLGET URLPROXY WAITLOCK WAITLOCK_TIMEOUT IPTABLESWAIT "
        "DOCKER_DEVICE DOCKER_NETWORK4 DOCKER_NETWORK6 LF_HTACCESS_LOG CSF_CONFIG OLD_REAPER DROP_NOLOG_OUT "
        "IPV6_NAT"},
    OptionGroup{"palang finds the files and ports of services itself (palang status)",
                "HTACCESS_LOG MODSEC_LOG SSHD_LOG SU_LOG SUDO_LOG FTPD_LOG SMTPAUTH_LOG SMTPRELAY_LOG POP3D_LOG "
                "IMAPD_LOG IPTABLES_LOG SUHOSIN_LOG BIND_LOG WEBMIN_LOG CPANEL_LOG CPANEL_ACCESSLOG DIRECTADMIN_LOG "
                "DIRECTADMIN_LOG_R DIRECTADMIN_LOG_S DIRECTADMIN_LOG_P SCRIPT_LOG"},
    OptionGroup{
        "no other programs are run",
        "IPTABLES IPTABLES_SAVE IPTABLES_RESTORE IP6TABLES IP6TABLES_SAVE IP6TABLES_RESTORE MODPROBE IFCONFIG "
        "SENDMAIL PS VMSTAT NETSTAT LS MD5SUM TAR CHATTR UNZIP GUNZIP DD TAIL GREP ZGREP IPSET SYSTEMCTL HOST IP "
        "CURL WGET CAT RRDTOOL"},
};

constexpr std::string_view why_no_custom_log = "bind a rule to the file instead (docs/rules.md)";
constexpr std::string_view why_no_service_ports = "a ban closes every port, not those of one service";

struct OptionTable {
  std::unordered_map<std::string_view, std::string_view> reasons;
  std::vector<std::string_view> names;
};

const OptionTable& option_table() {
  static const OptionTable table = [] {
    OptionTable made;
    const auto add = [&](std::span<const OptionGroup> groups) {
      for (const OptionGroup& group : groups)
        for (const std::string_view name : split(group.names, ' '))
          if (made.reasons.emplace(name, group.why_not).second) made.names.push_back(name);
    };
    add(handled_options);
    add(options_left_out);
    add(more_options_left_out);
    return made;
  }();
  return table;
}

}  // namespace

std::optional<Option> find_option(std::string_view name) {
  const auto& reasons = option_table().reasons;
  if (const auto found = reasons.find(name); found != reasons.end()) return Option{found->first, found->second};
  if (name.starts_with("CUSTOM") && name.ends_with("_LOG") && name.size() == 11 && name[6] >= '1' && name[6] <= '9')
    return Option{"CUSTOM_LOG", why_no_custom_log};
  if (name.starts_with("PORTS_")) return Option{"PORTS_", why_no_service_ports};
  return std::nullopt;
}

std::span<const std::string_view> option_names() {
  return option_table().names;
}

}  // namespace palang::foreign::csf
