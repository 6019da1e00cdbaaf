// What a fuzz target expects to hold, in every build type. Aborts, so that every fuzzer sees it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>

#define FUZZ_CHECK(condition)                                                                \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::cerr << __FILE__ << ":" << __LINE__ << ": does not hold: " << #condition << "\n"; \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
