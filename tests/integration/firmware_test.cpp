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

class Firmware : public CommandTest {};

TEST_F(Firmware, OpenSbiHandsOverToTheUBootPrompt) {
    const std::string opensbi = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf";
    const std::string uboot = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin";
    for (const auto& needed : {opensbi, uboot})
        if (!std::filesystem::exists(needed)) GTEST_SKIP() << "no " << needed << " (packages opensbi, u-boot-qemu)";
    // struct fw_dynamic_info of OpenSBI's firmware/fw_dynamic.md: magic, version, address and mode of the next stage
    // (1 is supervisor mode), options, boot hart.
    const std::array<std::uint64_t, 6> info{0x4942534f, 2, 0x80200000, 1, 0, 0};
    static_assert(std::endian::native == std::endian::little);
    const std::string path = file("info", {reinterpret_cast<const char*>(info.data()), sizeof info});
    const Result r = pogo("run " POGO_SPECS "/rv64.isa --elf " + opensbi + " --raw 0x80200000=" + uboot +
                          " --raw 0x87000000=" + path +
                          " --set x10=0 --dtb x11 --set x12=0x87000000 --set pc=0x80000000 --cycles 300000000");
    EXPECT_EQ(r.code, 2) << "it waits at the prompt for good";
    EXPECT_THAT(r.out, HasSubstr("Platform Timer Device     : aclint-mtimer @ 10000000Hz"));
    EXPECT_THAT(r.out, HasSubstr("Platform Reboot Device    : sifive_test"));
    EXPECT_THAT(r.out, HasSubstr("Boot HART Base ISA        : rv64imac"));
    EXPECT_THAT(r.out, HasSubstr("Model: pogo,rv64"));
    EXPECT_THAT(r.out, HasSubstr("DRAM:  128 MiB"));
    EXPECT_THAT(r.out, HasSubstr("Hit any key to stop autoboot:  2"));
    EXPECT_THAT(r.out, HasSubstr("\n=> "));
}

}  // namespace
}  // namespace pogo::integration
