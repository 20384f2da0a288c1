#include "text/schema_formats.h"

namespace text {
namespace {

// A part of a pattern, as it is written and for all texts.
const char* either(bool all, const char* written, const char* wide) { return all ? wide : written; }

std::string date(bool all) {
    const std::string year = either(all, R"([1-9]\d{3})", R"(\d{4})"), leap_century = either(all, R"([1-9]\d)", R"(\d\d)"), century = either(all, "[2468]", "[02468]");
    return "(?:" + year + R"(-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8])))"
           "|(?:" + leap_century + R"((?:0[48]|[2468][048]|[13579][26])|(?:)" + century + "[048]|[13579][26])00)-02-29)";
}

std::string time_of_day(bool all) {
    const std::string seconds = either(all, R"([0-5]\d)", R"((?:[0-5]\d|60))"), fraction = either(all, R"(\d{1,9})", R"(\d+)"), zulu = either(all, "Z", "[Zz]");
    return R"((?:[01]\d|2[0-3]):[0-5]\d:)" + seconds + R"((?:\.)" + fraction + ")?(?:" + zulu + R"(|[+-](?:[01]\d|2[0-3]):[0-5]\d))";
}

std::string duration(bool all) {
    const std::string n = either(all, R"(\d{1,9})", R"(\d+)");
    const std::string days = "(?:" + n + "Y(?:" + n + "M(?:" + n + "D)?)?|" + n + "M(?:" + n + "D)?|" + n + "D)";
    const std::string hours = "T(?:" + n + "H(?:" + n + "M(?:" + n + "S)?)?|" + n + "M(?:" + n + "S)?|" + n + "S)";
    return "P(?:" + days + "(?:" + hours + ")?|" + hours + "|" + n + "W)";
}

const std::string octet = R"((?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))";
const std::string ipv4 = "(?:" + octet + R"(\.){3})" + octet;
const std::string h16 = "[0-9a-fA-F]{1,4}";

std::string ipv6(bool all) {  // one "::" stands for the groups that are left out
    std::string out = "(?:" + h16 + ":){7}" + h16 + "|(?:" + h16 + ":){1,7}:|:(?:(?::" + h16 + "){1,7}|:)";
    for (int before = 1; before <= 6; ++before)
        out += "|(?:" + h16 + ":){1," + std::to_string(before) + "}(?::" + h16 + "){1," + std::to_string(7 - before) + "}";
    if (!all) return out;
    out += "|(?:" + h16 + ":){6}" + ipv4;
    for (int before = 0; before <= 5; ++before) {
        const std::string head = before == 0 ? "" : "(?:" + h16 + ":){0," + std::to_string(before - 1) + "}" + h16;
        out += "|" + head + "::(?:" + h16 + ":){0," + std::to_string(5 - before) + "}" + ipv4;
    }
    return out;
}

// As it is written: labels of at most 59 characters, four of them at most, within the 63 and 253 that are allowed.
std::string hostname(bool all) {
    if (all) return R"([a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*)";
    const std::string label = "[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,29}";
    return label + R"((?:\.)" + label + "){0,3}";
}

std::string email(bool all) {
    const std::string atom = R"([a-zA-Z0-9!#$%&'*+/=?^_`{|}~-])";
    if (all) return "(?:" + atom + R"(+(?:\.)" + atom + R"(+)*|"(?:[^"\\\r\n]|\\[^\r\n])*")@(?:)" + hostname(all) + R"(|\[[0-9a-zA-Z:.-]+\]))";
    return atom + R"((?:\.?)" + atom + "){0,31}@" + hostname(all);
}

std::string uri(bool all) {
    const std::string hex = "%[0-9a-fA-F]{2}", plain = R"([a-zA-Z0-9._~!$&'()*+,;=-])";
    const std::string character = R"((?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|)" + hex + ")", rest = "(?:/" + character + "*)*";
    const std::string name = "(?:" + plain + "|" + hex + ")*", host = all ? "(?:" + name + R"(|\[[0-9a-zA-Z:._~!$&'()*+,;=-]+\]))" : name;
    const std::string authority = "(?:(?:" + plain + "|:|" + hex + ")*@)?" + host + "(?::[0-9]" + either(all, "{0,5}", "*") + ")?";
    const std::string tail = "(?:" + character + "|[/?])*";
    return "[a-zA-Z][a-zA-Z0-9+.-]*:(?://" + authority + rest + "|/(?:" + character + "+" + rest + ")?|" + character + "+" + rest + either(all, "", "|") + R"()(?:\?)" + tail + ")?(?:#" + tail + ")?";
}

}  // namespace

std::string pattern_of_format(std::string_view format, FormatTexts which) {
    const bool all = which == FormatTexts::all;
    const auto whole = [](const std::string& body) { return "^(?:" + body + ")$"; };
    if (format == "date") return whole(date(all));
    if (format == "time") return whole(time_of_day(all));
    if (format == "date-time") return "^" + date(all) + either(all, "T", "[Tt]") + time_of_day(all) + "$";
    if (format == "duration") return whole(duration(all));
    if (format == "uuid") return whole("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}");
    if (format == "ipv4") return whole(ipv4);
    if (format == "ipv6") return whole(ipv6(all));
    if (format == "hostname") return whole(hostname(all));
    if (format == "email") return whole(email(all));
    if (format == "uri") return whole(uri(all));
    if (format == "json-pointer") return "^(?:/(?:[^~/]|~[01])*)*$";
    return "";
}

}  // namespace text
