// A self-signed certificate for tests, and a temporary file that holds it.
#pragma once

#include <string>

namespace tandem::notifier {

class TestCertificate {
 public:
  // Valid for a day, for one DNS name.
  explicit TestCertificate(const std::string& name);
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;
  ~TestCertificate();

  const std::string& file() const { return file_; }

  std::string certificate_pem;
  std::string key_pem;

 private:
  std::string file_;
};

}  // namespace tandem::notifier
