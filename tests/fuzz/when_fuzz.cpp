// What people say of times: what is understood is a time to come, or a cron expression that is kept in one spelling and comes in order.
#include "agents/when.h"
#include "agents/when_words.h"
#include "fuzz.h"

using agents::Cron;
using agents::Zone;

namespace {

void check_cron(const std::string& text, base::TimePoint now, const Zone& zone) {
    using fuzz::require;
    const auto cron = Cron::parse(text);
    require(cron.ok() && cron->text() == text, [&] { return "the spelling that is kept is kept: " + text; });
    auto before = now;
    for (int i = 0; i < 3; ++i) {
        const auto due = cron->next(before, zone);
        if (!due) return;
        require(*due > before, [&] { return "each time comes after the one before: " + text; });
        require(cron->last(before, *due, zone) == due, [&] { return "the last is the last: " + text; });
        before = *due;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fuzz::require;
    static const Zone zones[] = {Zone::utc(), Zone::find("Europe/Paris").value(), Zone::find("Australia/Lord_Howe").value(), Zone::find("America/St_Johns").value()};
    std::string_view input = fuzz::text_of(data, size);
    const unsigned choice = fuzz::take_byte(input);
    const Zone& zone = zones[choice % 4];
    const base::TimePoint now = std::chrono::sys_days(std::chrono::year(2026) / 3 / 28) + std::chrono::hours(choice * 7);
    (void)agents::words::speak_of_later(input);
    const auto read = agents::read_when(input, now, zone);
    if (!read) {
        require(!read.error().message.empty(), "a refusal says why");
        return 0;
    }
    if (const auto* const question = std::get_if<agents::Question>(&*read)) {
        require(!question->text.empty() && !question->all().empty(), "a question asks something");
        return 0;
    }
    const agents::When& when = std::get<agents::When>(*read);
    require(when.cron.empty() == when.once.has_value(), "it is one of both");
    if (when.once) require(*when.once > now, "it is still to come");
    else check_cron(when.cron, now, zone);
    return 0;
}
