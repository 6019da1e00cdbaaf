// Runs the real program in a test: its arguments, its input, its folder; and what came out.
#pragma once

#include <string>
#include <vector>

namespace tandem::cli {

struct Outcome {
  int code = -1;  // -1: killed by a signal
  std::string out;
  std::string err;
};

// Runs `tandem` with `arguments` in `folder`, with nothing of the developer's own environment,
// gives it `input` (at most 64 KiB) and waits for its end; kills it after a minute.
Outcome RunProgram(const std::vector<std::string>& arguments, const std::string& folder,
                   const std::string& input);

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }
  // Writes a file below the folder, its own folders too; returns its path.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace tandem::cli
