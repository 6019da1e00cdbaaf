#include "router/context/import_file.h"

#include <fmt/format.h>

#include <utility>

#include "router/base/check.h"
#include "router/context/limits.h"

namespace tandem::context {

void ImportProblems::Add(std::string place, std::string description) {
  ++count_;
  if (kept_.size() < kProblemsMax) kept_.push_back({std::move(place), std::move(description)});
}

absl::Status ImportProblems::ToStatus() const {
  TANDEM_CHECK(!empty(), "a refusal has a cause");
  const FieldError& first = kept_.front();
  absl::Status status =
      Error(absl::StatusCode::kInvalidArgument, "IMPORT_INVALID",
            fmt::format("{} in the file, nothing was imported: {}: {}",
                        count_ == 1 ? "one mistake" : fmt::format("{} mistakes", count_),
                        first.field, first.description));
  for (const FieldError& problem : kept_) status = AddField(std::move(status), problem);
  return AddFact(std::move(status), "mistakes", fmt::format("{}", count_));
}

bool ImportedKeys::Add(const EntityKey& key, std::string_view& where) {
  const auto [found, added] = places_.emplace(key, where);
  where = found->second;
  return added;
}

}  // namespace tandem::context
