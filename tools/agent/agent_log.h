// The two logs of tandem-agent, one JSON object a line, for experiments that compare what was
// promised with what was kept.
//
//   ack log    {"batch":7,"accepted":64,"refused":0,"already_durable":false,
//               "first":"{alertname=…}","last":"{alertname=…}"}
//   alert log  {"batch":7,"alert":"{alertname=…}","ends":false}
//
// Each line is handed to the operating system before the call returns, so that it outlives a
// kill -9; the kill may cut the last line short. Lines of an earlier run stay, but for such a rest.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "tools/agent/client_options.h"
#include "tools/agent/disk.h"

namespace tandem::client {

class AgentLog {
 public:
  // Opens for appending, and cuts off an unfinished last line.
  static absl::StatusOr<std::unique_ptr<AgentLog>> Open(const std::string& path);

  // An alert's line may come again after a reconnect, with the batch that is sent again.
  absl::Status WriteAlerts(const BatchView& batch);
  absl::Status WriteReceipt(const BatchReceipt& receipt);

 private:
  AgentLog(std::string path, FileHandle file) : path_(std::move(path)), file_(std::move(file)) {}
  absl::Status Write(std::string_view text);

  const std::string path_;
  const FileHandle file_;
};

}  // namespace tandem::client
