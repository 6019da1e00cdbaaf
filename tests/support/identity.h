// Certificates and keys that a test makes for itself, signed by an authority of its own.
//
// One thread at a time.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>

namespace tandem::testing {

template <typename Write>
inline std::string Pem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

// A certificate with its key, signed by `issuer` or by itself; for `localhost`.
class Identity {
 public:
  struct Options {
    const char* name = "localhost";
    long serial = 1;
    long valid_from_s = -3600;  // from now
    long valid_until_s = 3600;
    const char* san = "DNS:localhost,IP:127.0.0.1";
  };
  explicit Identity(Options options, const Identity* issuer = nullptr)
      : key_(EVP_EC_gen("P-256")), cert_(X509_new()) {
    X509_set_version(cert_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert_), options.serial);
    X509_gmtime_adj(X509_getm_notBefore(cert_), options.valid_from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert_), options.valid_until_s);
    X509_set_pubkey(cert_, key_);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert_), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(options.name), -1, -1, 0);
    X509_set_issuer_name(cert_, X509_get_subject_name(issuer == nullptr ? cert_ : issuer->cert_));
    Extend(NID_subject_alt_name, options.san);
    if (issuer == nullptr) Extend(NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(cert_, issuer == nullptr ? key_ : issuer->key_, EVP_sha256());
  }
  ~Identity() {
    X509_free(cert_);
    EVP_PKEY_free(key_);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  std::string cert() const {
    return Pem([&](BIO* bio) { PEM_write_bio_X509(bio, cert_); });
  }
  std::string key() const {
    return Pem([&](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key_, nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  std::string key_under_passphrase() const {
    return Pem([&](BIO* bio) {
      PEM_write_bio_PKCS8PrivateKey(bio, key_, EVP_aes_256_cbc(), "pass", 4, nullptr, nullptr);
    });
  }

 private:
  void Extend(int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(cert_, extension, -1);
    X509_EXTENSION_free(extension);
  }
  EVP_PKEY* key_;
  X509* cert_;
};

}  // namespace tandem::testing
