// Variables of one program: they go past the launcher and reach nothing else.
#include <unistd.h>

#include <cerrno>
#include <set>
#include <thread>

#include "in_house.h"

namespace attacks {
namespace {

class Environment : public InHouse, public testing::WithParamInterface<Way> {
protected:
    Environment() : InHouse(GetParam()) {}
    static base::SecretValue packed(std::string words) { return base::SecretValue::take(words); }
    Outcome bash_with(const std::string& script, const base::SecretValue& environment) {
        Command command;
        command.argv = {"bash", "-c", script};
        command.workspace = workspace_.get();
        command.environment = &environment;
        return inside(std::move(command));
    }
};
INSTANTIATE_TEST_SUITE_P(InASandbox, Environment, testing::Values(Way::made, Way::ready), [](const auto& info) { return name(info.param); });

TEST_P(Environment, IsTheProgramsAlone) {
    const auto environment = packed(std::string("TOKEN=canary-for-one\0MODE=a=b c\0HOME=/mine\0", 43));
    EXPECT_EQ(bash_with("echo $TOKEN,$MODE,$HOME,$TMPDIR", environment).output, "canary-for-one,a=b c,/mine,/tmp\n");
    EXPECT_EQ(bash_with("cat /proc/1/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -c c[a]nary", environment).output, "0\n");
    EXPECT_EQ(bash_with("ls /proc/self/fd | tr '\\n' ' '", environment).output, "0 1 2 3 ") << "3: the folder that ls reads";
    EXPECT_THAT(bash_inside("env").output, Not(HasSubstr("canary")));
}

// What of a process another one may read: its arguments and its environment, and for root its memory.
struct Seen {
    int processes = 0, refused = 0;    // looked at; whose memory may not be read
    std::vector<std::string> holders;  // what holds the text, as "PID FILE"
};

bool holds_in_memory(const fs::path& process, const std::string& text) {
    std::ifstream maps(process / "maps"), memory(process / "mem", std::ios::binary);
    for (std::string line; std::getline(maps, line);) {
        unsigned long from = 0, to = 0;
        char mode[5] = "";
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
        std::string bytes(to - from, '\0');
        memory.clear();
        memory.seekg(std::streamoff(from));
        memory.read(bytes.data(), std::streamsize(bytes.size()));
        if (bytes.find(text) != bytes.npos) return true;
    }
    return false;
}

// Of the processes below this one.
Seen look_for(const std::string& text) {
    Seen out;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string pid = entry.path().filename();
        if (pid.find_first_not_of("0123456789") != pid.npos || std::stoi(pid) == getpid()) continue;
        int above = std::stoi(pid);
        for (int steps = 0; above > 1 && above != getpid() && steps < 20; ++steps) {
            std::ifstream stat("/proc/" + std::to_string(above) + "/stat");
            std::string line;
            std::getline(stat, line);
            const auto end = line.rfind(')');
            above = end == line.npos ? 0 : std::atoi(line.c_str() + end + 4);
        }
        if (above != getpid()) continue;
        ++out.processes;
        for (const char* file : {"environ", "cmdline"}) {
            std::ifstream in(entry.path() / file);
            if (std::string(std::istreambuf_iterator<char>(in), {}).find(text) != std::string::npos) out.holders.push_back(pid + " " + file);
        }
        const int memory = open((entry.path() / "mem").c_str(), O_RDONLY);
        out.refused += memory < 0 && (errno == EACCES || errno == EPERM);
        if (memory >= 0) close(memory);
        if (holds_in_memory(entry.path(), text)) out.holders.push_back(pid + " mem");
    }
    return out;
}

TEST_P(Environment, PassesTheLauncherUnseen) {
    const std::string canary = "canary-that-passes-7731";
    const auto environment = packed("TOKEN=" + canary + std::string(1, '\0'));
    Seen seen;
    std::jthread look([&] {
        for (int i = 0; i < 1000 && !fs::exists(dir_.path() / "begun"); ++i) std::this_thread::sleep_for(10ms);
        seen = look_for(canary);
        put(dir_.path() / "seen", "");
    });
    // A shell of one process, without children that would inherit it.
    const Outcome out = bash_with("echo > begun; until [ -e seen ]; do :; done", environment);
    look.join();
    EXPECT_EQ(out.exit_code, 0) << out.output;
    EXPECT_GE(seen.processes, 3) << "launcher, bubblewrap and the program at least";
    std::set<std::string> holders;
    for (const auto& one : seen.holders) {
        EXPECT_THAT(one, Not(HasSubstr("cmdline")));
        holders.insert(one.substr(0, one.find(' ')));
    }
    EXPECT_LE(holders.size(), 1u) << testing::PrintToString(seen.holders);
    if (seen.refused > 0) GTEST_SKIP() << "the memory of " << seen.refused << " processes may not be read here";
    EXPECT_EQ(holders.size(), 1u) << "the program itself, else this looks at nothing";
}

}  // namespace
}  // namespace attacks
