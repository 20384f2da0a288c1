// Attacks by programs. Each first runs unsandboxed and must succeed, which proves that it is real; then it
// runs at level T2 and must fail, in a sandbox made for the call and in one that was ready before.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <algorithm>
#include <thread>

#include "in_house.h"

namespace attacks {
namespace {

class Attacks : public InHouse, public testing::WithParamInterface<Way> {
protected:
    Attacks() : InHouse(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(InASandbox, Attacks, testing::Values(Way::made, Way::ready), [](const auto& info) { return name(info.param); });

// 7: environment, memory, roots and folders of other processes.
TEST_P(Attacks, ProcShowsNoSecrets) {
    const std::string script = "cat /proc/[0-9]*/environ /proc/self/environ " + (house().dir.path() / "secret").string() +
                               " /proc/[0-9]*/root" + (house().dir.path() / "secret").string() + " /proc/[0-9]*/fd/* 2>/dev/null </dev/null | tr '\\0' '\\n' & sleep 2; kill %1";
    EXPECT_THAT(bash_plain(script).output, HasSubstr(kSecret));
    const std::string seen = bash_inside(script).output;
    EXPECT_THAT(seen, Not(HasSubstr(kSecret)));
    // What this process was started with, as /proc/1/environ would show it if the launcher kept it.
    std::ifstream own("/proc/self/environ");
    for (std::string entry; std::getline(own, entry, '\0');) {
        const std::string key = entry.substr(0, entry.find('='));
        const bool shared = key == "PATH" || key == "HOME" || key == "LANG" || key == "TERM" || key == "PWD" || key == "SHLVL" || key == "_" || key == "OLDPWD";
        if (!shared && entry.size() > 8) {
            EXPECT_THAT(seen, Not(HasSubstr(entry)));
        }
    }
    EXPECT_THAT(bash_inside("readlink /proc/1/cwd /proc/1/root /proc/1/exe; head -c1 /proc/1/mem; ls /proc/1/fd 2>&1").output, Not(HasSubstr(house().dir.path().string())));
}

// 8
TEST_P(Attacks, DescriptorsAreNotInherited) {
    const std::string script = "cat <&" + std::to_string(house().leaked) + "; ls /proc/$$/fd | tr '\\n' ' '";
    EXPECT_THAT(bash_plain(script).output, HasSubstr(kSecret));
    lseek(house().leaked, 0, SEEK_SET);
    EXPECT_THAT(bash_inside(script).output, Not(HasSubstr(kSecret)));
    EXPECT_EQ(inside({"ls", "/proc/self/fd"}).output, "0\n1\n2\n3\n");  // 3: the folder that ls reads
}

// 9
TEST_P(Attacks, ForkBomb) {
    const std::string bomb = "for i in $(seq 300); do sleep 3 & done 2>/dev/null; jobs -p | wc -l; kill $(jobs -p)";
    EXPECT_THAT(bash_plain(bomb).output, HasSubstr("300\n"));
    sandbox::Limits limits;
    limits.processes = 40;
    limits.wall = 5000ms;
    const Outcome out = bash_inside("for i in $(seq 300); do sleep 30 & done; wait", limits);
    EXPECT_THAT(out.output, HasSubstr("fork"));
    EXPECT_EQ(bash_inside("for i in $(seq 20); do sleep 0.1 & done; wait; echo fine", limits).output, "fine\n");
}

// 10
TEST_P(Attacks, MemoryAndTmpfsBombs) {
    NEEDS_PYTHON();
    const std::string eat = "x=bytearray(600<<20)\nfor i in range(0,len(x),4096): x[i]=1\nprint('ate it')";
    EXPECT_THAT(python_plain(eat).output, HasSubstr("ate it"));
    sandbox::Limits limits;
    limits.memory_bytes = 128 << 20;
    limits.tmp_bytes = 8 << 20;
    const Outcome eaten = python_inside(eat, limits);
    EXPECT_NE(eaten.exit_code, 0);
    EXPECT_THAT(eaten.output, Not(HasSubstr("ate it")));
    EXPECT_TRUE(bash_plain("head -c 20M /dev/zero > fill && rm fill").exit_code == 0);
    EXPECT_NE(bash_inside("head -c 20M /dev/zero > /tmp/fill", limits).exit_code, 0);
    EXPECT_EQ(bash_inside("echo alive", limits).output, "alive\n") << "the launcher must survive";
}

std::uint64_t resident_kib() {
    std::ifstream in("/proc/self/status");
    for (std::string word; in >> word;)
        if (word == "VmRSS:") return in >> word, std::stoull(word);
    return 0;
}

// 12
TEST_P(Attacks, FloodsOfOutput) {
    EXPECT_THAT(bash_plain("yes | head -c 300M | wc -c").output, HasSubstr("314572800\n"));
    sandbox::Limits limits;
    limits.output_bytes = 64 << 10;
    limits.drain_bytes = 64 << 20;
    const std::uint64_t before = resident_kib();
    for (const char* script : {"yes", "head -c 1G /dev/zero", "printf '\\xff\\xfe'; yes \"$(printf '\\xff')\""}) {
        const Outcome out = bash_inside(script, limits);
        EXPECT_TRUE(out.output_cut) << script;
        EXPECT_FALSE(out.timed_out) << script;
        EXPECT_LE(out.output.size(), limits.output_bytes + 300) << script;
        EXPECT_GT(out.output_bytes, limits.output_bytes) << script;
        EXPECT_LT(out.output_bytes, 8 * limits.drain_bytes) << script;  // by what a busy machine takes to kill it
    }
    EXPECT_LT(resident_kib(), before + 8192);
}

// Processes of this machine whose command line holds `token`.
std::vector<pid_t> processes_named(const std::string& token) {
    std::vector<pid_t> out;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) continue;
        std::ifstream in(entry.path() / "cmdline");
        std::string line;
        std::getline(in, line, '\n');  // the process may end meanwhile: then it fails
        if (line.find(token) != std::string::npos) out.push_back(std::stoi(name));
    }
    return out;
}

// 13
TEST_P(Attacks, EscapedChildrenDieWithTheProgram) {
    const std::string token = "98765" + std::to_string(getpid());
    const std::string script = "trap '' TERM HUP; for i in $(seq 500); do (setsid bash -c 'trap \"\" TERM HUP; exec sleep " + token + "' >/dev/null 2>&1 &) & done; ";
    const auto all_there = [&] { return processes_named(token).size() > 450; };
    bash_plain(script + "until [ $(pgrep -fc " + token + ") -gt 450 ]; do sleep 0.1; done; kill -9 $$", 120s);
    const auto survivors = processes_named(token);
    EXPECT_GT(survivors.size(), 400u) << "killing the shell was expected not to be enough";
    for (pid_t pid : survivors) kill(pid, SIGKILL);
    while (!processes_named(token).empty()) std::this_thread::sleep_for(10ms);

    Command command;
    command.argv = {"bash", "-c", script + "sleep 300"};
    command.workspace = workspace_.get();
    command.limits.processes = 1200;
    command.limits.wall = 300s;
    base::StopSource source;
    std::thread stopper([&] {
        const auto until = std::chrono::steady_clock::now() + 120s;
        while (!all_there() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
        EXPECT_TRUE(all_there());
        source.request_stop();
    });
    const Outcome out = inside(command, source.token());
    EXPECT_TRUE(processes_named(token).empty()) << "the run has returned, and none may be left";
    stopper.join();
    EXPECT_TRUE(out.cancelled) << "the stop ended it, not its time";
    EXPECT_EQ(bash_inside(script + "exit 3", command.limits).exit_code, 3);
    EXPECT_TRUE(processes_named(token).empty()) << "an early end must leave nothing either";
}

// 14
TEST_P(Attacks, DeadlineIsHonouredWhateverTheProgramDoes) {
    sandbox::Limits limits;
    limits.wall = 400ms;
    for (const char* script : {"while :; do :; done", "kill -STOP $$", "exec >&- 2>&-; sleep 60", "trap '' INT TERM HUP; sleep 60; sleep 60"}) {
        EXPECT_THAT(bash_plain(std::string(script) + "; echo done", 800ms).output, Not(HasSubstr("done"))) << script;
        const Outcome out = bash_inside(script, limits);
        EXPECT_LT(took_, 1500ms) << script;
        EXPECT_TRUE(out.timed_out) << script;
    }
    limits.wall = 30s;
    EXPECT_FALSE(bash_inside("cat", limits).timed_out) << "standard input is at its end";
}

// 15
TEST_P(Attacks, TerminalCannotBeTypedInto) {
    NEEDS_PYTHON();
    std::ifstream knob("/proc/sys/dev/tty/legacy_tiocsti");
    int legacy = 1;
    knob >> legacy;
    const std::string type = "import fcntl,termios,sys\nfor req in (termios.TIOCSTI,0x541C):\n  try: fcntl.ioctl(0,req,b'x'); print('typed')\n  except OSError as e: print(e.errno)";
    const std::string in_terminal = "import pty,os\npid,fd=pty.fork()\nif pid==0: os.execv('/usr/bin/python3',['python3','-I','-c',\"\"\"" + type + "\"\"\"])\nout=b''\nwhile 1:\n  try: d=os.read(fd,1000)\n  except OSError: break\n  if not d: break\n  out+=d\nprint(out.decode())";
    if (legacy) {
        EXPECT_THAT(python_plain(in_terminal).output, HasSubstr("typed"));
    }
    EXPECT_EQ(python_inside(type).output, "1\n1\n");  // EPERM
}

// 16
TEST_P(Attacks, OtherProcessesCannotBeReadOrTraced) {
    NEEDS_PYTHON();
    const std::string script = R"(
import ctypes,os,signal
libc=ctypes.CDLL(None,use_errno=True)
class iov(ctypes.Structure): _fields_=[('b',ctypes.c_void_p),('n',ctypes.c_size_t)]
data=ctypes.create_string_buffer(b'victim'); here=ctypes.create_string_buffer(6)
pid=os.fork()
if pid==0: signal.pause()
def say(name,r): print(name,'OK' if r>=0 else ctypes.get_errno())
say('readv',libc.process_vm_readv(pid,ctypes.byref(iov(ctypes.addressof(here),6)),1,ctypes.byref(iov(ctypes.addressof(data),6)),1,0))
say('pidfd_getfd',libc.syscall(438,os.pidfd_open(pid),0,0))
say('ptrace',libc.ptrace(16,pid,0,0))
os.kill(pid,9)
)";
    EXPECT_EQ(python_plain(script).output, "readv OK\npidfd_getfd OK\nptrace OK\n");
    EXPECT_EQ(python_inside(script).output, "readv 1\npidfd_getfd 1\nptrace 1\n");
}

int listener(const std::string& name, bool abstract) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), where.sun_path + (abstract ? 1 : 0));
    const auto size = socklen_t(offsetof(sockaddr_un, sun_path) + name.size() + 1);  // with the NUL before or after
    if (bind(fd, reinterpret_cast<sockaddr*>(&where), size) != 0 || listen(fd, 4) != 0) ADD_FAILURE() << "cannot listen on " << name;
    return fd;
}

// 17: as docker.sock or D-Bus would be.
TEST_P(Attacks, LocalSocketsAreOutOfReach) {
    NEEDS_PYTHON();
    const std::string name = "hearth-test-" + std::to_string(getpid()), path = (dir_.path() / "docker.sock").string();
    const int one = listener(name, true), two = listener(path, false);
    const std::string script = "import socket\ndef t(*names):\n  for a in names:\n    try:\n      s=socket.socket(socket.AF_UNIX); s.connect(a); return 'in'\n    except OSError: pass\n  return 'out'\nprint(t('\\0" + name + "'),t('" + path + "'))";
    EXPECT_EQ(python_plain(script).output, "in in\n");
    EXPECT_EQ(python_inside(script).output, "out out\n");
    close(one), close(two);
}

// 18: one each, since a machine may lack some.
struct Door {
    const char* name;
    const char* open;  // Python, a number below zero when it stays shut
};
class Doors : public InHouse, public testing::WithParamInterface<std::tuple<Way, Door>> {
protected:
    Doors() : InHouse(std::get<0>(GetParam())) {}
};

TEST_P(Doors, AreShut) {
    NEEDS_PYTHON();
    const std::string script = std::string("import ctypes\nlibc=ctypes.CDLL(None,use_errno=True)\nr=") + std::get<1>(GetParam()).open + "\nprint('open' if r>=0 else ctypes.get_errno())";
    EXPECT_EQ(python_inside(script).output, "1\n");  // EPERM
    const std::string plain = python_plain(script).output;
    if (plain != "open\n") GTEST_SKIP() << "shut inside, but not shown to be real: this machine answers it with error " << plain;
}

INSTANTIATE_TEST_SUITE_P(Attacks, Doors,
                         testing::Combine(testing::Values(Way::made, Way::ready), testing::Values(Door{"inet", "libc.socket(2,1,0)"}, Door{"inet6", "libc.socket(10,2,0)"}, Door{"netlink", "libc.socket(16,3,0)"},
                                         Door{"packet", "libc.socket(17,3,0)"}, Door{"alg", "libc.socket(38,5,0)"}, Door{"vsock", "libc.socket(40,1,0)"},
                                         Door{"local", "libc.socket(1,1,0)"},
                                         Door{"io_uring", "libc.syscall(425,4,ctypes.create_string_buffer(120))"})),
                         [](const auto& info) { return std::string(std::get<1>(info.param).name) + "_" + name(std::get<0>(info.param)); });

#ifdef __x86_64__
// Calls by another architecture's numbers would pass a filter that knows only its own.
TEST_P(Attacks, CallsOfForeignArchitecturesKill) {
    NEEDS_PYTHON();
    const std::string i386 = "import ctypes,mmap\nm=mmap.mmap(-1,4096,prot=7)\nm.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')\n"  // mov eax, getpid; int 0x80; ret
                             "f=ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\nprint('pid' if f()>0 else 'none')";
    const std::string x32 = "import ctypes\nprint('pid' if ctypes.CDLL(None).syscall(0x40000000+39)>0 else 'none')";
    for (const std::string& script : {i386, x32}) {
        const Outcome out = python_inside(script);
        EXPECT_EQ(out.exit_code, 128 + SIGSYS) << out.output;
        EXPECT_EQ(out.output, "");
    }
    EXPECT_EQ(python_inside("import ctypes\nprint('pid' if ctypes.CDLL(None).syscall(39)>0 else 'none')").output, "pid\n") << "its own numbers work";
    if (const std::string plain = python_plain(i386).output; plain != "pid\n") GTEST_SKIP() << "killed inside, but not shown to be real: int 0x80 outside says " << plain;
}
#endif

// 21
TEST_P(Attacks, NoPrivilegeIsGained) {
    const std::string script = "unshare -Ur true 2>/dev/null && echo namespace; grep -E '^(CapEff|CapPrm|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'";
    const std::string plain = bash_plain(script).output;
    EXPECT_THAT(plain, HasSubstr("namespace"));
    EXPECT_THAT(plain, HasSubstr("NoNewPrivs:0"));
    EXPECT_EQ(bash_inside(script).output, "CapPrm:0000000000000000\nCapEff:0000000000000000\nCapBnd:0000000000000000\nCapAmb:0000000000000000\nNoNewPrivs:1\nSeccomp:2\n");
    EXPECT_NE(bash_inside("id -u").output, "0\n");
    // Written with the value that they have, so that a success changes nothing.
    const std::string knobs = "for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/panic /proc/sys/vm/overcommit_memory; do v=$(cat $f) && echo \"$v\" > $f && echo wrote $f; done 2>/dev/null; true";
    if (geteuid() == 0) {
        EXPECT_THAT(bash_plain(knobs).output, HasSubstr("wrote /proc/sys/kernel/core_pattern"));
    }
    EXPECT_EQ(bash_inside(knobs).output, "");
    EXPECT_EQ(run_plain({"unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /tmp && echo mounted; /usr/sbin/chroot / true && echo rooted"}, "/").output,
              "mounted\nrooted\n");
    EXPECT_EQ(bash_inside("exec 2>/dev/null; mount -t tmpfs none /tmp || umount /proc || umount /usr || /usr/sbin/chroot / true || touch /usr/x || touch /x || touch /dev/x || echo none").output, "none\n");
}

// 21: programs that give whoever runs them more rights.
TEST_P(Attacks, NoRightsComeWithAFile) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can make such files";
    ASSERT_EQ(chown(dir_.path().c_str(), 12345, 12345), 0);
    fs::copy_file("/usr/bin/id", dir_.path() / "suid");
    fs::copy_file("/usr/bin/grep", dir_.path() / "caps");
    chmod((dir_.path() / "suid").c_str(), 06755);
    const std::uint32_t one[5] = {0x02000001, 1, 0, 0, 0};  // version 2, effective; permitted: CAP_CHOWN
    ASSERT_EQ(setxattr((dir_.path() / "caps").c_str(), "security.capability", one, sizeof one, 0), 0);
    const std::string script = "./suid -u; ./suid -g; ./caps CapEff /proc/self/status";
    const std::string plain = run_plain({"setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "sh", "-c", script}, dir_.path()).output;
    EXPECT_THAT(plain, testing::StartsWith("0\n0\nCapEff:")) << "is " << dir_.path() << " mounted nosuid?";
    EXPECT_THAT(plain, Not(HasSubstr("CapEff:\t0000000000000000")));
    EXPECT_EQ(bash_inside(script).output, "65534\n65534\nCapEff:\t0000000000000000\n");
}

// 4
TEST_P(Attacks, HardLinksReachNothingOutside) {
    const std::string secret = (house().dir.path() / "secret").string(), script = "ln " + secret + " same && cat same; ln /etc/passwd own && cat own";
    EXPECT_THAT(bash_plain(script).output, HasSubstr(kSecret));
    fs::remove(dir_.path() / "same"), fs::remove(dir_.path() / "own");
    const std::string seen = bash_inside("{ " + script + "; } 2>/dev/null; ls same own 2>/dev/null").output;
    EXPECT_EQ(seen, "") << "no link, no file";
}

const char kPlant[] = R"sh(
plant() { mkdir -p "$(dirname "$1")" && printf '%s' "$2" > "$1" && chmod +x "$1"; } 2>/dev/null
evil="touch $PWD/executed"
mv .git .old 2>/dev/null && cp -r .old .git
plant .git/hooks/pre-commit "#!/bin/sh
$evil"
plant .git/hooks/post-index-change "#!/bin/sh
$evil"
git config core.fsmonitor "$evil;false" 2>/dev/null
printf '[core]\n\tfsmonitor = "%s;false"\n' "$evil" >> .git/config
mkdir common; cp -r .old/. common 2>/dev/null || cp -r .git/. common; printf '[core]\n\tfsmonitor = "%s;false"\n' "$evil" >> common/config
echo ../common > .git/commondir
plant .bashrc "$evil"; plant .profile "$evil"; plant .mcp.json "{}"; plant hearth.yaml "x: 1"
true)sh";

// 22: a program leaves things that a program outside runs later.
TEST_P(Attacks, NothingIsLeftForOthersToRun) {
    if (run_plain({"git", "--version"}, "/").exit_code != 0) GTEST_SKIP() << "git is not installed";
    const std::string init = "unset LD_PRELOAD BASH_ENV; git init -q . && git config user.email a@b && git config user.name n && rm -rf .git/hooks && mkdir .git/hooks && echo 1 > f && git add f && git commit -qm one";
    const std::string host = "echo 2 > f; git status >/dev/null 2>&1; git add f; git commit -qm two >/dev/null 2>&1; HOME=$PWD bash -ic true 2>/dev/null; ls executed 2>/dev/null; true";
    support::TempDir open_house;
    ASSERT_EQ(run_plain({"bash", "-c", init}, open_house.path()).exit_code, 0);
    run_plain({"bash", "-c", kPlant}, open_house.path());
    EXPECT_THAT(run_plain({"bash", "-c", host}, open_house.path()).output, HasSubstr("executed"));

    ASSERT_EQ(bash_plain(init).exit_code, 0);
    bash_inside(kPlant);
    for (const char* name : {".bashrc", ".profile", ".mcp.json", "hearth.yaml", ".git/commondir", ".git/hooks/pre-commit"})
        EXPECT_FALSE(fs::exists(dir_.path() / name)) << name;
    EXPECT_THAT(bash_plain(host).output, Not(HasSubstr("executed")));
    EXPECT_EQ(bash_inside("echo work > made && mkdir -p d && echo ok").output, "ok\n") << "ordinary files must be writable";
    EXPECT_EQ(support::read_text(dir_.path() / "made"), "work\n");
}

// 23: what the server's environment holds does not reach programs.
TEST_P(Attacks, EnvironmentIsAnAllowList) {
    EXPECT_THAT(bash_plain("env").output, HasSubstr("poisoned"));  // by BASH_ENV
    const std::string seen = bash_inside("env").output;
    EXPECT_THAT(seen, Not(HasSubstr("poisoned")));
    std::istringstream lines(seen);
    for (std::string line; std::getline(lines, line);)
        EXPECT_THAT(line.substr(0, line.find('=')), testing::AnyOf("PATH", "HOME", "LANG", "TERM", "PWD", "OLDPWD", "SHLVL", "_", "TMPDIR")) << line;
}

// 1, 6: a program swaps a folder for a link to the outside while its own mounts are in force.
TEST_P(Attacks, LinksLeadNowhereInside) {
    const std::string script = "ln -s " + house().dir.path().string() + " up; cat up/secret 2>&1; ls / ";
    EXPECT_THAT(bash_plain(script).output, HasSubstr(kSecret));
    fs::remove(dir_.path() / "up");
    const std::string seen = bash_inside(script).output;
    EXPECT_THAT(seen, Not(HasSubstr(kSecret)));
    EXPECT_THAT(seen, Not(HasSubstr("root\n")));
}

}  // namespace
}  // namespace attacks
