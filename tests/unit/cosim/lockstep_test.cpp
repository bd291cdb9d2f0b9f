// The comparison by itself: events made by hand, a peer that does as it is told.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/lockstep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>

#include "isa/elaborate.hpp"

namespace pogo::cosim {
namespace {

using ::testing::HasSubstr;

constexpr const char* text = R"isa(
machine mini { title "Mini"; endian little; unit 8; address 16; parcel 8; }
register pc : bits(16) role pc;
regfile r[4] : bits(16) role data;
register st : bits(8) { S 7 role mode; I 6 role control; }
view flags : bits(8) = st { I; }
register count : bits(16) role time;
register hidden : bits(16) role control;
input line : bits(1);
mode supervisor { st.S = 1; }
mode user { st.S = 0; }
context deprivileged { supervisor supervisor; user user; }
reset { st = 0x80; pc = 0; }
translate (va, access, units) { return va; }
trap invalid kind illegal { pc = 0x40; st.S = 1; }
illegal invalid;
interrupt tick when line == 1 && st.I == 1 { pc = 0x80; st.I = 0; }
instruction add   { encoding 0b0001 a:2 b:2; assembly "add r{a}, r{b}"; r[a] = r[a] + r[b]; }
instruction clock { encoding 0b0010 a:2 0b00; assembly "clock r{a}"; r[a] = count; }
instruction load  { encoding 0b0011 a:2 b:2; assembly "load r{a}, r{b}"; r[a] = zext(mem[r[b], 1], 16); }
instruction store { encoding 0b0100 a:2 b:2; assembly "store r{a}, r{b}"; mem[r[b], 1] = r[a][7..0]; }
instruction di    { encoding 0x50; assembly "di"; st.I = 0; }
instruction sleep { encoding 0x60; assembly "sleep"; }
platform { ram memory at 0x0000 size 0x8000; uart console at 0x9000 size 16; }
timing { stages fetch, decode, execute, memory, writeback; fetch 1; forwarding on; load 0; store 0; branch 0; trap 1; interrupt 1; class alu { occupies 1; latency 1; } }
)isa";

const isa::Spec& spec() {
    static const isa::Spec loaded = [] {
        isa::SourceManager sources;
        isa::Diagnostics diagnostics;
        auto spec = isa::load_spec(sources, sources.add("mini.isa", text), std::nullopt, {}, diagnostics);
        if (!spec) ADD_FAILURE() << isa::render(diagnostics, sources);
        return std::move(*spec);
    }();
    return loaded;
}

class Puppet final : public Peer {
  public:
    Puppet() {
        for (const char* name : {"pc", "r0", "r1", "r2", "r3", "status"}) {
            registers_.push_back({name, 16, registers_.size() < 5});
            values[name] = 0;
        }
    }
    std::string name() const override { return "puppet"; }
    const std::vector<Register>& registers() const override { return registers_; }
    void watch(std::vector<std::size_t> registers) override { watched_ = std::move(registers); }
    void step() override {
        ++steps;
        next();
    }
    const View& look(bool everything, std::span<const Range> ranges) override {
        view_ = {};
        for (const auto reg : watched_) {
            view_.registers.emplace_back();
            if (everything || registers_[reg].together) view_.registers.back() = values[registers_[reg].name];
        }
        for (const auto& range : ranges) {
            view_.memory.emplace_back();
            for (std::size_t i = 0; i < range.size; ++i) view_.memory.back().push_back(memory[range.address + i]);
        }
        return view_;
    }
    void set(std::size_t reg, std::uint64_t value) override { values[registers_[reg].name] = value; }
    void set_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override {
        for (const auto byte : bytes) memory[address++] = byte;
    }

    std::map<std::string, std::uint64_t> values;
    std::map<std::uint64_t, std::uint8_t> memory;
    std::function<void()> next = [] {};
    unsigned steps = 0;

  private:
    std::vector<Register> registers_;
    std::vector<std::size_t> watched_;
    View view_;
};

constexpr auto aliases = std::to_array<Alias>({{"st", "status"}});
constexpr auto exemptions = std::to_array<Exemption>({
    {"r3", 0x00f0, "add", Exemption::Kind::follow, "a test"},
    {"st", 0x000f, {}, Exemption::Kind::ignore, "a test"},
});
constexpr auto waits = std::to_array<std::string_view>({"sleep"});

class Comparing : public ::testing::Test {
  protected:
    void SetUp() override {
        isa::State state(spec());
        state.set(spec()[spec().find_element("r")], 0x9004, 2);
        state.set(spec()[spec().find_element("st.S")], 1);
        const std::array<Peer::Range, 1> loaded{Peer::Range{0x10, 2}};
        lockstep_.start(state, loaded);
    }
    using Changes = std::vector<std::pair<std::string, std::uint64_t>>;
    static std::uint32_t slot(std::string name) {
        unsigned entry = 0;
        if (name[0] == 'r') entry = static_cast<unsigned>(name[1] - '0'), name = "r";
        return spec()[spec().find_element(name)].slot + entry;
    }
    model::RetireEvent event(const Changes& changes, std::vector<model::MemoryChange> stores) {
        changes_.clear();
        for (const auto& [name, value] : changes) changes_.push_back({slot(name), 0, value});
        stores_ = std::move(stores);
        model::RetireEvent made;
        made.pc = pc_;
        made.changes = changes_;
        made.stores = stores_;
        for (const auto& change : changes)
            if (change.first == "pc") pc_ = change.second;
        return made;
    }
    // The model completes an instruction; the peer does what `there` says.
    void retire(const char* name, std::vector<std::uint64_t> fields, Changes changes,
                const std::function<void()>& there, std::vector<model::MemoryChange> stores = {}) {
        fields_ = std::move(fields);
        changes.emplace_back("pc", pc_ + 1);
        puppet_.next = [&] {
            ++puppet_.values["pc"];
            there();
        };
        auto made = event(changes, std::move(stores));
        made.form = {spec()[spec().find_instruction(name)].first_form};
        made.fields = fields_;
        lockstep_.on_retire(made);
    }
    void add(std::uint64_t ours, std::uint64_t theirs) {
        retire("add", {1, 0}, {{"r1", ours}}, [&] { puppet_.values["r1"] = theirs; });
    }
    Puppet puppet_;
    Target target_{0, "", nullptr, aliases, exemptions, waits};
    Lockstep lockstep_{spec(), target_, puppet_, [](std::uint64_t address) { return address & 0xff; }};
    std::uint64_t pc_ = 0;
    std::vector<std::uint64_t> fields_;
    std::vector<model::SlotChange> changes_;
    std::vector<model::MemoryChange> stores_;
};

TEST_F(Comparing, BeginsInTheModelsState) {
    EXPECT_EQ(puppet_.values["r2"], 0x9004U);
    EXPECT_EQ(puppet_.values["status"], 0x80U);
    EXPECT_EQ(puppet_.memory[0x11], 0x11);
    EXPECT_THAT(lockstep_.summary(), HasSubstr("not compared: count, hidden, line"));
}

TEST_F(Comparing, EndsWithTheFirstDifference) {
    add(5, 5);
    EXPECT_FALSE(lockstep_.over());
    add(6, 7);
    add(8, 8);
    EXPECT_EQ(lockstep_.agreed(), 1U);
    EXPECT_EQ(puppet_.steps, 2U) << "the rest is not looked at";
    EXPECT_EQ(lockstep_.difference(),
              "lockstep: 1 instructions agree, then model and puppet part at 0x1\n"
              "    0000  add r1, r0\n"
              "  > 0001  add r1, r0\n"
              "              model               puppet              model before\n"
              "  r1          0x6                 0x7                 0x5\n");
}

TEST_F(Comparing, SeesARegisterThatOnlyThePeerChanges) {
    retire("add", {1, 0}, {}, [&] { puppet_.values["r0"] = 1; });
    EXPECT_THAT(lockstep_.difference(), HasSubstr("r0          0x0                 0x1"));
}

TEST_F(Comparing, SeesWhatIsReadAloneAfterInstructionsThatHaveToDoWithIt) {
    retire("di", {}, {{"st.I", 0}}, [&] { puppet_.values["status"] = 0xc0; });
    EXPECT_THAT(lockstep_.difference(), HasSubstr("st          0x80                0xc0"));
}

TEST_F(Comparing, SeesWhatIsReadAloneAfterAWhile) {
    puppet_.values["status"] = 0xc0;
    for (unsigned i = 0; i < 64 && !lockstep_.over(); ++i) add(i, i);
    EXPECT_THAT(lockstep_.difference(), HasSubstr("st          0x80                0xc0"));
}

TEST_F(Comparing, SeesWhatIsReadAloneBeforeStoresToDevices) {
    add(1, 1);
    puppet_.values["status"] = 0xc0;
    EXPECT_FALSE(lockstep_.over());
    retire("store", {1, 2}, {}, [] {});
    EXPECT_TRUE(lockstep_.over());
    EXPECT_EQ(puppet_.steps, 1U);
    EXPECT_THAT(lockstep_.difference(), HasSubstr("  > 0000  add r1, r0\n"));
    EXPECT_THAT(lockstep_.difference(), HasSubstr("st          0x80                0xc0"));
}

TEST_F(Comparing, SettlesAtTheEnd) {
    lockstep_.settle();
    EXPECT_FALSE(lockstep_.over());
    add(1, 1);
    puppet_.values["status"] = 0xc0;
    lockstep_.settle();
    EXPECT_THAT(lockstep_.difference(), HasSubstr("st          0x80                0xc0"));
    EXPECT_EQ(lockstep_.agreed(), 1U);
}

TEST_F(Comparing, ComparesWhatIsStored) {
    retire("store", {1, 0}, {}, [&] { puppet_.memory[0x20] = 7; }, {{0x20, 0, 7}});
    EXPECT_FALSE(lockstep_.over());
    retire("store", {1, 0}, {}, [&] { puppet_.memory[0x20] = 8; }, {{0x20, 7, 9}, {0x21, 0, 0}});
    EXPECT_THAT(lockstep_.difference(), HasSubstr("[20]        0900                0800\n"));
}

TEST_F(Comparing, LeavesStoresToDevicesToThem) {
    lockstep_.add_device(0x20, 8);
    retire("store", {1, 0}, {}, [] {}, {{0x20, 0, 7}});
    EXPECT_FALSE(lockstep_.over());
}

TEST_F(Comparing, FollowsWhatDependsOnTheTime) {
    retire("clock", {1}, {{"r1", 100}}, [&] { puppet_.values["r1"] = 5; });
    EXPECT_FALSE(lockstep_.over());
    EXPECT_EQ(puppet_.values["r1"], 100U);
    retire("clock", {1}, {{"r1", 101}}, [&] { puppet_.values["r3"] = 5; });
    EXPECT_TRUE(lockstep_.over()) << "but only in what the instruction writes";
}

TEST_F(Comparing, FollowsWhatDevicesAnswer) {
    retire("load", {1, 2}, {{"r1", 1}}, [&] { puppet_.values["r1"] = 2; });
    EXPECT_FALSE(lockstep_.over());
    EXPECT_EQ(puppet_.values["r1"], 1U);
    retire("load", {1, 0}, {{"r1", 3}}, [&] { puppet_.values["r1"] = 2; });
    EXPECT_TRUE(lockstep_.over()) << "memory is no device";
}

TEST_F(Comparing, ExemptsBitsAfterTheirInstructionOnly) {
    retire("add", {3, 0}, {{"r3", 0x12}}, [&] { puppet_.values["r3"] = 0x32, puppet_.values["status"] = 0x85; });
    EXPECT_FALSE(lockstep_.over());
    EXPECT_EQ(puppet_.values["r3"], 0x12U);
    EXPECT_EQ(puppet_.values["status"], 0x85U) << "ignored is not corrected";
    retire("load", {3, 0}, {{"r3", 0x12}}, [&] { puppet_.values["r3"] = 0x32; });
    EXPECT_TRUE(lockstep_.over());
}

TEST_F(Comparing, GivesThePeerInterruptsAndWaiting) {
    auto made = event({{"pc", 0x80}, {"st.I", 0}, {"r1", 4}}, {{0x30, 0, 6}});
    lockstep_.on_interrupt(made);
    EXPECT_EQ(puppet_.values["pc"], 0x80U);
    EXPECT_EQ(puppet_.values["r1"], 4U);
    EXPECT_EQ(puppet_.memory[0x30], 6);
    retire("sleep", {}, {}, [] {});
    EXPECT_EQ(puppet_.values["pc"], 0x81U);
    EXPECT_EQ(puppet_.steps, 0U);
    EXPECT_THAT(lockstep_.summary(), HasSubstr("2 states are the model's alone"));
}

TEST_F(Comparing, ComparesTraps) {
    auto made = event({{"pc", 0x40}, {"st.S", 1}}, {});
    const std::array<model::TrapTaken, 1> traps{model::TrapTaken{spec().find_cause("invalid"), {}}};
    made.traps = traps;
    puppet_.next = [&] { puppet_.values["pc"] = 0x44; };
    lockstep_.on_trap(made);
    EXPECT_THAT(lockstep_.difference(), HasSubstr("  > 0000  trap invalid\n"));
    EXPECT_THAT(lockstep_.difference(), HasSubstr("pc          0x40                0x44"));
}

TEST_F(Comparing, EndsWithThePeer) {
    retire("add", {1, 0}, {}, [] { throw PeerEnded("over"); });
    EXPECT_FALSE(lockstep_.over()) << "the model may end here, too";
    add(1, 1);
    EXPECT_THAT(lockstep_.difference(), HasSubstr("the peer's machine has ended before"));
}

TEST_F(Comparing, ReportsAPeerThatFails) {
    retire("add", {1, 0}, {}, [] { throw PeerError("no answer"); });
    EXPECT_TRUE(lockstep_.over());
    EXPECT_EQ(lockstep_.failure(), "no answer");
    EXPECT_EQ(lockstep_.difference(), "");
}

}  // namespace
}  // namespace pogo::cosim
