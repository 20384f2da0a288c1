#include "store/bootstrap.h"

#include <pqxx/pqxx>

#include "store/failure.h"
#include "store/url.h"

namespace store {

base::Result<void> make_roles(const std::string& admin_url, const std::string& owner_password,
                              const std::string& app_password, const std::string& database) {
    try {
        pqxx::connection connection(with_timeout(admin_url));
        pqxx::nontransaction work(connection);
        const std::pair<const char*, const std::string*> roles[] = {{"hearth_owner", &owner_password}, {"hearth_app", &app_password}};
        for (const auto& [role, password] : roles)
            if (work.exec(std::string("select 1 from pg_roles where rolname = '") + role + "'").empty())
                work.exec(std::string("create role ") + role + " login nosuperuser nocreatedb nobypassrls password " + work.quote(*password));
        if (work.exec("select 1 from pg_database where datname = " + work.quote(database)).empty())
            work.exec("create database " + work.quote_name(database) + " owner hearth_owner");
        return {};
    } catch (const pqxx::failure& e) {
        return failure("making the roles and the database", e);
    }
}

}  // namespace store
