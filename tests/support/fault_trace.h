// What a program did to its files, and a disk that loses what was not synced.
//
// Model: a write may be kept or lost until an fsync of its file has succeeded; a cut tears it at
// sectors of 512 bytes. After an fsync that failed, what was not durable may be lost for good,
// whatever a later fsync says (the kernel has marked the pages clean). Lengths follow the same
// rule.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace tandem::testing {

struct DiskChange {
  enum Kind : char {
    kWrite = 'w',
    kTruncate = 't',
    kSync = 's',
    kFailedSync = 'x',
    kUnlink = 'u',
    kOutput = 'o',
  };
  Kind kind;
  std::string path;
  std::uint64_t offset = 0;  // of a write; the new length of a truncation
  std::string data;
};

// The file that TANDEM_FAULT_TRACE named.
std::vector<DiskChange> ReadTrace(const std::string& path);

// The files as a cut behind the first `count` changes may leave them, by path.
std::map<std::string, std::string> CutPower(const std::vector<DiskChange>& changes,
                                            std::size_t count, std::mt19937_64& dice);

}  // namespace tandem::testing
