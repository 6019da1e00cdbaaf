// Whether this process may be given work, and why not.
//
// Thread-safe. Ready when every part that announced itself has become ready, and no drain has
// begun.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace tandem::runtime {

class Readiness {
 public:
  // `part` ("journal") is not ready because of `reason` ("recovers"); one line, for people.
  void NotReady(std::string_view part, std::string_view reason);
  void Ready(std::string_view part);

  // From now on the process stops; nothing makes it ready again.
  void Draining();

  // "" when ready, else one line: "journal: recovers".
  std::string WhyNot() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, std::string, std::less<>> missing_ = {{"process", "starts"}};
  bool draining_ = false;
};

}  // namespace tandem::runtime
