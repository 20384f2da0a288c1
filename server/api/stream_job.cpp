#include "server/api/stream_job.h"

#include "server/api/agent_answer.h"
#include "server/failure.h"

namespace server::api {

void StreamJob::fail(const base::Error& error) {
    Response answer = refusal_of(error, tools, names);
    name_run(answer, run, conversation);
    const std::string body = answer.body;
    if (queue->refuse(std::move(answer))) return;
    tell_failure(error, body);
    queue->finish();
}

net::Task<Response> stream(std::shared_ptr<StreamJob> job, net::Task<void> task, Services& services, bool stop_when_gone) {
    auto failed = [&services, job](std::exception_ptr e) { job->fail(explain(e, "a streamed answer", services)); };
    net::spawn(co_await boost::asio::this_coro::executor, std::move(task), failed);
    co_await job->queue->first(kFirstEvent);
    if (job->queue->refusal()) co_return *job->queue->refusal();
    job->taken_in();
    auto gone = [job, stop_when_gone] {
        if (stop_when_gone) job->stop.request_stop();
    };
    Response response = SseQueue::response(job->queue, gone);
    name_run(response, job->run, job->conversation);
    name_loose(response, *job->loose, job->names);
    co_return response;
}

}  // namespace server::api
