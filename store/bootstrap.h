// What only the cluster's administrator does: the two roles and the database. Idempotent.
#pragma once

#include <string>

#include "base/result.h"

namespace store {

base::Result<void> make_roles(const std::string& admin_url, const std::string& owner_password,
                              const std::string& app_password, const std::string& database = "hearth");

}  // namespace store
