// Dice that fall alike on every machine: splitmix64 (Steele, Lea, Flood 2014). The distributions of
// the standard library differ from one library to the next.
//
// Not thread-safe. Not for secrets.
#pragma once

#include <cstdint>

namespace tandem::client {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

  // Uniform in [0, sides). REQUIRES: 0 < sides <= 2^32.
  std::uint64_t Below(std::uint64_t sides) { return (Next() >> 32) * sides >> 32; }

  // Uniform in [0, 1).
  double Share() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace tandem::client
