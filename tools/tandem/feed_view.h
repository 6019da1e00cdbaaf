// A line for each event of the feed. Pure.
#pragma once

#include <string>

#include "tandem/v1/feed.pb.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// Time, tenant and incident, severity, state, owner side and team, title, what happened; with a
// newline. The title is what is cut when the terminal is too narrow; in a pipe nothing is.
std::string FeedLine(const v1::FeedEvent& event, const Look& look);

// What happened in one event: the sentences of its entries, joined; deliveries only when there is
// nothing else to say.
std::string WhatHappened(const v1::FeedEvent& event);

}  // namespace tandem::cli
