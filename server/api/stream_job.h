// A streamed answer beside the response that it feeds.
#pragma once

#include "server/api/request_fields.h"
#include "server/services.h"
#include "server/sse.h"

namespace server::api {

// What its producer needs, alive until that ends; how it is told is the shape's affair.
struct StreamJob {
    StreamJob(boost::asio::any_io_executor executor, const base::StopToken& gone, router::ToolMenu menu, const FieldNames& field_names)
        : queue(std::make_shared<SseQueue>(executor)), stop(gone), tools(std::move(menu)), names(field_names) {}
    virtual ~StreamJob() = default;
    StreamJob(const StreamJob&) = delete;

    // Ends it: with a status of its own as long as nothing was pushed.
    void fail(const base::Error& error);

    std::shared_ptr<SseQueue> queue;
    base::StopSource stop;                // `gone` stops it as soon as the client has left, even while nothing is being written
    router::ToolMenu tools;
    const FieldNames& names;
    std::shared_ptr<std::vector<text::LooseTool>> loose = std::make_shared<std::vector<text::LooseTool>>();
    base::RunId run{};                    // an agent's, once it is known
    base::ConversationId conversation{};

    // Nothing was refused at once: whoever asked may be told that it began.
    virtual void taken_in() {}

private:
    // The end of a stream that broke off. `envelope`: the error as a body of its own.
    virtual void tell_failure(const base::Error& error, const std::string& envelope) = 0;
};

// Starts `task`, which feeds the job; it ends by itself when the client has left, and is then stopped where that is wanted.
net::Task<Response> stream(std::shared_ptr<StreamJob> job, net::Task<void> task, Services& services, bool stop_when_gone);

}  // namespace server::api
