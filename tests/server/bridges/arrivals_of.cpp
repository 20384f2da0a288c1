// What channels deliver, read as the server reads it, for another reader to judge (tests/e2e/arrivals_test.py).
//
//   arrivals_of telegram < BODIES > ARRIVALS
//
// A body a line is read; an object a line is written: what was read, or {"refused": WHY}.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/json.h"
#include "server/bridges/telegram_update.h"

int main(int argc, char** argv) {
    if (argc != 2 || std::string(argv[1]) != "telegram") {
        std::fprintf(stderr, "usage: arrivals_of telegram\n");
        return 2;
    }
    using Kind = server::bridges::Arrival::Kind;
    for (std::string line; std::getline(std::cin, line);) {
        base::Json out;
        const auto one = server::bridges::read_telegram_update(line);
        if (!one) {
            out["refused"] = one.error().message;
        } else {
            const char* kind = one->kind == Kind::message ? "message" : one->kind == Kind::edit ? "edit" : one->kind == Kind::choice ? "choice" : "other";
            out = {{"update", one->update}, {"kind", kind}, {"sender", one->sender}, {"name", one->sender_name}, {"chat", one->chat}, {"alone", one->alone}, {"program", one->from_program}, {"text", one->text}, {"message", one->message}, {"choice", one->choice}};
        }
        std::cout << base::dump(out) << '\n';
    }
}
