// A run as the service takes one in, for tests of what is kept of runs.
#pragma once

#include <memory>

#include "store/conversations.h"
#include "store/runs.h"

struct MadeRun {
    base::ConversationId conversation;
    base::MessageId message;
    base::RunId run;
    std::unique_ptr<store::RunLease> lease;  // let go of, its process has died
};

// That answers one message, in a conversation of its own.
inline MadeRun make_run(store::Db& db, const store::Identity& who, const base::Json& content = "hello", const store::Resumption& resumption = {}) {
    const auto now = base::SystemClock().now();
    MadeRun made{base::ConversationId::make(now), {}, base::RunId::make(now), nullptr};
    made.lease = store::lease_new_run(db, made.run);
    const auto insert = [&](store::Tx& tx) {
        store::create_conversation(tx, made.conversation, "api", "");
        made.message = store::append_message(tx, made.conversation, {}, {{"role", "user"}, {"content", content}});
        store::create_run(tx, *made.lease, made.conversation, made.message, "hearth", resumption);
    };
    db.run_blocking(who, insert);
    return made;
}
