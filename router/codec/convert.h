// Small conversions between the stored messages and the words of the core, shared by the files of
// this room. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "router/core/fact.h"
#include "router/core/input.h"
#include "router/playbook/environment.h"
#include "tandem/journal/v1/journal.pb.h"
#include "tandem/v1/common.pb.h"

namespace tandem::codec {

namespace stored = ::tandem::journal::v1;

using PairFields = google::protobuf::RepeatedPtrField<stored::Pair>;

void Put(const std::vector<std::pair<std::string, std::string>>& pairs, PairFields* out);
std::vector<std::pair<std::string, std::string>> Get(const PairFields& pairs);

void Put(const core::Actor& actor, stored::Actor* out);
core::Actor Get(const stored::Actor& actor);

void Put(const playbook::EntitySpec& entity, stored::Entity* out);
playbook::EntitySpec Get(const stored::Entity& entity);

// To the public API's words.
void Put(const core::Actor& actor, v1::Actor* out);
v1::Side ToProto(Side side);
v1::Severity ToProto(Severity severity);
v1::Handling ToProto(Handling handling);
v1::IncidentState ToProto(IncidentState state);
void PutTime(core::Micros micros, google::protobuf::Timestamp* out);

// Compiles a playbook that was live. FAILED_PRECONDITION when this release cannot: it must not
// guess what an older one meant.
absl::StatusOr<std::shared_ptr<const playbook::Playbook>> CompileStored(const std::string& source);

// Columns of differences (see AlertsFired).
class DeltaWriter {
 public:
  explicit DeltaWriter(google::protobuf::RepeatedField<std::int64_t>* out) : out_(out) {}
  void Add(std::int64_t value) {
    out_->Add(value - before_);
    before_ = value;
  }

 private:
  google::protobuf::RepeatedField<std::int64_t>* out_;
  std::int64_t before_ = 0;
};

class DeltaReader {
 public:
  explicit DeltaReader(const google::protobuf::RepeatedField<std::int64_t>& in) : in_(in) {}
  std::int64_t Next() { return before_ += in_[at_++]; }

 private:
  const google::protobuf::RepeatedField<std::int64_t>& in_;
  int at_ = 0;
  std::int64_t before_ = 0;
};

}  // namespace tandem::codec
