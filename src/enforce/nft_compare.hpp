#pragma once

#include "enforce/nft_plan.hpp"
#include "enforce/nft_reader.hpp"
#include "model/enforcer.hpp"

namespace palang {

struct ReconcileRequest {
  const Intended& intended;
  Enforcer::Extra extra;
  WallTime now;
  bool from_nothing;  // build the table anew even if it looks as it should
};

// Compares what is intended with what the kernel holds, set by set, and tells in the report what the plan will change.
[[nodiscard]] Result<NftPlan> plan_reconcile(NftReader& reader, const ReconcileRequest& request,
                                             const TableState& present, ReconcileReport& report);

}  // namespace palang
