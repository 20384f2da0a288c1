#include "net/certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "support/fixtures.h"

namespace {

struct Loaded {
    explicit Loaded(const std::filesystem::path& file) {
        if (FILE* in = fopen(file.c_str(), "r")) certificate = PEM_read_X509(in, nullptr, nullptr, nullptr), fclose(in);
    }
    ~Loaded() { X509_free(certificate); }
    bool serves(const char* name) const { return X509_check_host(certificate, name, 0, 0, nullptr) == 1 || X509_check_ip_asc(certificate, name, 0) == 1; }
    X509* certificate = nullptr;
};

TEST(Certificate, IsMadeForTheNamesAndKept) {
    support::TempDir folder;
    const auto made = net::own_certificate(folder.path() / "tls", {"home.lan", "192.168.1.5", "::1"}).value();
    const Loaded loaded(made.certificate);
    ASSERT_NE(loaded.certificate, nullptr);
    for (const char* name : {"home.lan", "192.168.1.5", "::1"}) EXPECT_TRUE(loaded.serves(name)) << name;
    for (const char* name : {"other.lan", "192.168.1.6", "localhost"}) EXPECT_FALSE(loaded.serves(name)) << name;
    EVP_PKEY* key = X509_get_pubkey(loaded.certificate);
    EXPECT_EQ(X509_verify(loaded.certificate, key), 1);
    EVP_PKEY_free(key);
    struct stat info{};
    ASSERT_EQ(stat(made.key.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);

    const std::string print = net::certificate_fingerprint(made.certificate).value();
    EXPECT_EQ(print.size(), 32u * 3 - 1);
    net::own_certificate(folder.path() / "tls", {"home.lan"}).value();
    EXPECT_EQ(net::certificate_fingerprint(made.certificate).value(), print) << "a new one would have to be compared again";
    net::own_certificate(folder.path() / "tls", {"home.lan", "new.lan"}).value();
    EXPECT_NE(net::certificate_fingerprint(made.certificate).value(), print);
    std::ofstream(made.certificate) << "damaged";
    EXPECT_FALSE(net::certificate_fingerprint(made.certificate));
    net::own_certificate(folder.path() / "tls", {"home.lan"}).value();
    EXPECT_TRUE(net::certificate_fingerprint(made.certificate));
}

TEST(Certificate, RefusesNamesThatAreNone) {
    support::TempDir folder;
    for (const char* name : {"", "a b", "x,IP:1.2.3.4", "*.lan", "a/b"}) EXPECT_FALSE(net::own_certificate(folder.path(), {name})) << name;
    EXPECT_FALSE(net::own_certificate(folder.path(), {}));
}

}  // namespace
