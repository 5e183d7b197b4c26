#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "app/gate.hpp"
#include "app/intake.hpp"
#include "ledger/history.hpp"
#include "model/command.hpp"

namespace palang {

// Answers the commands of admins out of the daemon's state.
class Answers final : public CommandHandler {
 public:
  struct Actions {  // what only the loop can do
    std::function<Result<DoneReply>()> reload;
    std::function<Result<void>(bool lift)> stop;
  };

  Answers(Gate& gate, const std::vector<Intake>& intakes, const std::vector<std::string>& rule_faults,
          const Clock& clock, Actions actions);

  [[nodiscard]] Result<Reply> handle(const Command& command) override;

 private:
  [[nodiscard]] Result<Reply> answer(const GetStatus& question);
  [[nodiscard]] Result<Reply> answer(const ListBans& question);
  [[nodiscard]] Result<Reply> answer(const ListAllowed& question);
  [[nodiscard]] Result<Reply> answer(const ExplainAddress& question);
  [[nodiscard]] Result<Reply> answer(const GetProgress& question);
  [[nodiscard]] Result<Reply> answer(const BanPrefix& order);
  [[nodiscard]] Result<Reply> answer(const UnbanPrefix& order);
  [[nodiscard]] Result<Reply> answer(const AllowPrefix& order);
  [[nodiscard]] Result<Reply> answer(const DisallowPrefix& order);
  [[nodiscard]] Result<Reply> answer(const ReloadConfig& order);
  [[nodiscard]] Result<Reply> answer(const StopDaemon& order);

  [[nodiscard]] BanView view(ActiveBans::Slot slot);
  void add_kernel_hits(std::vector<BanView>& views);
  [[nodiscard]] uint64_t bans_in_kernel(WallTime now);
  [[nodiscard]] Result<void> wait_until_durable();
  [[nodiscard]] Result<void> expect_durable(std::string_view what_holds);
  [[nodiscard]] std::vector<std::string> troubles();
  [[nodiscard]] std::vector<NamedCount> counters();

  Gate& gate_;
  const std::vector<Intake>& intakes_;
  const std::vector<std::string>& rule_faults_;
  const Clock& clock_;
  Actions actions_;
  LedgerHistory history_;
  WallTime started_;
  uint64_t counted_in_kernel_ = 0;
  std::optional<WallTime> counted_at_;
};

}  // namespace palang
