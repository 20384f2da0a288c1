#include "net/certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

namespace net {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr long kDay = 24 * 60 * 60;
constexpr long kValidDays = 800;  // phones refuse certificates that are valid for longer than 825
constexpr long kRenewDays = 30;

template <auto free>
struct Free {
    template <class T>
    void operator()(T* p) const {
        free(p);
    }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

bool is_address(const std::string& name) {
    boost::system::error_code failed;
    boost::asio::ip::make_address(name, failed);
    return !failed;
}

base::Error openssl_error(const std::string& what) {
    char text[256] = "unknown";
    if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return base::error(Code::internal, what + ": " + text);
}

Certificate read_certificate(const fs::path& file) {
    const Bio in(BIO_new_file(file.c_str(), "r"));
    Certificate out(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    return out;
}

bool serves(X509* certificate, const std::vector<std::string>& names) {
    const bool lasts = X509_cmp_time(X509_get0_notAfter(certificate), nullptr) > 0 && [&] {
        int days = 0, seconds = 0;
        return ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) == 1 && days >= kRenewDays;
    }();
    return lasts && std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        return is_address(name) ? X509_check_ip_asc(certificate, name.c_str(), 0) == 1 : X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1;
    });
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::vector<std::string>& names) {
    unsigned char serial[16];
    if (RAND_bytes(serial, sizeof serial) != 1) return false;
    serial[0] &= 0x7f;  // positive
    const std::unique_ptr<BIGNUM, Free<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
    if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate))) return false;
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay);  // clocks differ
    X509_gmtime_adj(X509_getm_notAfter(certificate), kValidDays * kDay);
    X509_NAME* name = X509_get_subject_name(certificate);
    if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("hearth"), -1, -1, 0) != 1) return false;
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    std::string alternatives;
    for (const auto& each : names) alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address(each) ? "IP:" : "DNS:") + each;
    return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") && add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_alt_name, alternatives) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

// Replaces the file as a whole; `mode` from its first moment on.
base::Result<void> write_file(const fs::path& file, BIO* text, mode_t mode) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(text, &data);
    const std::string fresh = file.string() + ".new";
    ::unlink(fresh.c_str());
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    const bool written = fd >= 0 && ::write(fd, data, std::size_t(size)) == size && ::fsync(fd) == 0;
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) return base::error(Code::io, "cannot write " + file.string() + ": " + why);
    return {};
}

base::Result<void> make(const CertificateFiles& files, const std::vector<std::string>& names) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    if (!key || !certificate || !fill(certificate.get(), key.get(), names)) return openssl_error("cannot make a certificate");
    const Bio key_text(BIO_new(BIO_s_mem())), certificate_text(BIO_new(BIO_s_mem()));
    const bool printed = PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
                         PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1;
    if (!printed) return openssl_error("cannot print a certificate");
    if (auto written = write_file(files.key, key_text.get(), 0600); !written) return written;
    return write_file(files.certificate, certificate_text.get(), 0644);
}

}  // namespace

fs::path own_certificate_file(const fs::path& folder) { return folder / "certificate.pem"; }

base::Result<CertificateFiles> own_certificate(const fs::path& folder, const std::vector<std::string>& names) {
    if (names.empty()) return base::error(Code::invalid_argument, "a certificate wants at least one name");
    const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == ':'; };
    for (const auto& name : names)
        if (name.empty() || !std::all_of(name.begin(), name.end(), fits))
            return base::error(Code::invalid_argument, "'" + name + "' is no host name for a certificate", "see server.public_host");
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return base::error(Code::io, "cannot make the folder " + folder.string() + ": " + failed.message());
    CertificateFiles files{own_certificate_file(folder), folder / "key.pem"};
    const Certificate there = read_certificate(files.certificate);
    if (there && serves(there.get(), names) && fs::exists(files.key, failed)) return files;
    if (auto made = make(files, names); !made) return std::move(made).error();
    return files;
}

base::Result<std::string> certificate_fingerprint(const fs::path& file) {
    const Certificate certificate = read_certificate(file);
    if (!certificate) return base::error(Code::corrupt, file.string() + " is no PEM certificate");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1) return openssl_error("cannot hash " + file.string());
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        char text[4];
        std::snprintf(text, sizeof text, "%s%02X", i ? ":" : "", digest[i]);
        out += text;
    }
    return out;
}

}  // namespace net
