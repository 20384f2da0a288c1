#include "server/failure.h"

#include "store/failure.h"

namespace server {
namespace {

using base::Code;
using Kind = store::DbError::Kind;

base::Error database_failure(const store::DbError& e, const Services& services) {
    const std::string reason = services.database_trouble ? services.database_trouble() : std::string();
    if (auto told = store::outage(e)) {
        if (e.kind == Kind::disk_full) told->message += ": this was not stored";
        else if (!reason.empty()) told->message += ": " + reason;
        return *std::move(told);
    }
    if (e.kind == Kind::serialization) return base::error(Code::unavailable, "another request changed the same rows", "try again");
    return base::error(Code::internal, "an internal error occurred; the log tells more");
}

}  // namespace

base::Error explain(std::exception_ptr failure, const std::string& what, const Services& services) {
    base::Error told = base::error(Code::internal, "an internal error occurred; the log tells more");
    std::string why = "unknown";
    try {
        std::rethrow_exception(failure);
    } catch (const store::DbError& e) {
        why = e.what();
        told = database_failure(e, services);
    } catch (const std::exception& e) {
        why = e.what();
    } catch (...) {
    }
    services.log.error(what + " failed", {{"error", why}});
    return told;
}

}  // namespace server
