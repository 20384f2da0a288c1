#include "engine/probes.h"

#include <gtest/gtest.h>

#include <fstream>

#include "engine/engine.h"
#include "support/fixtures.h"

namespace fs = std::filesystem;

TEST(GpuProbe, SaysWhatTheDriverAndTheDevicesSay) {
    const support::TempDir folder;
    const fs::path& root = folder.path();
    EXPECT_EQ(engine::gpu_probe(root).found, "no NVIDIA GPU; the processor computes");
    fs::create_directories(root / "dev");
    for (const char* name : {"nvidia-uvm", "nvidiactl", "nvidia-caps", "null"}) std::ofstream(root / "dev" / name);
    EXPECT_EQ(engine::gpu_probe(root).found, "no NVIDIA GPU; the processor computes");
    for (const char* name : {"nvidia0", "nvidia11"}) std::ofstream(root / "dev" / name);
    EXPECT_EQ(engine::gpu_probe(root).found, "2 of NVIDIA, not used by this build: the processor computes");
    for (const char* bus : {"0000:01:00.0", "0000:02:00.0"}) {
        fs::create_directories(root / "proc/driver/nvidia/gpus" / bus);
        std::ofstream(root / "proc/driver/nvidia/gpus" / bus / "information") << "Model: \t\t NVIDIA L4\nIRQ:   \t\t 35\n";
    }
    EXPECT_EQ(engine::gpu_probe(root).found, "NVIDIA L4, NVIDIA L4, not used by this build: the processor computes");
    EXPECT_EQ(engine::gpu_probe(root).health, base::Health::ok);
}

TEST(Probes, HoldOneOfTheGpu) {
    int found = 0;
    for (const auto& probe : engine::probes()) found += probe.name == "GPU";
    EXPECT_EQ(found, 1);
}
