// GET /v1/runs/{id}/events: what a run tells, from the beginning or from where the client left off.
#include "server/api/handlers.h"
#include "server/sse.h"

namespace server::api {
namespace {

constexpr auto kKeepAlive = std::chrono::seconds(15);

struct Listening {
    std::unique_ptr<agents::EventReader> reader;
    std::vector<agents::ToldEvent> first;  // read before the answer began
};

std::string text_of(const std::vector<agents::ToldEvent>& events) {
    std::string out;
    for (const auto& event : events) out += sse_event(base::dump(event.data), event.name, event.id.text());
    return out;
}

net::Task<void> tell(std::shared_ptr<Listening> listening, BodyWriter& out) {
    std::vector<agents::ToldEvent> events = std::move(listening->first);
    for (;;) {
        std::string piece = text_of(events);
        if (piece.empty()) piece = ": keep-alive\n\n";
        const bool there = co_await out.write(std::move(piece));
        if (!there || listening->reader->over()) co_return;
        events = co_await listening->reader->next(kKeepAlive);
        if (events.empty() && listening->reader->over()) co_return;
    }
}

}  // namespace

net::Task<Response> run_events(Request request, Caller caller, Services& services) {
    const auto id = base::RunId::parse(request.parameters["id"]);
    if (!id) co_return error_response(404, "there is no such run", "not_found");
    const std::string& text = request.header("last-event-id");
    const auto after = text.empty() ? store::EventId{} : store::EventId::parse(text);
    if (!after) co_return error_response(400, "Last-Event-ID is '" + text + "' but must be the id of an event, as 1.17", "invalid_argument", "Last-Event-ID");
    auto listening = std::make_shared<Listening>();
    listening->reader = co_await services.agents.listen(caller.principal, *id, *after, request.gone);
    if (!listening->reader) co_return error_response(404, "there is no such run", "not_found");
    listening->first = co_await listening->reader->next(std::chrono::milliseconds(0));
    Response response;
    // A client that has heard the end asks again and again, unless it is told that nothing follows.
    if (listening->first.empty() && listening->reader->over()) {
        response.status = 204;
        co_return response;
    }
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers["Cache-Control"] = "no-cache";
    response.stream = [listening](BodyWriter& out) { return tell(listening, out); };
    co_return response;
}

}  // namespace server::api
