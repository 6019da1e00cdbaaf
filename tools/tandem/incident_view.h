// Incidents, timelines and alerts for a terminal. Pure: values in, text out; every text from the
// router passes Printable().
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tandem/v1/deliveries.pb.h"
#include "tandem/v1/incidents.pb.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// The words of the domain for those of the wire; an unknown number keeps its number and reads
// "unknown" everywhere.
Severity ToSeverity(v1::Severity severity);
IncidentState ToState(v1::IncidentState state);
Side ToSide(v1::Side side);
Handling ToHandling(v1::Handling handling);

// `acme/12` of `tenants/acme/incidents/12`: what people type back.
std::string ShortName(std::string_view name);

// "ana (provider)", "tandem" for the router itself.
std::string ActorText(const v1::Actor& actor);

// `site="plant-7" service="mes"`.
std::string LabelsText(const google::protobuf::RepeatedPtrField<v1::Label>& labels);

// One line an incident, in the order in which they came. FIRINGS are those that
// fire now, of how often an alert began to fire. "No incidents." when there are none.
std::string IncidentTable(std::span<const v1::Incident> incidents, const Look& look);

// What is known of one incident, part by part; a part that could not be read says why.
struct IncidentPage {
  v1::Incident incident = {};
  std::vector<v1::TimelineEntry> timeline = {};
  std::vector<v1::IncidentAlert> alerts = {};
  std::vector<v1::Delivery> deliveries = {};
  bool deliveries_visible = false;  // only the role `service` sees them
};
std::string IncidentPageText(const IncidentPage& page, const Look& look);

// "acme/12 acknowledged by ana (provider), until 15:05:09": what an action has led to.
std::string IncidentLine(const v1::Incident& incident, const Look& look);

// "  --for 5h is more than the rule allows, which is 1h at most": below that line, when an
// acknowledgement does not hold for as long as was asked for; empty when it does.
std::string CutAcknowledgementLine(const v1::Incident& incident, absl::Duration asked);

}  // namespace tandem::cli
