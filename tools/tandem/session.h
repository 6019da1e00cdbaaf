// What every command shares: where to connect, as whom, and how to show the answer.
//
// One session a process; used by one thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "router/base/clock.h"
#include "tools/tandem/client.h"
#include "tools/tandem/look.h"

namespace google::protobuf {
class Message;
}

namespace tandem::cli {

// The options that stand before or behind any command.
struct CommonOptions {
  std::string address = "127.0.0.1:7443";
  std::string token;
  std::string token_file;
  std::string tenant;
  std::string ca, cert, key;
  bool plaintext = false;
  bool json = false;
  bool no_color = false;
  std::string timeout = "10s";
};

class Session {
 public:
  // All of them outlive the session.
  Session(std::ostream& out, std::ostream& err, const Clock& clock);

  CommonOptions options;

  // Asks the terminal and NO_COLOR once the options are read; `out` counts as a terminal only when
  // it is the process's standard output.
  void LookAround();

  // The connection, made at the first call. The token is --token; else the content of --token-file;
  // else that of `data/admin.token` when it exists and the address is of this machine.
  absl::StatusOr<Client*> Connect();

  absl::StatusOr<absl::Duration> Timeout() const;
  // --tenant as a resource name; "" when it is not given.
  absl::StatusOr<std::string> Tenant() const;
  // The same, but a tenant must be named: reason kTenantMissing otherwise.
  absl::StatusOr<std::string> NamedTenant() const;
  // The same, but who has not named a tenant and has only one means that one: asks the router.
  absl::StatusOr<std::string> OneTenant();
  // What `read` (IncidentName and its like) makes of `text`, with OneTenant where it needs one.
  using NameReader = absl::StatusOr<std::string> (*)(std::string_view text,
                                                     std::string_view tenant);
  absl::StatusOr<std::string> Name(NameReader read, std::string_view text);

  // The look with `now` of this moment.
  Look look() const;
  // That of stderr: colour and width may differ when one of the two is a file.
  Look err_look() const;
  bool on_terminal() const { return out_look_.columns > 0; }
  bool err_on_terminal() const { return err_look_.columns > 0; }

  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }
  const Clock& clock() const { return clock_; }

  // Indented JSON and a newline.
  void PrintJson(const google::protobuf::Message& message);

 private:
  absl::StatusOr<std::string> FindToken() const;

  std::ostream& out_;
  std::ostream& err_;
  const Clock& clock_;
  Look out_look_, err_look_;
  std::unique_ptr<Client> client_;
};

// A random UUID (version 4) for `request_id`.
std::string NewRequestId();

}  // namespace tandem::cli
