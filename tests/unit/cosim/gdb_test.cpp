// The protocol's client against a stub made of a table of answers.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/gdb.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

namespace pogo::cosim {
namespace {

constexpr const char* description =
    "l<target><xi:include href=\"csr.xml\"/><feature><reg name=\"a\" bitsize=\"16\" regnum=\"0\"/><reg name=\"b\" "
    "bitsize=\"32\"/><reg name=\"v\" bitsize=\"128\"/></feature></target>";
constexpr const char* csr =
    "l<feature><reg name=\"c\" bitsize=\"64\" regnum=\"40\"/><reg name=\"d\" bitsize=\"8\"/></feature>";

/// Answers as told, empty otherwise; the way there and back can be disturbed.
struct Stub {
    std::map<std::string, std::string> answers{
        {"qSupported:qXfer:features:read+;QStartNoAckMode+", "PacketSize=1000;qXfer:features:read+"},
        {"?", "T05thread:01;"},
        {"qXfer:features:read:target.xml:0,400", description},
        {"qXfer:features:read:csr.xml:0,400", csr},
        {"g", "341278563412"},
        {"vCont?", "vCont;c;s"},
        {"vCont;s", "T05thread:01;"},
        {"Qqemu.PhyMemMode:1", "OK"},
    };
    std::function<std::string(std::string)> disturb = [](std::string bytes) { return bytes; };
    std::vector<std::string> asked;
    PacketReader reader;
    std::string out;
    bool acknowledges = true;
};

class StubStream final : public Stream {
  public:
    explicit StubStream(Stub& stub) : stub_(stub) {}
    void send(std::string_view bytes) override {
        stub_.reader.feed(bytes);
        while (const auto item = stub_.reader.next()) {
            if (item->kind == PacketReader::Item::Kind::nack) stub_.out += frame(last_);
            if (item->kind != PacketReader::Item::Kind::packet) continue;
            stub_.asked.push_back(item->data);
            const auto answer = stub_.answers.find(item->data);
            last_ = answer == stub_.answers.end() ? "" : answer->second;
            if (stub_.acknowledges) stub_.out += '+';
            stub_.out += stub_.disturb(frame(last_));
            if (item->data == "QStartNoAckMode" && last_ == "OK") stub_.acknowledges = false;
        }
    }
    bool receive(std::string& into, std::chrono::milliseconds) override {
        if (stub_.out.empty()) return false;
        into += stub_.out;
        stub_.out.clear();
        return true;
    }

  private:
    Stub& stub_;
    std::string last_;
};

Gdb client(Stub& stub, bool big_endian = false) { return {std::make_unique<StubStream>(stub), "it", big_endian}; }

std::string failure(Stub& stub) {
    try {
        static_cast<void>(client(stub));
    } catch (const PeerError& error) {
        return error.what();
    }
    return "";
}

TEST(Gdb, LearnsTheRegisters) {
    Stub stub;
    const Gdb gdb = client(stub);
    std::string all;
    for (const auto& reg : gdb.registers())
        all += reg.name + ":" + std::to_string(reg.width) + (reg.together ? "+ " : " ");
    EXPECT_EQ(all, "c:64 d:8 a:16+ b:32+ ") << "the vector is too wide for anyone";
}

TEST(Gdb, ReadsRegistersAndMemoryInEitherEndianness) {
    for (const bool acknowledges : {true, false}) {
        Stub stub;
        if (!acknowledges) stub.answers["QStartNoAckMode"] = "OK";
        stub.answers["p28"] = "0102030405060708";
        stub.answers["p29"] = "E14";
        stub.answers["m80,3"] = "0a0b0c";
        stub.answers["m90,2"] = "E14";
        Gdb little = client(stub);
        little.watch({0, 1, 2, 3});
        const std::vector<Peer::Range> ranges{{0x80, 3}, {0x90, 2}};
        const auto& view = little.look(true, ranges);
        EXPECT_EQ(view.registers,
                  (std::vector<std::optional<std::uint64_t>>{0x0807060504030201, {}, 0x1234, 0x12345678}));
        EXPECT_EQ(view.memory, (std::vector<std::vector<std::uint8_t>>{{10, 11, 12}, {}}));
        const auto before = stub.asked.size();
        EXPECT_EQ(little.look(false, {}).registers,
                  (std::vector<std::optional<std::uint64_t>>{{}, {}, 0x1234, 0x12345678}));
        EXPECT_EQ(stub.asked.size(), before + 1);
        Stub other;
        other.answers["p28"] = "0102030405060708";
        Gdb big = client(other, true);
        big.watch({0, 2});
        EXPECT_EQ(big.look(true, {}).registers,
                  (std::vector<std::optional<std::uint64_t>>{0x0102030405060708, 0x3412}));
    }
}

TEST(Gdb, Writes) {
    Stub stub;
    stub.answers["P1=78563412"] = "OK";
    stub.answers["M100,2:abcd"] = "OK";
    Gdb gdb = client(stub);
    gdb.set(3, 0x12345678);
    gdb.set_memory(0x100, std::vector<std::uint8_t>{0xab, 0xcd});
    EXPECT_THROW(gdb.set(3, 1), PeerError);
    EXPECT_THROW(gdb.set_memory(0x200, std::vector<std::uint8_t>{1}), PeerError);
    const std::vector<std::uint8_t> much(0x401, 0);
    stub.answers["M0,400:" + std::string(0x800, '0')] = "OK";
    stub.answers["M400,1:00"] = "OK";
    gdb.set_memory(0, much);
}

TEST(Gdb, StepsInEitherWay) {
    Stub stub;
    Gdb gdb = client(stub);
    gdb.step();
    EXPECT_EQ(stub.asked.back(), "vCont;s");
    stub.answers["vCont;s"] = "W00";
    EXPECT_THROW(gdb.step(), PeerEnded);
    stub.answers["vCont;s"] = "E01";
    EXPECT_THROW(gdb.step(), PeerError);
    Stub old;
    old.answers.erase("vCont?");
    old.answers["s"] = "S05";
    Gdb plain = client(old);
    plain.step();
    EXPECT_EQ(old.asked.back(), "s");
}

// The first answer comes damaged; it is asked for again, but not for ever.
TEST(Gdb, AsksAgainForWhatIsDamaged) {
    Stub stub;
    unsigned damages = 0;
    stub.disturb = [&](std::string bytes) {
        if (damages++ == 0) bytes.back() = '!';
        return bytes;
    };
    EXPECT_EQ(failure(stub), "");
    Stub hopeless;
    hopeless.answers["?"] = "T05";
    hopeless.disturb = [](const std::string& bytes) { return bytes + "-----"; };
    EXPECT_EQ(failure(hopeless), "the stub does not understand");
    Stub quiet;
    quiet.answers["QStartNoAckMode"] = "OK";
    unsigned packets = 0;
    quiet.disturb = [&](std::string bytes) {
        if (++packets > 2) bytes.back() = '!';
        return bytes;
    };
    EXPECT_EQ(failure(quiet), "from the stub: a checksum is wrong")
        << "nobody repeats anything without acknowledgements";
}

TEST(Gdb, RefusesStubsThatMakeNoSense) {
    const auto with = [](const char* question, const std::string& answer) {
        Stub stub;
        stub.answers[question] = answer;
        return failure(stub);
    };
    const char* const target = "qXfer:features:read:target.xml:0,400";
    EXPECT_EQ(with("qSupported:qXfer:features:read+;QStartNoAckMode+", ""), "the stub does not describe its registers");
    EXPECT_EQ(with("?", "E01"), "the stub's machine does not stand still");
    EXPECT_EQ(with(target, ""), "the stub does not give target.xml");
    EXPECT_EQ(with(target, "E00"), "the stub does not give target.xml");
    EXPECT_EQ(with(target, "m"), "the stub does not give target.xml");
    EXPECT_EQ(with(target, "l<target/>"), "the stub describes no registers");
    EXPECT_EQ(with(target, "l<reg name=\"a\"/>"), "a register in target.xml has no name or size");
    EXPECT_EQ(with(target, "l<reg name=\"a\" bitsize=\"-8\"/>"), "a register in target.xml has no name or size");
    EXPECT_EQ(with(target, "l<reg name=\"a"), "a register in target.xml has no name or size");
    EXPECT_EQ(with(target, "l<feature"), "the stub describes no registers");
    EXPECT_EQ(with(target, "l<xi:include href=\"target.xml\"/>"),
              "the description of the registers is nested too deeply");
    Stub closed;
    closed.disturb = [](const std::string&) { return std::string(); };
    closed.acknowledges = false;
    EXPECT_EQ(failure(closed), "it has closed the connection");
}

}  // namespace
}  // namespace pogo::cosim
