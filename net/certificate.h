// A TLS certificate of this server's own, for networks where nobody signs one: people compare its
// fingerprint once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace net {

struct CertificateFiles {
    std::filesystem::path certificate, key;  // PEM
};

// The certificate in `folder`; a new one, signed by itself, when there is none, when it ends within 30
// days, or when it lacks one of `names` (host names and IP addresses). The key is readable by its owner
// only.
base::Result<CertificateFiles> own_certificate(const std::filesystem::path& folder, const std::vector<std::string>& names);

// Where it lies.
std::filesystem::path own_certificate_file(const std::filesystem::path& folder);

// SHA-256 over the certificate as programs show it: "AB:CD:…".
base::Result<std::string> certificate_fingerprint(const std::filesystem::path& certificate);

}  // namespace net
