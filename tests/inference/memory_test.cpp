#include "inference/memory.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <fstream>

using namespace inference;

namespace {

/// A /proc and /sys that say what a test wants.
struct Machine {
    void write(const std::string& path, const std::string& text) const
    {
        std::filesystem::create_directories((folder.path() / path).parent_path());
        std::ofstream(folder.path() / path) << text;
    }
    Machine()
    {
        write("proc/meminfo",
              "MemTotal:       16000000 kB\nMemFree:          500000 kB\n"
              "MemAvailable:   12000000 kB\nHugePages_Total:       0\n");
    }
    DeviceMemory memory() const { return mainMemory(folder.path()); }
    test::TemporaryFolder folder;
};

}  // namespace

TEST(withoutLimitsItIsWhatTheSystemHas)
{
    const Machine machine;
    CHECK_EQUAL(machine.memory().device, "cpu");
    CHECK_EQUAL(machine.memory().total, std::int64_t(16000000) * 1024);
    CHECK_EQUAL(machine.memory().free, std::int64_t(12000000) * 1024);
}

TEST(aControlGroupLimitsItAndFilesItHasReadCountAsFree)
{
    Machine machine;
    machine.write("proc/self/cgroup", "0::/a/b\n");
    machine.write("sys/fs/cgroup/a/b/memory.max", "max\n");
    machine.write("sys/fs/cgroup/a/b/memory.current", "3000000000\n");
    machine.write("sys/fs/cgroup/a/memory.max", "4000000000\n");
    machine.write("sys/fs/cgroup/a/memory.current", "3500000000\n");
    machine.write("sys/fs/cgroup/a/memory.stat",
                  "anon 1500000000\ninactive_file 1200000000\nactive_file 800000000\n");
    CHECK_EQUAL(machine.memory().total, std::int64_t(4000000000));
    CHECK_EQUAL(machine.memory().free, std::int64_t(2500000000));
}

TEST(groupsOfTheFirstVersionAndOfAContainerCount)
{
    Machine machine;
    machine.write("proc/self/cgroup", "4:memory:/not/seen/in/here\n1:cpu:/x\n");
    machine.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n");
    machine.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1900000000\n");
    machine.write("sys/fs/cgroup/memory/memory.stat",
                  "inactive_file 5\ntotal_inactive_file 900000000\ntotal_active_file 0\n");
    CHECK_EQUAL(machine.memory().free, std::int64_t(1000000000));
}

TEST(bytesAreSaidAsPeopleCountThem)
{
    CHECK_EQUAL(byteText(30239047680), "30.2 GB");
    CHECK_EQUAL(byteText(163840000), "164 MB");
    CHECK_EQUAL(byteText(0), "0 MB");
}

KVL_TEST_MAIN
