#include "tools/tandem/journal_view.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/tandem/json.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

using google::protobuf::Struct;

std::string HashText(const journal::Hash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

std::string Mark(const absl::Status& status, const Look& look) {
  return status.ok() ? Painted(look, Tint::kGreen, "✓") : Painted(look, Tint::kRed, "✗");
}

std::string HeadText(Sequence last, const journal::Hash& head, const Look& look) {
  return Painted(look, Tint::kDim, fmt::format("  head {} {}", last.value, HashText(head))) + "\n";
}

void SetRange(Struct& object, const TenantId& tenant, Sequence first, Sequence last,
              std::uint64_t records, const journal::Hash& head) {
  auto& fields = *object.mutable_fields();
  fields["tenant"].set_string_value(tenant.value);
  // As texts, as protobuf's JSON has 64-bit numbers.
  fields["first"].set_string_value(fmt::format("{}", first.value));
  fields["last"].set_string_value(fmt::format("{}", last.value));
  fields["records"].set_string_value(fmt::format("{}", records));
  fields["head"].set_string_value(HashText(head));
}

}  // namespace

std::string VerifyText(const journal::VerifyReport& report, const Look& look) {
  std::string text;
  if (!report.status.ok()) {
    text += fmt::format("{} journal: {}\n", Mark(report.status, look),
                        Printable(MessageOf(report.status)));
  }
  for (const journal::TenantReport& tenant : report.tenants) {
    text += fmt::format("{} {}: {} ({} to {}), {}", Mark(tenant.status, look),
                        Printable(tenant.tenant.value), Counted(tenant.records, "record"),
                        tenant.first.value, tenant.last.value, Counted(tenant.bytes, "byte"));
    text += tenant.status.ok() ? "\n" : fmt::format(": {}\n", Printable(MessageOf(tenant.status)));
    text += HeadText(tenant.last, tenant.head, look);
  }
  if (report.tenants.empty() && report.status.ok()) text += "The journal is empty.\n";
  const absl::Status first = report.FirstError();
  if (first.ok()) {
    return text +
           "Nothing was altered. That the end was not cut off shows only against a head that was "
           "kept elsewhere.\n";
  }
  // The tenant that was named; a damage stands before it.
  if (ReasonOf(first) == "TENANT_UNKNOWN") return text + "Nothing was looked at.\n";
  return text + "The history is damaged: keep the files as they are and restore from a copy.\n";
}

std::string VerifyJson(const journal::VerifyReport& report) {
  Struct root;
  auto& fields = *root.mutable_fields();
  fields["ok"].set_bool_value(report.FirstError().ok());
  fields["error"].set_string_value(Printable(MessageOf(report.status)));
  auto& tenants = *fields["tenants"].mutable_list_value();
  for (const journal::TenantReport& tenant : report.tenants) {
    Struct& object = *tenants.add_values()->mutable_struct_value();
    SetRange(object, tenant.tenant, tenant.first, tenant.last, tenant.records, tenant.head);
    (*object.mutable_fields())["ok"].set_bool_value(tenant.status.ok());
    (*object.mutable_fields())["error"].set_string_value(Printable(MessageOf(tenant.status)));
  }
  return JsonText(root, JsonShape::kIndented) + "\n";
}

std::string ExportText(std::string_view did, const journal::ExportSummary& summary,
                       const Look& look) {
  return fmt::format("{} {} {}: {} ({} to {})\n", Painted(look, Tint::kGreen, "✓"), did,
                     Printable(summary.tenant.value), Counted(summary.records, "record"),
                     summary.first.value, summary.last.value) +
         HeadText(summary.last, summary.head, look);
}

std::string ExportJson(const journal::ExportSummary& summary) {
  Struct root;
  SetRange(root, summary.tenant, summary.first, summary.last, summary.records, summary.head);
  return JsonText(root, JsonShape::kIndented) + "\n";
}

}  // namespace tandem::cli
