// libtandem_fault.so: a disk that fails on demand, for any program, through LD_PRELOAD.
//
// TANDEM_FAULT holds rules, separated by commas:
//   fsync:N[:part]              the N-th fsync or fdatasync of a file whose path contains `part`
//   fails
//                               once with EIO, and nothing of that file is made durable by it
//   fsync_lie:N[:part]          from the N-th on they answer that all is well and do nothing
//   write_enospc:BYTES[:part]   once so many bytes were written to such files, writes fail with
//   ENOSPC
//                               (the last one is cut short), until the file that
//                               TANDEM_FAULT_LIFTED names exists
// A part that ends with `$` must stand at the end of the path.
//
// TANDEM_FAULT_TRACE names a file that receives every change of files whose path contains
// TANDEM_FAULT_TRACE_PART, and every line that the program writes to its standard output:
// what tests/support/fault_trace.h reads back.
//
// Each failure is told on standard output as a line "fault: …", in order with what the program
// says.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

enum class Fault { kFsync, kFsyncLie, kNoSpace };

struct Rule {
  Fault fault = Fault::kFsync;
  std::int64_t left = 0;  // calls or bytes
  std::string part;
};

struct State {
  std::mutex mutex;
  std::vector<Rule> rules;  // guarded by mutex
  int trace = -1;
  std::string trace_part;
  std::string lifted;
};

std::vector<Rule> ReadRules(const char* text) {
  std::vector<Rule> rules;
  std::string rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string one = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    const std::size_t first = one.find(':');
    if (first == std::string::npos) continue;
    const std::size_t second = one.find(':', first + 1);
    Rule rule;
    const std::string name = one.substr(0, first);
    rule.fault = name == "fsync"       ? Fault::kFsync
                 : name == "fsync_lie" ? Fault::kFsyncLie
                                       : Fault::kNoSpace;
    rule.left = std::atoll(one.c_str() + first + 1);
    if (second != std::string::npos) rule.part = one.substr(second + 1);
    rules.push_back(rule);
  }
  return rules;
}

bool Matches(const std::string& path, const std::string& part) {
  if (part.empty() || part.back() != '$') return path.find(part) != std::string::npos;
  const std::size_t size = part.size() - 1;
  return path.size() >= size && path.compare(path.size() - size, size, part, 0, size) == 0;
}

std::string Setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Never freed: the program may write until its very end.
State& TheState() {
  static State* const state = [] {
    auto* made = new State;
    made->rules = ReadRules(std::getenv("TANDEM_FAULT"));
    made->lifted = Setting("TANDEM_FAULT_LIFTED");
    made->trace_part = Setting("TANDEM_FAULT_TRACE_PART");
    const std::string trace = Setting("TANDEM_FAULT_TRACE");
    if (!trace.empty()) {
      made->trace = ::open(trace.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    return made;
  }();
  return *state;
}

std::string PathOf(int descriptor) {
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  std::array<char, PATH_MAX> path;
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  return size < 0 ? "" : std::string(path.data(), static_cast<std::size_t>(size));
}

void WriteAll(int descriptor, const void* data, std::size_t size) {
  static auto* const real = Real<ssize_t(int, const void*, std::size_t)>("write");
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = real(descriptor, at, size);
    if (written <= 0) return;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

// op (1) · path length (4) · offset or size (8) · data length (8) · path · data
void Trace(char op, const std::string& path, std::uint64_t offset, const void* data,
           std::uint64_t size) {
  State& state = TheState();
  if (state.trace < 0) return;
  if (op != 'o' && path.find(state.trace_part) == std::string::npos) return;
  std::string entry(1, op);
  const auto path_size = static_cast<std::uint32_t>(path.size());
  entry.append(reinterpret_cast<const char*>(&path_size), sizeof(path_size));
  entry.append(reinterpret_cast<const char*>(&offset), sizeof(offset));
  entry.append(reinterpret_cast<const char*>(&size), sizeof(size));
  entry.append(path);
  if (size > 0) entry.append(static_cast<const char*>(data), size);
  const std::lock_guard lock(state.mutex);
  WriteAll(state.trace, entry.data(), entry.size());
}

void Tell(const std::string& what) {
  const std::string line = "fault: " + what + "\n";
  WriteAll(STDOUT_FILENO, line.data(), line.size());
}

enum class Answer { kTruth, kError, kLie };

Answer AnswerOfSync(const std::string& path) {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  Answer answer = Answer::kTruth;
  for (Rule& rule : state.rules) {
    if (!Matches(path, rule.part) || rule.fault == Fault::kNoSpace) continue;
    --rule.left;
    if (rule.fault == Fault::kFsync && rule.left == 0) answer = Answer::kError;
    if (rule.fault == Fault::kFsyncLie && rule.left <= 0) answer = Answer::kLie;
  }
  return answer;
}

// How many of `size` bytes may be written.
std::size_t RoomFor(const std::string& path, std::size_t size) {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  if (!state.lifted.empty() && ::access(state.lifted.c_str(), F_OK) == 0) return size;
  for (Rule& rule : state.rules) {
    if (rule.fault != Fault::kNoSpace || !Matches(path, rule.part)) continue;
    const auto room = static_cast<std::size_t>(rule.left < 0 ? 0 : rule.left);
    size = size < room ? size : room;
    rule.left -= static_cast<std::int64_t>(size);
  }
  return size;
}

int Sync(const char* name, int descriptor) {
  const std::string path = PathOf(descriptor);
  const Answer answer = AnswerOfSync(path);
  if (answer == Answer::kLie) return 0;
  if (answer == Answer::kError) {
    Trace('x', path, 0, nullptr, 0);
    Tell("fsync failed: " + path);
    errno = EIO;
    return -1;
  }
  const int result = Real<int(int)>(name)(descriptor);
  if (result == 0) Trace('s', path, 0, nullptr, 0);
  return result;
}

ssize_t WriteAt(const char* name, int descriptor, const void* data, std::size_t size,
                off_t offset) {
  const std::string path = PathOf(descriptor);
  const std::size_t room = RoomFor(path, size);
  if (room == 0 && size > 0) {
    Tell("disk full: " + path);
    errno = ENOSPC;
    return -1;
  }
  using Function = ssize_t(int, const void*, std::size_t, off_t);
  const ssize_t written = Real<Function>(name)(descriptor, data, room, offset);
  if (written > 0) {
    Trace('w', path, static_cast<std::uint64_t>(offset), data, static_cast<std::uint64_t>(written));
  }
  return written;
}

}  // namespace

// The names are those of the C library; the header of each is POSIX's.
extern "C" {

int fsync(int descriptor) { return Sync("fsync", descriptor); }
int fdatasync(int descriptor) { return Sync("fdatasync", descriptor); }

ssize_t pwrite(int descriptor, const void* data, std::size_t size, off_t offset) {
  return WriteAt("pwrite", descriptor, data, size, offset);
}
ssize_t pwrite64(int descriptor, const void* data, std::size_t size, off64_t offset) {
  return WriteAt("pwrite64", descriptor, data, size, offset);
}

ssize_t write(int descriptor, const void* data, std::size_t size) {
  static auto* const real = Real<ssize_t(int, const void*, std::size_t)>("write");
  if (descriptor == STDOUT_FILENO) {
    Trace('o', "", 0, data, size);
    return real(descriptor, data, size);
  }
  const std::string path = PathOf(descriptor);
  const std::size_t room = RoomFor(path, size);
  if (room == 0 && size > 0) {
    Tell("disk full: " + path);
    errno = ENOSPC;
    return -1;
  }
  return real(descriptor, data, room);
}

int ftruncate(int descriptor, off_t size) {
  const int result = Real<int(int, off_t)>("ftruncate")(descriptor, size);
  if (result == 0) {
    Trace('t', PathOf(descriptor), static_cast<std::uint64_t>(size), nullptr, 0);
  }
  return result;
}
int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, size); }

int unlink(const char* path) {
  const int result = Real<int(const char*)>("unlink")(path);
  if (result == 0) Trace('u', path, 0, nullptr, 0);
  return result;
}

}  // extern "C"
