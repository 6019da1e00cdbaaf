#include "tools/tandem/doctor_probes.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>
#include <system_error>

#include "router/base/status.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tandem/v1/context.grpc.pb.h"
#include "tandem/v1/feed.grpc.pb.h"
#include "tandem/v1/playbooks.grpc.pb.h"
#include "tools/tandem/age.h"
#include "tools/tandem/doctor_deliveries.h"
#include "tools/tandem/health_check.h"
#include "tools/tandem/http_probe.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/names.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

using Level = Check::Level;

// Below these a person should act soon.
constexpr absl::Duration kExpiresSoon = absl::Hours(14 * 24);
// Calendars switch on whole minutes; beyond a few seconds a reader is misled by ages.
constexpr absl::Duration kClockNotice = absl::Seconds(2);
constexpr absl::Duration kClockBad = absl::Seconds(60);
constexpr std::uint64_t kRoomNotice = 5ull << 30;  // bytes
constexpr std::uint64_t kRoomBad = 256ull << 20;   // bytes; the journal refuses input soon
constexpr int kTenantsMax = 20;

Check Failed(std::string what, const absl::Status& status, std::string advice) {
  // A token that may not see it is no fault of the router.
  const bool hidden = status.code() == absl::StatusCode::kPermissionDenied;
  return {hidden ? Level::kNotice : Level::kBad, std::move(what),
          hidden ? std::string("not visible with this token") : MessageOf(status),
          hidden ? std::string() : std::move(advice)};
}

std::optional<absl::Time> EndOfCertificate(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return std::nullopt;
  }
  return absl::FromTM(end, absl::UTCTimeZone());
}

Check Ending(std::string what, std::string_view who, absl::Time end, const Look& look,
             std::string advice) {
  const absl::Duration left = end - look.now;
  const std::string until = fmt::format("{}, valid until {}", who, FullTimeText(look, end));
  if (left <= absl::ZeroDuration()) return {Level::kBad, std::move(what), until, std::move(advice)};
  if (left < kExpiresSoon) return {Level::kNotice, std::move(what), until, std::move(advice)};
  return {Level::kGood, std::move(what), until, ""};
}

Check TlsCheck(const Client& client, const Health& health, const Look& look) {
  if (!UsesTls(client.options())) {
    return {client.options().plaintext ? Level::kNotice : Level::kGood, "TLS",
            client.options().plaintext ? "turned off by --plaintext" : "not used on this machine",
            client.options().plaintext ? "whoever is on the way can read the token: use TLS" : ""};
  }
  const std::optional<absl::Time> end = EndOfCertificate(health.certificate);
  if (!end) return {Level::kGood, "TLS", "the router's certificate is trusted", ""};
  return Ending("TLS", "the router's certificate is trusted", *end, look,
                "renew the certificate; the router takes a new file without a restart");
}

Check HealthLine(const Health& health) {
  switch (health.state) {
    case Health::State::kServing:
      return {Level::kGood, "health", "serving", ""};
    case Health::State::kNotServing:
      return {Level::kBad, "health", "the router says that it does not serve",
              "it starts, drains, or its disk is full: read its log"};
    case Health::State::kUnknown:
      break;
  }
  return {Level::kNotice, "health", "the router does not say", ""};
}

absl::StatusOr<std::vector<std::string>> TenantsOf(Client& client, const v1::Principal& me) {
  std::vector<std::string> names(me.tenants().begin(), me.tenants().end());
  if (names.size() != 1 || names[0] != "tenants/-") return names;
  v1::ListTenantsRequest request;
  request.set_page_size(1000);
  TANDEM_ASSIGN_OR_RETURN(const v1::ListTenantsResponse list,
                          client.Call("Admin/ListTenants", &v1::Admin::Stub::ListTenants, request));
  names.clear();
  for (const v1::Tenant& tenant : list.tenants()) names.push_back(tenant.name());
  return names;
}

Check PlaybookCheck(Client& client, const Look& look, const std::string& tenant) {
  v1::GetPlaybookRequest request;
  request.set_name(tenant + "/playbooks/active");
  const auto playbook =
      client.Call("Playbooks/GetPlaybook", &v1::Playbooks::Stub::GetPlaybook, request);
  const std::string id = TenantOf(tenant);
  if (playbook.ok() && !playbook->has_activate_time()) {
    return {
        Level::kNotice, "playbook",
        fmt::format("{}: none was activated; alerts are kept and shown, and nobody is told", id),
        fmt::format("tandem playbook activate FILE --tenant {} -m WHY", id)};
  }
  if (playbook.ok()) {
    return {Level::kGood, "playbook",
            fmt::format("{}: version {}, {} rule{}, active since {}", id,
                        playbook->digest().substr(0, 12), playbook->rule_count(),
                        playbook->rule_count() == 1 ? "" : "s",
                        AgeText(look, ToTime(playbook->activate_time()))),
            ""};
  }
  if (playbook.status().code() == absl::StatusCode::kNotFound) {
    return {Level::kBad, "playbook", fmt::format("{}: none is active", id),
            fmt::format("tandem playbook activate FILE --tenant {} -m WHY", id)};
  }
  return Failed("playbook", playbook.status(), "");
}

Check ContextCheck(Client& client, const Look& look, const std::string& tenant) {
  v1::ListHistoryRequest request;
  request.set_parent(tenant);
  request.set_page_size(1);
  const auto history = client.Call("Context/ListHistory", &v1::Context::Stub::ListHistory, request);
  const std::string id = TenantOf(tenant);
  if (!history.ok()) {
    return Failed("context", history.status(),
                  "check that the context role runs: routing goes on with the last known context");
  }
  if (history->revisions().empty()) {
    return {Level::kNotice, "context", fmt::format("{}: empty", id),
            fmt::format("tandem context import FILE --tenant {}", id)};
  }
  const v1::ContextRevision& newest = history->revisions(0);
  return {Level::kGood, "context",
          fmt::format("{}: version {}, last changed {} by {}", id, newest.version(),
                      AgeText(look, ToTime(newest.time())), ActorText(newest.author())),
          ""};
}

}  // namespace

std::vector<Check> CheckConnection(const Client& client, const Look& look) {
  const absl::StatusOr<Health> health = AskHealth(client, "");
  const std::string& address = client.options().address;
  const bool old_router = health.status().code() == absl::StatusCode::kUnimplemented;
  if (!health.ok() && !old_router) {
    return {{Level::kBad, "address", fmt::format("{}: {}", address, MessageOf(health.status())),
             UsesTls(client.options())
                 ? "check --address, that tandemd runs, and that --ca vouches for its certificate"
                 : "check --address and that tandemd runs"}};
  }
  const Health answer = health.ok() ? *health : Health{};
  return {{Level::kGood, "address",
           fmt::format("{} answers in {:.1f} ms", address, absl::ToDoubleMilliseconds(answer.took)),
           ""},
          TlsCheck(client, answer, look),
          HealthLine(answer)};
}

Check CheckToken(Client& client, const Look& look, v1::Principal& me) {
  const auto answer = client.Call("Admin/WhoAmI", &v1::Admin::Stub::WhoAmI, v1::WhoAmIRequest());
  if (!answer.ok()) {
    return {Level::kBad, "token", MessageOf(answer.status()),
            client.options().token.empty() ? "give one with --token-file"
                                           : "ask an admin for a new one"};
  }
  me = answer->principal();
  return TokenCheck(*answer, look);
}

Check TokenCheck(const v1::WhoAmIResponse& answer, const Look& look) {
  const v1::Principal& me = answer.principal();
  const std::string who = fmt::format("{} ({} of the {} side)", me.id(), RoleText(me.role()),
                                      SideText(ToSide(me.side())));
  // Without a token the caller was known by its certificate, which TLS has looked at.
  if (answer.token_id().empty()) return {Level::kGood, "token", who, ""};
  if (!answer.has_token_expire_time()) return {Level::kGood, "token", who + ", never expires", ""};
  return Ending("token", who, ToTime(answer.token_expire_time()), look,
                fmt::format("soon nobody is let in with it; an admin makes a new one: tandem admin "
                            "token create {}",
                            me.id()));
}

Check CheckClock(const Client& client, const Look& look) {
  grpc::ClientContext context;
  client.Prepare(context);
  client.SetDeadline(context);
  v1::SubscribeRequest request;
  request.set_omit_alerts(true);
  v1::Feed::Stub stub(client.channel());
  const auto reader = stub.Subscribe(&context, request);
  v1::FeedEvent event;
  const bool answered = reader->Read(&event);
  if (answered) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!answered) return Failed("clock", client.Failed("Feed/Subscribe", status), "");
  if (!event.has_time()) return {Level::kNotice, "clock", "the router does not tell its time", ""};
  const absl::Duration off = ToTime(event.time()) - look.now;
  const std::string found = absl::AbsDuration(off) < absl::Seconds(1)
                                ? std::string("agrees with this machine to the second")
                                : fmt::format("the router is {} {} this machine", SpanText(off),
                                              off > absl::ZeroDuration() ? "ahead of" : "behind");
  const Level level = absl::AbsDuration(off) >= kClockBad      ? Level::kBad
                      : absl::AbsDuration(off) >= kClockNotice ? Level::kNotice
                                                               : Level::kGood;
  return {
      level, "clock", found,
      level == Level::kGood ? "" : "set both clocks by NTP: calendars and deadlines go by them"};
}

std::vector<Check> CheckTenants(Client& client, const Look& look, const v1::Principal& me) {
  const absl::StatusOr<std::vector<std::string>> names = TenantsOf(client, me);
  if (!names.ok()) return {Failed("tenants", names.status(), "")};
  if (names->empty()) {
    return {{Level::kBad, "tenants", "none is visible",
             "tandem admin tenant create ID, then tandem admin principal put"}};
  }
  std::vector<Check> checks = {
      {Level::kGood, "tenants", fmt::format("{} visible", names->size()), ""}};
  int shown = 0;
  for (const std::string& name : *names) {
    if (++shown > kTenantsMax) break;
    checks.push_back(PlaybookCheck(client, look, name));
    checks.push_back(ContextCheck(client, look, name));
    for (Check& check : CheckDeliveries(client, look, name)) checks.push_back(std::move(check));
  }
  if (shown > kTenantsMax) {
    checks.push_back({Level::kNotice, "tenants",
                      fmt::format("only the first {} were looked at", kTenantsMax), ""});
  }
  return checks;
}

std::vector<Check> CheckDataFolder(const std::string& folder) {
  if (access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {{Level::kBad, "data",
             fmt::format("{}: {}", folder, std::generic_category().message(errno)),
             "the router needs to read and write it: check the path and its owner"}};
  }
  std::vector<Check> checks = {{Level::kGood, "data", folder + " can be read and written", ""}};
  struct statvfs room {};
  if (statvfs(folder.c_str(), &room) != 0) return checks;
  const std::uint64_t free_bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
  const Level level = free_bytes < kRoomBad      ? Level::kBad
                      : free_bytes < kRoomNotice ? Level::kNotice
                                                 : Level::kGood;
  checks.push_back(
      {level, "disk",
       fmt::format("{:.1f} GiB free",
                   static_cast<double>(free_bytes) / static_cast<double>(1 << 30)),
       level == Level::kGood
           ? ""
           : "make room: on a full disk the router refuses alerts until there is some"});
  return checks;
}

Check CheckAdminEndpoint(const std::string& address, absl::Duration timeout) {
  const absl::StatusOr<HttpAnswer> answer = HttpGet(address, "/-/ready", timeout);
  if (!answer.ok()) {
    return {Level::kNotice, "admin", fmt::format("{}: {}", address, MessageOf(answer.status())),
            "name it with --admin-address when the router serves metrics elsewhere"};
  }
  if (answer->status == 200) {
    return {Level::kGood, "admin", fmt::format("{} is ready", address), ""};
  }
  return {Level::kBad, "admin",
          fmt::format("{} is not ready: {} {}", address, answer->status, answer->first_line),
          "it starts, drains, or its disk is full: read its log"};
}

}  // namespace tandem::cli
