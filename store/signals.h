// What the processes on one database tell each other at once (LISTEN and NOTIFY).
//
// A signal only wakes: what it is about is committed with it, and is read there. Whoever hears `missed` reads all that
// concerns him, since signals that passed while no connection stood are lost.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "store/db.h"

namespace store {

struct Signal {
    enum class Kind {
        missed,  // listening begins, or begins again
        stop,    // somebody asked that `run` stop
        input,   // there is something new for `run`
        work,    // a run waits for somebody to take it
        told,    // `run` has told something that another process listens to
        rules,   // the rules of a house were changed
    };
    Kind kind = Kind::missed;
    base::RunId run;  // nil with missed and rules
};

// Goes out with the commit of `tx`.
void send_signal(Tx& tx, const Signal& signal);
// The same, where `condition` (SQL; its parameters are $3, $4, …) holds then.
void send_signal_if(Tx& tx, const Signal& signal, const std::string& condition, std::vector<Param> parameters);

// Listens on a CPU thread of its own until its end; connects again by itself.
class SignalListener {
public:
    // `heard` is called there and must not wait for long; what it throws is logged.
    SignalListener(std::string url, base::Log& log, std::function<void(const Signal&)> heard);
    ~SignalListener();

private:
    struct Thread;
    std::unique_ptr<Thread> thread_;
};

}  // namespace store
