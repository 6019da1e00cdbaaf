// What has to be done about a write-ahead log before SQLite opens it.
//
// Check. When SQLite opens a log it believes the transactions up to the first frame whose checksum
// fails: that is right for a write that a power cut tore, but a flipped bit in the middle would
// silently drop every commit behind it. The two differ: each commit was made durable before the
// next one began, so only the last transaction can be torn. Whole frames behind a later commit
// prove damage.
//
// What this cannot see: damage in the very last commit, and in the one before it when the damaged
// bytes are the 24 of its last frame's header.
//
// Make durable. After an fsync that failed, the kernel shows bytes that are not on the disk, and
// the next fsync does not write them (it takes the pages for clean). A program that starts again
// would copy such bytes into the database, or write behind them, and a power cut would then break
// what it acknowledged. So the log that was found is written anew, byte for byte, before anything
// rests on it.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace tandem::journal::sqlite {

// DATA_LOSS names the place of the damage. OK when there is no log, and when its end is torn as a
// power cut does it. Reads the whole log: about a second per GiB.
// REQUIRES: nobody writes the log meanwhile.
absl::Status CheckLog(const std::string& path);

// Afterwards the log is on the disk as it is read. REQUIRES: as above.
absl::Status MakeLogDurable(const std::string& path);

}  // namespace tandem::journal::sqlite
