// hearth open: the dashboard in a browser, signed in by a link that is good for once.
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/qr.h"
#include "app/terminal.h"
#include "net/certificate.h"
#include "net/config.h"
#include "server/http.h"

namespace app {
namespace {

// Everybody on the machine can read a program's arguments, but not this file: the browser is told the file, and that the link.
bool write_page(const std::string& file, const std::string& url) {
    unlink(file.c_str());
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    const std::string page = "<!doctype html><meta charset=\"utf-8\"><title>Hearth</title><meta http-equiv=\"refresh\" content=\"0; url=" + url + "\">\n";
    const bool written = write(fd, page.data(), page.size()) == ssize_t(page.size());
    return close(fd) == 0 && written;
}

// On a desktop, for somebody who sits before it.
void show_in_browser(const std::string& url) {
    const auto folder = net::environment("XDG_RUNTIME_DIR");
    const bool desktop = net::environment("DISPLAY") || net::environment("WAYLAND_DISPLAY");
    if (!on_terminal() || !desktop || !folder) return;
    const std::string file = *folder + "/hearth-open.html";
    if (!write_page(file, url)) return;
    const std::string program = "xdg-open";
    char* argv[] = {const_cast<char*>(program.c_str()), const_cast<char*>(file.c_str()), nullptr};
    pid_t pid = 0;
    (void)posix_spawnp(&pid, argv[0], nullptr, nullptr, argv, environ);  // where there is no such program, the link is printed
}

// What a browser shows of the certificate, for people to compare; empty: the link is not under TLS.
std::string fingerprint_of(const Settings& settings, const std::string& url) {
    if (!url.starts_with("https:")) return {};
    const std::string& given = settings.server.certificate;
    const auto print = net::certificate_fingerprint(given.empty() ? net::own_certificate_file(settings.state_folder / "tls") : std::filesystem::path(given));
    return print ? *print : std::string();
}

// A telephone that is led to its own loopback finds nothing there.
bool others_reach(const Settings& settings) { return !server::is_loopback(settings.server.host); }

void print_code(const std::string& url) {
    const std::string code = qr_code(url);
    std::fputs(code.empty() ? "the address is too long for a QR code\n" : code.c_str(), stdout);
}

}  // namespace

int open_dashboard(const LoadedSettings& loaded, const std::string& person, bool json, bool qr) {
    base::Json wish = base::Json::object();
    if (!person.empty()) wish["person"] = person;
    const auto link = ask_server_json(loaded.settings.server.socket, "POST", "/v1/session/links", wish);
    if (!link) return complain(link.error());
    const std::string url = link->value("url", ""), fingerprint = fingerprint_of(loaded.settings, url);
    if (json) {
        base::Json shown = *link;
        if (!fingerprint.empty()) shown["fingerprint"] = fingerprint;
        print_json(shown);
        return 0;
    }
    std::printf("%s\n", url.c_str());
    if (!fingerprint.empty()) std::printf("its certificate: SHA-256 %s\n", fingerprint.c_str());
    if (qr || (on_terminal() && others_reach(loaded.settings))) print_code(url);
    std::fflush(stdout);
    if (on_terminal()) std::puts(faint("good for once, for a quarter of an hour; whoever opens it is signed in").c_str());
    if (person.empty()) show_in_browser(url);
    return 0;
}

}  // namespace app
