// What sysfs and procfs say of a machine: trees as a Jetson, a laptop and a plain PC have them.
#include "engine/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/available_memory.h"
#include "engine/load_times.h"
#include "support/fixtures.h"

namespace fs = std::filesystem;
using testing::HasSubstr;

namespace {

class Tree {
public:
    void put(const std::string& path, const std::string& text) {
        fs::create_directories((root() / path).parent_path());
        std::ofstream(root() / path) << text << '\n';
    }
    void zone(int n, const std::string& type, int celsius, const std::string& point, int limit) {
        const std::string zone = "sys/class/thermal/thermal_zone" + std::to_string(n) + "/";
        put(zone + "type", type);
        put(zone + "temp", std::to_string(celsius * 1000));
        put(zone + "trip_point_0_type", "passive");
        put(zone + "trip_point_0_temp", "30000");
        put(zone + "trip_point_1_type", point);
        put(zone + "trip_point_1_temp", std::to_string(limit * 1000));
    }
    const fs::path& root() const { return folder_.path(); }

private:
    support::TempDir folder_;
};

base::Probe probe(const fs::path& root, const std::string& name) {
    for (const auto& one : engine::machine_probes(root))
        if (one.name == name) return one;
    return {};
}

constexpr std::uint64_t kMiB = 1 << 20;

}  // namespace

TEST(Machine, OfAJetson) {
    Tree t;
    t.put("proc/device-tree/model", std::string("NVIDIA Jetson AGX Orin Developer Kit") + '\0');
    t.put("var/lib/nvpmodel/status", "pmode:0002");
    t.put("etc/nvpmodel.conf", "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=2 NAME=MODE_30W >");
    t.zone(0, "CPU-therm", 61, "critical", 105);
    t.zone(1, "GPU-therm", 70, "hot", 97);
    t.put("sys/class/hwmon/hwmon3/power1_input", "14200000");
    const auto m = engine::read_machine(t.root());
    EXPECT_EQ(m.board, "NVIDIA Jetson AGX Orin Developer Kit");
    EXPECT_EQ(m.power_mode, "MODE_30W");
    EXPECT_FALSE(m.mains);
    EXPECT_NEAR(m.watts.value_or(0), 14.2, 1e-9);
    EXPECT_EQ(probe(t.root(), "heat").found, "GPU-therm 70 °C, kept below 97 °C");
    EXPECT_EQ(probe(t.root(), "heat").health, base::Health::ok);
    t.zone(0, "CPU-therm", 101, "critical", 105);
    EXPECT_EQ(probe(t.root(), "heat").found, "CPU-therm 101 °C, kept below 100 °C");
    EXPECT_EQ(probe(t.root(), "heat").health, base::Health::warning);
}

TEST(Machine, OfALaptopOnItsBattery) {
    Tree t;
    t.put("sys/class/dmi/id/sys_vendor", "LENOVO");
    t.put("sys/class/dmi/id/product_name", "21CB");
    t.put("sys/firmware/acpi/platform_profile", "low-power");
    t.put("sys/class/power_supply/AC/type", "Mains");
    t.put("sys/class/power_supply/AC/online", "0");
    t.put("sys/class/power_supply/BAT0/type", "Battery");
    t.put("sys/class/power_supply/BAT0/status", "Discharging");
    t.put("sys/class/power_supply/BAT0/capacity", "17");
    t.put("sys/class/power_supply/BAT0/power_now", "9100000");
    t.put("sys/class/power_supply/mouse/type", "Battery");
    t.put("sys/class/power_supply/mouse/scope", "Device");
    t.put("sys/class/power_supply/mouse/capacity", "99");
    const std::string cpu = "sys/devices/system/cpu/cpufreq/policy0/";
    t.put(cpu + "scaling_governor", "powersave");
    t.put(cpu + "scaling_cur_freq", "1100000");
    t.put(cpu + "scaling_max_freq", "1400000");
    t.put(cpu + "cpuinfo_max_freq", "4700000");
    EXPECT_EQ(probe(t.root(), "board").found, "LENOVO 21CB");
    EXPECT_EQ(probe(t.root(), "power").found, "from the battery, battery at 17 %, 9.1 W, mode low-power");
    EXPECT_EQ(probe(t.root(), "power").health, base::Health::warning);
    EXPECT_EQ(probe(t.root(), "processor clock").found, "1.10 of 4.70 GHz, governor powersave, held to 1.40 GHz");
    EXPECT_EQ(probe(t.root(), "processor clock").health, base::Health::warning);
    t.put("sys/class/power_supply/AC/online", "1");
    EXPECT_EQ(probe(t.root(), "power").health, base::Health::ok);
}

TEST(Machine, WhatIsNotThereIsUnknown) {
    Tree t;
    for (const auto& one : engine::machine_probes(t.root())) EXPECT_EQ(one.health, base::Health::unknown) << one.name << ": " << one.found;
    t.put("sys/class/thermal/thermal_zone0/type", "acpitz");  // a zone without a limit that means anything
    t.put("sys/class/thermal/thermal_zone0/temp", "27800");
    EXPECT_EQ(probe(t.root(), "heat").health, base::Health::unknown);
    t.zone(1, "broken", 50, "critical", 20);
    t.zone(2, "silent", 50, "critical", 100);
    t.put("sys/class/thermal/thermal_zone2/temp", "");
    EXPECT_EQ(engine::HeatSensors(t.root()).hottest().limit, 0);
}

TEST(HeatGuard, IsHotFromItsLimitUntilThreeDegreesBelow) {
    double celsius = 94;
    int told = 0;
    engine::HeatGuard guard([&] { return engine::Heat{"cpu", celsius, 95}; }, [&](const engine::Heat&, bool) { ++told; });
    std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
    const auto look = [&](double at) { return celsius = at, guard.look(now += std::chrono::seconds(1)); };
    EXPECT_FALSE(look(94));
    EXPECT_TRUE(look(95));
    EXPECT_TRUE(look(93));
    EXPECT_FALSE(look(91.9));
    EXPECT_FALSE(look(94));
    EXPECT_EQ(told, 2);
    EXPECT_TRUE(look(99));
    celsius = 20;
    EXPECT_TRUE(guard.look(now + std::chrono::milliseconds(900))) << "it looks once a second";
    EXPECT_EQ(engine::HeatGuard::rest_after(std::chrono::milliseconds(100)), std::chrono::milliseconds(300));
    EXPECT_EQ(engine::HeatGuard::rest_after(std::chrono::seconds(10)), std::chrono::seconds(2));
    engine::HeatGuard unknown([] { return engine::Heat{}; }, {});
    EXPECT_FALSE(unknown.look(now));
}

TEST(FreeMemory, IsWhatMachineAndControlGroupsLeave) {
    Tree t;
    const auto left = [&] { return engine::free_memory(t.root().string()); };
    EXPECT_EQ(left(), UINT64_MAX);
    t.put("proc/meminfo", "MemTotal:       8000000 kB\nMemAvailable:    4096000 kB");
    EXPECT_EQ(left(), 4000 * kMiB);
    t.put("proc/self/cgroup", "0::/system.slice/hearth.service");
    const std::string slice = "sys/fs/cgroup/system.slice/", own = slice + "hearth.service/";
    t.put(own + "memory.max", "max");
    t.put(own + "memory.current", "123456");
    EXPECT_EQ(left(), 4000 * kMiB);
    t.put(slice + "memory.max", std::to_string(2000 * kMiB));
    t.put(slice + "memory.current", std::to_string(1500 * kMiB));
    EXPECT_EQ(left(), 500 * kMiB) << "of the group around it";
    t.put(slice + "memory.stat", "anon 1\nfile 2\ninactive_file " + std::to_string(300 * kMiB) + "\nactive_file " + std::to_string(100 * kMiB));
    EXPECT_EQ(left(), 900 * kMiB) << "with pages of files that can be given up";
    t.put(own + "memory.max", std::to_string(700 * kMiB));
    EXPECT_EQ(left(), 700 * kMiB - 123456);
    t.put(own + "memory.current", std::to_string(800 * kMiB));
    EXPECT_EQ(left(), 0u);
}

TEST(FreeMemory, InAContainerAndOfTheFirstVersion) {
    Tree container, first;
    container.put("proc/meminfo", "MemAvailable:    4096000 kB");
    container.put("proc/self/cgroup", "0::/docker/of-the-host");
    container.put("sys/fs/cgroup/memory.max", std::to_string(300 * kMiB));
    container.put("sys/fs/cgroup/memory.current", std::to_string(100 * kMiB));
    EXPECT_EQ(engine::free_memory(container.root().string()), 200 * kMiB);
    first.put("proc/meminfo", "MemAvailable:    4096000 kB");
    first.put("proc/self/cgroup", "12:cpu,cpuacct:/a\n9:memory:/docker/abc\n0::/b");
    const std::string group = "sys/fs/cgroup/memory/docker/abc/";
    first.put(group + "memory.limit_in_bytes", std::to_string(1000 * kMiB));
    first.put(group + "memory.usage_in_bytes", std::to_string(600 * kMiB));
    first.put(group + "memory.stat", "cache 1\ntotal_inactive_file " + std::to_string(50 * kMiB) + "\ntotal_active_file " + std::to_string(30 * kMiB));
    EXPECT_EQ(engine::free_memory(first.root().string()), 480 * kMiB);
}

TEST(LoadTimes, SayHowMuchTheDiskHadToGive) {
    engine::LoadTimes times{2, 1'000'000'000, 990'000'000};
    EXPECT_EQ(times.text(), "2.00 s, 1000 MB at 500 MB/s, cold (990 MB from the disk)");
    times.disk_bytes = 500'000'000;
    EXPECT_STREQ(times.kind(), "partly cold");
    times.disk_bytes = 0;
    EXPECT_STREQ(times.kind(), "warm");
    times.disk_bytes.reset();
    EXPECT_EQ(times.text(), "2.00 s, 1000 MB at 500 MB/s, unknown");

    const fs::path file = support::data_dir() / "models/llama_tied.gguf";
    support::read_text(file);
    const engine::LoadWatch watch;
    const auto text = support::read_text(file);
    const auto again = watch.ended(text.size());
    EXPECT_EQ(again.file_bytes, text.size());
    if (again.disk_bytes) {
        EXPECT_STREQ(again.kind(), "warm") << again.text();
    }
}
