#include "agents/steer.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "agents/events.h"
#include "agents/spawn.h"
#include "store/conversations.h"
#include "store/run_queue.h"
#include "store/stops.h"

namespace agents {
namespace {

using base::Json;
using router::Message;
using router::MessageRole;

ChatEvent event_of(const store::RunInput& input) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::input;
    event.text = input.text;
    event.id = input.id.text();
    if (input.of_thread()) event.name = input.via;
    return event;
}

struct Added {
    std::string text;
    bool trusted = true;
};

// Roles alternate in every template.
void put(std::vector<Message>& messages, std::size_t at, const Added& added) {
    const std::string& text = added.text;
    if (at > 0 && messages[at - 1].role == MessageRole::user) {
        std::vector<Message> one = with_note({messages[at - 1]}, text);
        messages[at - 1] = std::move(one[0]);
        messages[at - 1].trusted = messages[at - 1].trusted && added.trusted;
    } else {
        const auto put = messages.insert(messages.begin() + std::ptrdiff_t(at), Message::make(MessageRole::user, text));
        put->trusted = added.trusted;
    }
}

// Where it stood in an earlier prompt of the same kind, else at the end.
std::size_t place_in(const router::ModelRequest& request, const Inputs::Place& place) {
    const auto& messages = request.messages;
    const bool same = place.purpose == request.purpose && place.at > 0 && place.at <= messages.size() && messages[place.at - 1].text() == place.before;
    return same ? place.at : messages.size();
}

net::Task<void> read_new(Frame& frame) {
    if (!frame.inputs->more.exchange(false)) co_return;
    const auto list = [&](store::Tx& tx) { return store::untaken_inputs(tx, frame.run); };
    auto found = co_await frame.parts.db.read(frame.who, list);
    for (auto& input : found) {
        const auto& known = frame.inputs->known;
        const bool old = std::any_of(known.begin(), known.end(), [&](const auto& one) { return one.input.id == input.id; });
        if (!old) frame.inputs->known.push_back({std::move(input), {}});
    }
}

int number_of(const std::string& step_key) { return std::atoi(step_key.c_str() + step_key.find(':') + 1); }

// Whether the step of that number, or an earlier one of the same turn, is the first to read it: what an earlier turn read is
// in the history.
bool read_by(const Frame& frame, const store::RunInput& input, int step) {
    if (input.taken_by.empty() || input.taken_by == kTakenByTurn || input.taken_by == store::kTakenByHistory) return false;
    const int first = number_of(input.taken_by);
    return first >= frame.inputs->first_step && first <= step;
}

}  // namespace

Json message_of(const store::RunInput& input) {
    Json message(router::message_to_json(Message::make(MessageRole::user, input.text)));
    if (input.of_thread()) message["trusted"] = false;  // see history_of
    return message;
}

net::Task<void> take_inputs(Frame& frame, router::ModelRequest& request, const std::string& step_key) {
    const int step = number_of(step_key);
    const bool recorded = frame.writer.recorded(step_key) != nullptr;
    if (!recorded) co_await read_new(frame);
    std::map<std::size_t, Added> added;  // by place among the messages without it
    for (auto& [input, place] : frame.inputs->known) {
        if (input.taken_by.empty() && !recorded) {
            input.taken_by = step_key;
            frame.writer.lock_first(frame.conversation);
            frame.writer.defer([id = input.id, step_key, conversation = frame.conversation, run = frame.run, body = message_of(input)](store::Tx& tx) {
                if (store::stop_asked(tx, run)) return;  // the step that would read it does not begin
                store::take_input(tx, id, step_key);
                store::append_message(tx, conversation, run, body);
            });
        }
        if (input.taken_by == step_key) {
            place = {request.purpose, request.messages.size(), request.messages.empty() ? std::string() : request.messages.back().text()};
            count_report(frame.sums, input);
            frame.emit(event_of(input));
        }
        if (!read_by(frame, input, step)) continue;
        Added& one = added[place_in(request, place)];
        one.text += (one.text.empty() ? "" : "\n\n") + input.text;
        one.trusted = one.trusted && !input.of_thread();
        if (input.of_thread()) frame.inputs->label = policy::Integrity::untrusted;
    }
    for (auto it = added.rbegin(); it != added.rend(); ++it) put(request.messages, it->first, it->second);
}

bool drain_inputs(store::Tx& tx, Frame& frame, Turn& turn, Accepted& accepted) {
    const auto left = store::untaken_inputs(tx, frame.run);
    if (left.empty()) return false;
    base::MessageId last;
    for (const auto& input : left) {
        last = store::append_message(tx, frame.conversation, frame.run, message_of(input));
        store::take_input(tx, input.id, kTakenByTurn);
        for (auto& one : frame.inputs->known)
            if (one.input.id == input.id) one.input.taken_by = kTakenByTurn;
        frame.told->tell(event_of(input));
    }
    Turn next;
    next.sums = frame.sums;
    next.label = turn.label;
    for (const auto& input : left) {
        count_report(next.sums, input);
        if (input.of_thread()) next.label = policy::Integrity::untrusted;
    }
    next.first_step = frame.inputs->first_step = frame.sums.model_steps;
    next.told = frame.told->last();
    const Json begins = to_json(next);
    store::answer_next(tx, frame.run, frame.writer.epoch(), last, begins);
    store::save_turn(tx, frame.run, frame.writer.epoch(), begins);
    turn = std::move(next);
    if (!accepted.opening) return true;
    auto history = read_history(tx, frame.conversation, last);
    if (history)
        accepted.opening->history = *std::move(history);
    else
        accepted.opening = std::move(history).error();
    return true;
}

}  // namespace agents
