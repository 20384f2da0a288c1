#include "store/bootstrap.h"

#include "store/connection.h"
#include "store/failure.h"

namespace store {

base::Result<void> make_roles(const std::string& admin_url, const std::string& owner_password,
                              const std::string& app_password, const std::string& database) {
    try {
        Connection connection(admin_url);
        const std::pair<const char*, const std::string*> roles[] = {{"hearth_owner", &owner_password}, {"hearth_app", &app_password}};
        for (const auto& [role, password] : roles)
            if (connection.exec("select 1 from pg_roles where rolname = $1", {role}).empty())
                connection.script(std::string("create role ") + role + " login nosuperuser nocreatedb nobypassrls password " + connection.quoted(*password));
        if (connection.exec("select 1 from pg_database where datname = $1", {database}).empty())
            connection.script("create database " + connection.quoted_name(database) + " owner hearth_owner");
        return {};
    } catch (const DbError& e) {
        return failure("making the roles and the database", e);
    }
}

}  // namespace store
