// Runs a fuzz target without a fuzzer: over every file of a corpus, and over seeded mutations.
//
// usage: NAME_fuzz [--mutations N] [--seed S] FILE|FOLDER…
//
// Prints the seed first. When the target dies, the input that it died of is written to
// `crash-input` in the working folder. (Sanitizers must end by SIGABRT for that: abort_on_error=1.)
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_check.h"

namespace {

constexpr std::size_t kInputMaxBytes = 256 * 1024;
constexpr const char* kCrashInput = "crash-input";

// What is being run; the signal handler has no other way to it.
const std::string* running = nullptr;

// Calls only what a signal handler may call.
extern "C" void SaveInput(int signal_number) {
  const int file = open(kCrashInput, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (file >= 0 && running != nullptr) {
    const ssize_t written = write(file, running->data(), running->size());
    static_cast<void>(written);
    close(file);
  }
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

// Pieces that parsers of texts trip over.
constexpr std::string_view kPieces[] = {"\"",
                                        "'",
                                        "\\",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ": ",
                                        "- ",
                                        "\n",
                                        "\t",
                                        "&a ",
                                        "*a",
                                        "!!int ",
                                        "? ",
                                        "| ",
                                        "#",
                                        "---\n",
                                        "<<: ",
                                        "~",
                                        "=~",
                                        "!=",
                                        "=",
                                        "(",
                                        ")",
                                        "|",
                                        "*",
                                        "+",
                                        "24:00",
                                        "00:00-24:00",
                                        "-1",
                                        "99999999999",
                                        "0x10",
                                        "site.",
                                        "\xC3\xA9",
                                        "\xFF",
                                        "\xE2\x80\xAE",
                                        ",",
                                        "  ",
                                        "null",
                                        "10m"};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> ReadAll(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.emplace_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  inputs.reserve(files.size());
  for (const auto& file : files) inputs.push_back(ReadFile(file));
  return inputs;
}

class Mutator {
 public:
  Mutator(std::uint64_t seed, const std::vector<std::string>& corpus)
      : random_(seed), corpus_(corpus) {}

  std::string Next() {
    std::string input = Any();
    for (std::size_t steps = 1 + Below(4); steps > 0; --steps) Change(input);
    input.resize(std::min(input.size(), kInputMaxBytes));
    return input;
  }

 private:
  std::size_t Below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  const std::string& Any() { return corpus_[Below(corpus_.size())]; }

  void Change(std::string& input) {
    const std::size_t at = Below(input.size() + 1);
    const std::size_t length = Below(std::min<std::size_t>(input.size() - at, 64) + 1);
    switch (Below(6)) {
      case 0:
        input.insert(at, kPieces[Below(std::size(kPieces))]);
        break;
      case 1:
        input.erase(at, length);
        break;
      case 2:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      case 3:
        input.insert(at, input.substr(at, length));
        break;
      case 4: {
        const std::string& other = Any();
        const std::size_t from = Below(other.size());
        input.insert(at, other.substr(from, Below(256)));
        break;
      }
      default:
        if (at < input.size()) input.replace(at, length, kPieces[Below(std::size(kPieces))]);
    }
  }

  std::mt19937_64 random_;
  const std::vector<std::string>& corpus_;
};

void Run(const std::string& input) {
  running = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t mutations = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--mutations" && i + 1 < argc) {
      mutations = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      paths.emplace_back(argument);
    }
  }
  const std::vector<std::string> corpus = ReadAll(paths);
  if (corpus.empty()) {
    std::cerr << "usage: " << argv[0] << " [--mutations N] [--seed S] FILE|FOLDER…\n";
    return 2;
  }
  std::signal(SIGABRT, SaveInput);
  std::signal(SIGSEGV, SaveInput);
  std::cout << "seed " << seed << ", " << corpus.size() << " inputs, " << mutations
            << " mutations\n";
  for (const std::string& input : corpus) Run(input);
  Mutator mutator(seed, corpus);
  for (std::uint64_t i = 0; i < mutations; ++i) {
    const std::string input = mutator.Next();
    Run(input);
  }
  return 0;
}
