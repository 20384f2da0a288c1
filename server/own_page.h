// What a browser sends with its session: the cookie that carries it, and what shows that the page which asks is the dashboard and
// no other page's form, script or image.
#pragma once

#include <string>

#include "server/http.h"

namespace server {

// The secret of the session; empty: none.
std::string session_cookie(const Request& request, bool tls);
// The value of Set-Cookie that gives it to the browser, and the one that takes it away.
std::string cookie_of(const Request& request, bool tls, const std::string& secret);
std::string no_cookie(const Request& request, bool tls);

// What the dashboard sends back in X-Hearth-CSRF. A page of another origin cannot read it.
std::string csrf_token(const std::string& secret);

// A request without headers by which a browser tells where it comes from is fine here: it is no browser's.
base::Result<void> from_no_foreign_page(const Request& request, bool tls);
// For what a cookie is to do: the browser says that a page of this origin asks, and the page knows the token. The token is asked
// for by GET /v1/session, which alone does without.
base::Result<void> from_own_page(const Request& request, bool tls, const std::string& secret);

}  // namespace server
