// Why an incident went where it did, for somebody who was asleep a minute ago.
//
// Pure. Made from the structured fields of Explanation, the answer first: who leads and by which
// rule, then what the router knew, then why each earlier rule let it pass.
#pragma once

#include <string>

#include "tandem/v1/incidents.pb.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

std::string ExplanationText(const v1::Explanation& explanation, const Look& look);

}  // namespace tandem::cli
