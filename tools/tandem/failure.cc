#include "tools/tandem/failure.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/tandem/json.h"

namespace tandem::cli {
namespace {

constexpr int kLabelWidth = 12;

std::string CodeName(absl::StatusCode code) {
  const auto name = absl::StatusCodeToString(code);
  return {name.data(), name.size()};
}

struct Advice {
  std::string_view key;  // a reason, or a code's name
  std::string_view text;
};

constexpr std::array kAdvice = {
    Advice{"TOKEN_MISSING", "give --token-file FILE, or set TANDEM_TOKEN_FILE or TANDEM_TOKEN"},
    Advice{"TOKEN_INVALID",
           "check that the token belongs to this router; `tandem doctor` tests it"},
    Advice{"TOKEN_EXPIRED", "ask an admin for a new one: `tandem admin token create PRINCIPAL`"},
    Advice{"TOKEN_REVOKED", "ask an admin for a new one: `tandem admin token create PRINCIPAL`"},
    Advice{"TENANT_NOT_FOUND", "`tandem whoami` lists the tenants of your token"},
    Advice{"TENANT_MISSING", "`tandem whoami` lists the tenants of your token"},
    Advice{"USAGE", "`tandem --help`, or `--help` behind any command"},
    Advice{"FILE_UNREADABLE/NOT_FOUND",
           "check the path; one that does not begin with / is taken from the folder you are in"},
    Advice{"FILE_UNREADABLE/PERMISSION_DENIED",
           "you may not read it: ask its owner for the right (`ls -l` shows both)"},
    Advice{"FILE_UNREADABLE", "name a file that can be read, not a folder"},
    Advice{"FILE_UNWRITABLE", "check the path, its free space, and that you may write there"},
    Advice{"FILE_TOO_LARGE", "split the file"},
    Advice{"NO_JOURNAL", "name the folder that tandemd was started with (`--data_dir`)"},
    Advice{"UNAUTHENTICATED", "give a valid token with --token-file; `tandem doctor` tests it"},
    Advice{"PERMISSION_DENIED", "`tandem whoami` shows your role; an admin can raise it"},
    Advice{"NOT_FOUND", "check the name and --tenant; what is not yours is not found either"},
    Advice{"RESOURCE_EXHAUSTED", "wait and try again"},
    Advice{"UNAVAILABLE", "wait and try again; `tandem doctor` says why it does not serve"},
    Advice{"TLS_UNTRUSTED",
           "give --ca with the authorities that signed the router's certificate, and call the "
           "router by a name that stands in it"},
    Advice{
        "TLS_REFUSED",
        "this router wants a certificate of yours: give --cert and --key, signed by an authority "
        "that it knows"},
    Advice{"PLAYBOOK_TOO_LARGE", "a playbook names rules, not things: `tandem context import`"},
    Advice{"UNREACHABLE", "check --address and that tandemd runs; `tandem doctor` looks closer"},
    Advice{"DEADLINE_EXCEEDED",
           "try again, or allow more with --timeout; `tandem doctor` looks "
           "closer"},
    Advice{"UNIMPLEMENTED", "this router does not serve that call: compare `tandem version`"},
    Advice{"DATA_LOSS", "keep the files as they are and restore from a copy"},
    Advice{"INTERNAL", "a defect: report it with the request id"},
};

std::string_view AdviceFor(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const std::string code = CodeName(status.code());
  for (const std::string& key : {fmt::format("{}/{}", reason, code), reason, code}) {
    for (const Advice& advice : kAdvice) {
      if (advice.key == key) return advice.text;
    }
  }
  return "";
}

class Lines {
 public:
  explicit Lines(const Look& look) : look_(look) {}

  void Add(std::string_view label, std::string_view text) {
    if (text.empty()) return;
    const std::string head = fmt::format("  {:<{}}", fmt::format("{}:", label), kLabelWidth);
    const std::string line =
        fmt::format("{}{}\n", Painted(look_, Tint::kDim, head), Printable(text));
    text_ += Fitted(look_, line, kLabelWidth);
  }
  std::string Take() { return std::move(text_); }

 private:
  const Look& look_;
  std::string text_;
};

std::string Where(const std::map<std::string, std::string>& facts) {
  const auto find = [&](std::string_view key) {
    const auto at = facts.find(std::string(key));
    return at == facts.end() ? std::string() : at->second;
  };
  const std::string call = find(kFactCall);
  const std::string address = find(kFactAddress);
  return call.empty() || address.empty() ? call + address : fmt::format("{} at {}", call, address);
}

}  // namespace

std::string RenderFailure(const absl::Status& status, const Look& look) {
  const std::map<std::string, std::string> facts = FactsOf(status);
  const std::string reason = ReasonOf(status);
  const std::string code = CodeName(status.code());
  std::string message = Printable(MessageOf(status));
  if (message.empty()) message = "the call failed without a message";
  Lines lines(look);
  lines.Add("where", Where(facts));
  if (reason != "USAGE" && reason != "TENANT_MISSING") {
    lines.Add("reason", reason == code ? code : fmt::format("{} ({})", reason, code));
  }
  for (const FieldError& field : FieldsOf(status)) {
    // The message of a single wrong field is that field already.
    const std::string text = fmt::format("{}: {}", field.field, field.description);
    if (text != MessageOf(status)) lines.Add("field", text);
  }
  if (const std::optional<absl::Duration> retry = RetryOf(status)) {
    lines.Add("retry in", DurationText(*retry));
  }
  lines.Add("what to do", AdviceFor(status));
  if (const auto id = facts.find(std::string(kFactRequestId)); id != facts.end()) {
    lines.Add("request id", id->second);
  }
  return fmt::format("{} {}\n{}", Painted(look, Tint::kRed, "tandem:"), message, lines.Take());
}

std::string FailureJson(const absl::Status& status) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(MessageOf(status));
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain("tandem.v1");
  for (const auto& [key, value] : FactsOf(status)) (*info.mutable_metadata())[key] = value;
  PackInOrder(info, proto.add_details());
  google::rpc::BadRequest bad;
  for (const FieldError& field : FieldsOf(status)) {
    auto* violation = bad.add_field_violations();
    violation->set_field(field.field);
    violation->set_description(field.description);
  }
  if (bad.field_violations_size() > 0) proto.add_details()->PackFrom(bad);
  return JsonText(proto, JsonShape::kOneLine) + "\n";
}

}  // namespace tandem::cli
