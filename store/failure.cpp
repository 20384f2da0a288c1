#include "store/failure.h"

#include "store/url.h"

namespace store {
namespace {

using base::Code;

struct Meaning {
    const char* mark;  // in the text, or the start of the condition code
    Code code;
    const char* remedy;
};

constexpr const char* kRuns = "hearth db status tells whether PostgreSQL runs";
constexpr const char* kUrls = "check database.url and database.owner_url; hearth db roles prints the SQL that makes the roles";

// First by condition code (appendix A of PostgreSQL's manual), then, before a connection stands, by words.
constexpr Meaning kCodes[] = {
    {"53100", Code::resource_exhausted, "free some space on the disk of the database"},
    {"58030", Code::io, "look at the disk of the database"},
    {"53300", Code::resource_exhausted, "too many connections: raise max_connections of the PostgreSQL, or lower database.connections"},
    {"42501", Code::permission_denied, "hearth_owner must own the database: as its administrator, alter database NAME owner to hearth_owner"},
};
constexpr Meaning kWords[] = {
    {"No space left on device", Code::resource_exhausted, "free some space on the disk of the database"},
    {"password authentication failed", Code::permission_denied, kUrls},
    {"no password supplied", Code::permission_denied, kUrls},
    {"no pg_hba.conf entry", Code::permission_denied, "allow this host and role in the server's pg_hba.conf"},
    {"role \"", Code::not_found, kUrls},
    {"database \"", Code::not_found, kUrls},
    {"could not translate host name", Code::unavailable, kUrls},
    {"invalid ", Code::invalid_argument, kUrls},
    {"missing \"=\"", Code::invalid_argument, kUrls},
};

}  // namespace

std::string reason_of(const std::string& message) {
    std::string line = without_password(message.substr(0, message.find('\n')));
    for (const char* prefix : {"ERROR:  ", "FATAL:  "})
        if (line.rfind(prefix, 0) == 0) line.erase(0, 8);
    return line;
}

std::optional<base::Error> outage(const DbError& e) {
    if (e.kind == DbError::Kind::connection) return base::error(Code::unavailable, "the database is out of reach", "try again shortly; hearth doctor tells more");
    if (e.kind == DbError::Kind::disk_full) return base::error(Code::unavailable, "the disk of the database is full", "free some space; the server goes on by itself");
    return std::nullopt;
}

base::Error failure(const std::string& what, const DbError& e) {
    const std::string reason = e.what(), message = what + " failed: " + reason;
    for (const auto& meaning : kCodes)
        if (e.condition == meaning.mark) return base::error(meaning.code, message, meaning.remedy);
    for (const auto& meaning : kWords)
        if (reason.find(meaning.mark) != reason.npos) return base::error(meaning.code, message, meaning.remedy);
    return base::error(Code::unavailable, message, kRuns);
}

}  // namespace store
