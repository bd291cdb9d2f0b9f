// Debian's firmware for QEMU's virt, unchanged, on the model: OpenSBI in machine mode, U-Boot in supervisor mode.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <bit>
#include <cstdint>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::HasSubstr;

class Firmware : public CommandTest {
  protected:
    void SetUp() override {
        CommandTest::SetUp();
        for (const auto& needed : {opensbi_, uboot_})
            if (!std::filesystem::exists(needed)) GTEST_SKIP() << "no " << needed << " (packages opensbi, u-boot-qemu)";
    }
    Result boot(const std::string& cycles, const std::string& options = "") {
        // struct fw_dynamic_info of OpenSBI's firmware/fw_dynamic.md: magic, version, address and mode of the next
        // stage (1 is supervisor mode), options, boot hart.
        const std::array<std::uint64_t, 6> info{0x4942534f, 2, 0x80200000, 1, 0, 0};
        static_assert(std::endian::native == std::endian::little);
        const std::string path = file("info", {reinterpret_cast<const char*>(info.data()), sizeof info});
        return pogo("run " POGO_SPECS "/rv64.isa --elf " + opensbi_ + " --raw 0x80200000=" + uboot_ +
                    " --raw 0x87000000=" + path +
                    " --set x10=0 --dtb x11 --set x12=0x87000000 --set pc=0x80000000 --cycles " + cycles + options);
    }
    const std::string opensbi_ = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf";
    const std::string uboot_ = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin";
};

TEST_F(Firmware, OpenSbiHandsOverToTheUBootPrompt) {
    const Result r = boot("300000000");
    EXPECT_EQ(r.code, 2) << "it waits at the prompt for good";
    EXPECT_THAT(r.out, HasSubstr("Platform Timer Device     : aclint-mtimer @ 10000000Hz"));
    EXPECT_THAT(r.out, HasSubstr("Platform Reboot Device    : sifive_test"));
    EXPECT_THAT(r.out, HasSubstr("Boot HART Base ISA        : rv64imac"));
    EXPECT_THAT(r.out, HasSubstr("Model: pogo,rv64"));
    EXPECT_THAT(r.out, HasSubstr("DRAM:  128 MiB"));
    EXPECT_THAT(r.out, HasSubstr("Hit any key to stop autoboot:  2"));
    EXPECT_THAT(r.out, HasSubstr("\n=> "));
}

// What it finds by trying: the letter in misa, PMP's entries and grain (PM 3.7.1), delegation of the guest's interrupts
// that is there from the start, and the guest's exceptions among what it delegates (PM 8.4.2).
TEST_F(Firmware, OpenSbiFindsTheHypervisorExtension) {
    const Result r = boot("40000000", " --param hypervisor=true");
    EXPECT_THAT(r.out, HasSubstr("Boot HART Base ISA        : rv64imach"));
    EXPECT_THAT(r.out, HasSubstr("Boot HART PMP Count       : 8"));
    EXPECT_THAT(r.out, HasSubstr("Boot HART PMP Granularity : 4096"));
    EXPECT_THAT(r.out, HasSubstr("Boot HART MIDELEG         : 0x0000000000001666"));
    EXPECT_THAT(r.out, HasSubstr("Boot HART MEDELEG         : 0x0000000000f0b509"));
}

}  // namespace
}  // namespace pogo::integration
