// Device trees: their shape, their blob, and that dtc reads the same from both.
// SPDX-License-Identifier: Apache-2.0
#include "model/device_tree.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support.hpp"
#include "virt_spec.hpp"

namespace pogo::model::test {
namespace {

DeviceTreeNode tree_of(const isa::Spec& spec, const std::string& boot_arguments = "") {
    auto tree = device_tree(spec, boot_arguments);
    EXPECT_TRUE(std::holds_alternative<DeviceTreeNode>(tree));
    return std::get<DeviceTreeNode>(std::move(tree));
}

TEST(DeviceTree, DescribesThePlatform) {
    const auto spec = spec_of(virt_text(10));
    const std::string text = print(tree_of(*spec, "say \"hi\""));
    for (const char* part : {
             "/dts-v1/;\n\n/ {\n\t#address-cells = <0x2>;\n",
             "\tchosen {\n\t\tbootargs = \"say \\\"hi\\\"\";\n\t\tstdout-path = \"/soc/serial@10000000\";\n\t};\n",
             "\tmemory@80000000 {\n\t\tdevice_type = \"memory\";\n\t\treg = <0x0 0x80000000 0x0 0x100000>;\n\t};\n",
             "timebase-frequency = <0x989680>;",
             "riscv,isa = \"rv64i_zicsr\";",
             "mmu-type = \"riscv,none\";",
             "\t\tclint@2000000 {\n\t\t\tcompatible = \"sifive,clint0\", \"riscv,clint0\";\n",
             "interrupts-extended = <0x2 0x3 0x2 0x7>;",
             "riscv,ndev = <0x60>;",
             "\t\t\tinterrupt-controller;\n",
             "\t\tserial@10000100 {\n",
             "interrupts = <0xc>;",
             "compatible = \"sifive,test1\", \"sifive,test0\", \"syscon\";",
             "\tpoweroff {\n\t\tcompatible = \"syscon-poweroff\";\n\t\tregmap = <0x4>;\n",
             "\t\tregmap = <0x4>;\n\t\toffset = <0x0>;\n\t\tvalue = <0x5555>;\n\t};\n",
         })
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(DeviceTree, NeedsTheDevices) {
    const auto said = [](const std::string& text) {
        const auto tree = device_tree(*spec_of(text));
        const auto* error = std::get_if<std::string>(&tree);
        return error == nullptr ? "" : *error;
    };
    EXPECT_NE(said(toy_text(plain_timing, toy_platform)).find("no clint"), std::string::npos);
    EXPECT_NE(said(toy_text()).find("no clint"), std::string::npos);
    std::string text = virt_text(1);
    text.erase(text.find("  isa \""), std::string("  isa \"rv64i_zicsr\";").size());
    EXPECT_NE(said(text).find("isa"), std::string::npos);
}

TEST(DeviceTree, IsPlacedAtTheEndOfRam) {
    auto spec = spec_of(virt_text(10));
    EXPECT_EQ(device_tree_address(*spec, 1000), 0x80100000U - 1000U);
    for (auto& device : spec->platform.devices)
        if (device.kind == isa::Device::Kind::ram) device.size = 0x8000000;
    EXPECT_EQ(device_tree_address(*spec, 1000), 0x87E00000U);
    EXPECT_EQ(device_tree_address(*spec, 0x8000000), std::nullopt);
}

TEST(DeviceTree, BlobIsWhatDtcReads) {
    if (std::system("dtc --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no dtc";
    const auto spec = spec_of(virt_text(10));
    const auto tree = tree_of(*spec, std::string(5000, 'x'));  // larger than the first try
    const auto folder = std::filesystem::temp_directory_path() / ("pogo-dtb-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto blob = flatten(tree);
    std::ofstream(folder / "blob.dtb", std::ios::binary)
        .write(reinterpret_cast<const char*>(blob.data()), static_cast<std::streamsize>(blob.size()));
    std::ofstream(folder / "text.dts") << print(tree);
    const auto dtc = [&](const std::string& arguments) {
        return std::system(("cd '" + folder.string() + "' && dtc -q -s " + arguments + " >log 2>&1").c_str());
    };
    EXPECT_EQ(dtc("-I dtb -O dts -o from-blob.dts blob.dtb"), 0);
    EXPECT_EQ(dtc("-I dts -O dtb -o from-text.dtb text.dts"), 0);
    EXPECT_EQ(dtc("-I dtb -O dts -o from-text.dts from-text.dtb"), 0);
    const auto read = [&](const char* name) {
        std::ostringstream text;
        text << std::ifstream(folder / name).rdbuf();
        return text.str();
    };
    EXPECT_FALSE(read("from-blob.dts").empty());
    EXPECT_EQ(read("from-blob.dts"), read("from-text.dts"));
    // Its checks find nothing but that the processor's interrupt controller has no #address-cells, as QEMU's.
    EXPECT_EQ(std::system(("cd '" + folder.string() +
                           "' && dtc -W no-interrupt_provider -I dtb -O dtb -o again.dtb blob.dtb >log 2>&1")
                              .c_str()),
              0);
    EXPECT_EQ(read("log"), "");
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace pogo::model::test
