#include "memory/locomo.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace memory::locomo {
namespace {

using base::Code;
using base::Json;

base::Error wrong(const std::string& id, const std::string& what) { return base::error(Code::corrupt, "conversation '" + id + "': " + what, "the form of LoCoMo's locomo10.json is read"); }

base::Result<std::chrono::sys_days> day_of(const std::string& id, const std::string& session, const Json& conversation) {
    auto text = base::string_field(conversation, session + "_date_time");
    if (!text) return wrong(id, text.error().message);
    for (const Dates& dates : dates_in(words_of(*text), {})) {
        const std::chrono::year_month_day date{std::chrono::year(dates.year), std::chrono::month(dates.month), std::chrono::day(dates.day)};
        if (date.ok()) return std::chrono::sys_days(date);
    }
    return wrong(id, session + "_date_time is '" + *text + "', a date such as '1:56 pm on 8 May, 2023' expected");
}

base::Result<Turn> turn_of(const Json& json) {
    Turn out;
    const std::pair<const char*, std::string*> fields[] = {{"dia_id", &out.id}, {"speaker", &out.speaker}, {"text", &out.text}};
    for (const auto& [field, to] : fields) {
        auto value = base::string_field(json, field);
        if (!value) return std::move(value).error();
        *to = *std::move(value);
    }
    auto caption = base::optional_string(json, "blip_caption");
    if (!caption) return std::move(caption).error();
    if (*caption) out.text += " " + **caption;
    return out;
}

base::Result<void> read_turns(const Json& conversation, Conversation& out) {
    for (int number = 1;; ++number) {
        const std::string name = "session_" + std::to_string(number);
        const auto session = conversation.find(name);
        // A number can be missing; the dates of the sessions go on behind the last.
        if (session == conversation.end() && !conversation.contains(name + "_date_time")) return {};
        if (session == conversation.end()) continue;
        if (!session->is_array()) return wrong(out.id, name + " is no list of turns");
        auto day = day_of(out.id, name, conversation);
        if (!day) return std::move(day).error();
        for (const Json& one : *session) {
            auto turn = turn_of(one);
            if (!turn) return wrong(out.id, name + ": " + turn.error().message);
            turn->session = name;
            turn->said = *day;
            out.turns.push_back(*std::move(turn));
        }
        out.ended = std::max(out.ended, *day);
    }
}

// "D8:6; D9:17" is two turns, "D:11:26" and "D11:026" are turn D11:26.
std::vector<std::string> turns_named(const std::string& evidence) {
    std::vector<std::string> out;
    std::vector<std::string> numbers;
    const auto end = [&] {
        if (numbers.size() == 2) out.push_back("D" + numbers[0] + ":" + numbers[1]);
        numbers.clear();
    };
    for (std::size_t at = 0; at < evidence.size();) {
        if (evidence[at] == 'D' || evidence[at] == ';' || evidence[at] == ' ') end();
        const std::size_t digits = std::min(evidence.find_first_not_of("0123456789", at), evidence.size());
        if (digits > at) numbers.push_back(std::to_string(std::strtol(evidence.substr(at, digits - at).c_str(), nullptr, 10)));
        at = std::max(digits, at + 1);
    }
    end();
    return out;
}

base::Result<void> read_questions(const Json& list, Conversation& out) {
    std::map<std::string, std::uint32_t> numbers;
    for (std::uint32_t i = 0; i < out.turns.size(); ++i) numbers[out.turns[i].id] = i;
    for (const Json& one : list) {
        auto text = base::string_field(one, "question");
        auto category = base::integer_field(one, "category");
        if (!text || !category) return wrong(out.id, "qa: " + (text ? category.error() : text.error()).message);
        std::set<std::uint32_t> evidence;
        for (const Json& named : one.value("evidence", Json::array())) {
            if (!named.is_string()) return wrong(out.id, "the evidence of '" + *text + "' is no list of names of turns");
            for (const std::string& id : turns_named(named.get<std::string>()))
                if (const auto found = numbers.find(id); found != numbers.end()) evidence.insert(found->second);
        }
        if (!evidence.empty()) out.questions.push_back({*std::move(text), {evidence.begin(), evidence.end()}, int(*category)});
    }
    return {};
}

base::Result<Conversation> conversation_of(const Json& json, std::size_t number) {
    Conversation out;
    out.id = "number " + std::to_string(number);
    if (!json.is_object() || !json.contains("conversation") || !json["conversation"].is_object() || !json.contains("qa") || !json["qa"].is_array())
        return wrong(out.id, "an object with conversation and a list qa is expected");
    auto id = base::optional_string(json, "sample_id");
    if (!id) return wrong(out.id, id.error().message);
    if (*id) out.id = **id;
    if (auto read = read_turns(json["conversation"], out); !read) return std::move(read).error();
    if (out.turns.empty()) return wrong(out.id, "session_1 is missing");
    if (auto read = read_questions(json["qa"], out); !read) return std::move(read).error();
    return out;
}

double share(std::size_t found, std::size_t all) { return double(found) / double(all); }

}  // namespace

base::Result<std::vector<Conversation>> read(const Json& json) {
    std::vector<Conversation> out;
    const Json list = json.is_array() ? json : Json::array({json});
    for (const Json& one : list) {
        auto conversation = conversation_of(one, out.size() + 1);
        if (!conversation) return std::move(conversation).error();
        out.push_back(*std::move(conversation));
    }
    return out;
}

Index index_of(const Conversation& conversation, Context context) {
    Index out(context);
    for (const Turn& turn : conversation.turns) out.add({turn.text, turn.speaker, turn.session, turn.said});
    return out;
}

Score score(const Conversation& conversation, const Asked& asked, const std::vector<Hit>& hits) {
    Score out;
    out.category = asked.category;
    const auto is_evidence = [&](std::uint32_t turn) { return std::binary_search(asked.evidence.begin(), asked.evidence.end(), turn); };
    double gain = 0, ideal = 0;
    std::size_t found = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        if (i < asked.evidence.size()) ideal += 1 / std::log2(double(i) + 2);
        if (i < hits.size() && is_evidence(hits[i].item)) {
            gain += 1 / std::log2(double(i) + 2);
            ++found;
        }
        if (i == 4) out.recall_5 = share(found, asked.evidence.size());
    }
    out.recall_10 = share(found, asked.evidence.size());
    out.ndcg_10 = gain / ideal;
    std::set<std::string> wanted, seen;
    for (const std::uint32_t turn : asked.evidence) wanted.insert(conversation.turns[turn].session);
    std::size_t sessions_found = 0, sessions_at_5 = 0;
    for (auto hit = hits.begin(); hit != hits.end() && seen.size() < 10; ++hit) {
        const std::string& session = conversation.turns[hit->item].session;
        if (!seen.insert(session).second) continue;
        sessions_found += wanted.contains(session);
        if (seen.size() <= 5) sessions_at_5 = sessions_found;
    }
    out.session_5 = share(sessions_at_5, wanted.size());
    out.session_10 = share(sessions_found, wanted.size());
    return out;
}

Summary summary(const std::vector<Score>& scores) {
    Summary out;
    out.questions = scores.size();
    std::map<int, std::pair<double, std::size_t>> categories;
    for (const Score& one : scores) {
        const double n = double(scores.size());
        out.micro.ndcg_10 += one.ndcg_10 / n;
        out.micro.recall_5 += one.recall_5 / n;
        out.micro.recall_10 += one.recall_10 / n;
        out.micro.session_5 += one.session_5 / n;
        out.micro.session_10 += one.session_10 / n;
        auto& [sum, count] = categories[one.category];
        sum += one.ndcg_10;
        ++count;
    }
    for (const auto& [category, sums] : categories) {
        out.by_category[category] = sums.first / double(sums.second);
        out.ndcg_10 += out.by_category[category] / double(categories.size());
    }
    return out;
}

}  // namespace memory::locomo
