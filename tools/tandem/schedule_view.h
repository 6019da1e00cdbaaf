// Who is on call, for people and for scripts. Pure.
//
// Times for people are in the schedule's zone, which its people share; those in JSON are UTC.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "router/playbook/playbook.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// The shifts of the range and, between them, the gaps in which nobody is on call; below them how
// many gaps there are.
std::string ShiftsText(const playbook::Playbook& playbook, const playbook::Schedule& schedule,
                       playbook::TimeRange range, const Look& look);
std::string ShiftsJson(const playbook::Playbook& playbook, const playbook::Schedule& schedule,
                       playbook::TimeRange range);

// A row for each schedule of the playbook: who is on call at `at`, and until when.
std::string OnCallText(const playbook::Playbook& playbook, absl::Time at, const Look& look);
std::string OnCallJson(const playbook::Playbook& playbook, absl::Time at);

}  // namespace tandem::cli
