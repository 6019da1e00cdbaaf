// Entities and the history of the context for a terminal. Pure; every text passes Printable().
#pragma once

#include <cstdint>
#include <string>

#include "tandem/v1/context.pb.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

std::string EntityText(const v1::Entity& entity, const Look& look);
// "No entities." when there are none; the context version below the table.
std::string EntityTable(const v1::ListEntitiesResponse& list, const Look& look);
std::string HistoryTable(const v1::ListHistoryResponse& history, const Look& look);
// A line for each; `count` is how many there are.
std::string WarningText(const google::protobuf::RepeatedPtrField<v1::ContextWarning>& warnings,
                        std::uint32_t count);
// "version 12: 3 created, 1 updated, 40 unchanged, 0 deleted"; `only_checked` says "would be".
std::string ImportText(const v1::ImportEntitiesResponse& response, bool only_checked);

}  // namespace tandem::cli
