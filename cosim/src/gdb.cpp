// The client's side of the GDB remote serial protocol.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/gdb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace pogo::cosim {

namespace {

constexpr unsigned attempts = 4;         // to get a packet across
constexpr std::size_t transfer = 0x400;  // bytes of memory in one packet: QEMU takes packets of 4096
constexpr std::size_t description = 1U << 20;
constexpr unsigned nesting = 4;

// The value of an attribute within a tag.
std::optional<std::string> attribute(std::string_view tag, std::string_view name) {
    const std::string start = fmt::format(" {}=\"", name);
    const auto from = tag.find(start);
    if (from == std::string_view::npos) return std::nullopt;
    const auto value = tag.substr(from + start.size());
    const auto to = value.find('"');
    if (to == std::string_view::npos) return std::nullopt;
    return std::string(value.substr(0, to));
}

std::optional<unsigned> decimal(const std::optional<std::string>& text) {
    unsigned number = 0;
    if (!text) return std::nullopt;
    const char* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc() || at != end) return std::nullopt;
    return number;
}

}  // namespace

Gdb::Gdb(std::unique_ptr<Stream> stream, std::string name, bool big_endian)
    : stream_(std::move(stream)), name_(std::move(name)), big_endian_(big_endian) {
    const std::string features = ask("qSupported:qXfer:features:read+;QStartNoAckMode+");
    if (features.find("qXfer:features:read+") == std::string::npos)
        throw PeerError("the stub does not describe its registers");
    if (ask("QStartNoAckMode") == "OK") {
        stream_->send("+");
        acknowledge_ = false;
    }
    const std::string stop = ask("?");
    if (stop.empty() || (stop[0] != 'T' && stop[0] != 'S')) throw PeerError("the stub's machine does not stand still");
    unsigned number = 0;
    read_description("target.xml", 0, number);
    if (registers_.empty()) throw PeerError("the stub describes no registers");
    find_together();
    by_thread_ = ask("vCont?").find(";s") != std::string::npos;
    // QEMU's own: single steps without interrupts and with its clock stopped; memory by physical address.
    static_cast<void>(ask("Qqemu.sstep=0x7"));
    physical_ = ask("Qqemu.PhyMemMode:1") == "OK";
    // QEMU 7.2 knows no QStartNoAckMode, but takes the next packet for an acknowledgement (gdb_read_byte in gdbstub.c).
    if (physical_) acknowledge_ = false;
}

void Gdb::post(std::string_view data) {
    last_ = frame(data);
    stream_->send(last_);
}

std::string Gdb::reply() {
    for (unsigned failures = 0;;) {
        auto item = reader_.next();
        if (!item) {
            received_.clear();
            if (!stream_->receive(received_, patience)) throw PeerEnded(name_ + " has closed the connection");
            reader_.feed(received_);
            continue;
        }
        switch (item->kind) {
            case PacketReader::Item::Kind::packet:
                if (acknowledge_) stream_->send("+");
                return std::move(item->data);
            case PacketReader::Item::Kind::ack:
                break;
            case PacketReader::Item::Kind::nack:
            case PacketReader::Item::Kind::damaged:
                if (!acknowledge_ || ++failures == attempts)
                    throw PeerError(item->data.empty() ? "the stub does not understand"
                                                       : "from the stub: " + item->data);
                stream_->send(item->data.empty() ? std::string_view(last_) : "-");
                break;
        }
    }
}

std::string Gdb::ask(std::string_view data) {
    post(data);
    return reply();
}

std::string Gdb::read_feature(const std::string& file) {
    std::string text;
    for (;;) {
        const std::string part = ask(fmt::format("qXfer:features:read:{}:{:x},{:x}", file, text.size(), transfer));
        if (part.empty() || (part[0] != 'm' && part[0] != 'l') || (part[0] == 'm' && part.size() == 1))
            throw PeerError(fmt::format("the stub does not give {}", file));
        text.append(part, 1);
        if (described_ + text.size() > description) throw PeerError("the description of the registers is too long");
        if (part[0] == 'l') break;
    }
    described_ += text.size();
    return text;
}

// GDB manual, appendix G.2: registers count on from the last one unless they have a number.
void Gdb::read_description(const std::string& file, unsigned depth, unsigned& number) {
    if (depth == nesting) throw PeerError("the description of the registers is nested too deeply");
    const std::string text = read_feature(file);
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
        const std::string_view tag = std::string_view(text).substr(at, text.find('>', at) - at);
        if (tag.starts_with("<xi:include ")) {
            const auto other = attribute(tag, "href");
            if (other) read_description(*other, depth + 1, number);
        } else if (tag.starts_with("<reg ")) {
            const auto name = attribute(tag, "name");
            const auto width = decimal(attribute(tag, "bitsize"));
            if (!name || !width) throw PeerError(fmt::format("a register in {} has no name or size", file));
            number = decimal(attribute(tag, "regnum")).value_or(number);
            if (*width % 8 == 0 && *width > 0 && *width <= 64) {
                registers_.push_back({*name, *width});
                numbers_.push_back(number);
            }
            ++number;
        }
    }
}

std::optional<std::uint64_t> Gdb::number_of(std::string_view hex, unsigned width) const {
    auto bytes = from_hex(hex);
    if (!bytes || bytes->size() * 8 != width) return std::nullopt;
    if (!big_endian_) std::reverse(bytes->begin(), bytes->end());
    std::uint64_t value = 0;
    for (const auto byte : *bytes) value = (value << 8) | byte;
    return value;
}

// The answer to g holds the registers from number 0 on, as many as the stub likes.
void Gdb::find_together() {
    const std::size_t length = ask("g").size();
    offsets_.resize(registers_.size());
    std::size_t offset = 0;
    for (unsigned number = 0; offset < length; ++number) {
        const auto found = std::find(numbers_.begin(), numbers_.end(), number);
        if (found == numbers_.end()) break;
        const auto reg = static_cast<std::size_t>(found - numbers_.begin());
        offsets_[reg] = offset;
        offset += registers_[reg].width / 4;
        registers_[reg].together = offset <= length;
    }
}

void Gdb::watch(std::vector<std::size_t> registers) {
    watched_ = std::move(registers);
    view_.registers.resize(watched_.size());
}

void Gdb::step() {
    post(by_thread_ ? "vCont;s" : "s");
    for (;;) {
        const std::string stop = reply();
        if (stop.starts_with('T') || stop.starts_with('S')) return;
        if (stop.starts_with('W') || stop.starts_with('X')) throw PeerEnded(name_ + "'s machine has ended");
        if (!stop.starts_with('O')) throw PeerError(fmt::format("the stub does not step, but answers `{}`", stop));
    }
}

const Peer::View& Gdb::look(bool everything, std::span<const Range> ranges) {
    std::vector<std::string> questions{"g"};
    for (const auto reg : watched_)
        if (everything && !registers_[reg].together) questions.push_back(fmt::format("p{:x}", numbers_[reg]));
    if (physical_)
        for (const auto& range : ranges) questions.push_back(fmt::format("m{:x},{:x}", range.address, range.size));
    // All at once, where no answer has to be acknowledged before the next question.
    std::string batch;
    for (const auto& question : questions) batch += frame(question);
    if (!acknowledge_) stream_->send(batch);
    std::size_t next = 0;
    const auto answer = [&] {
        const std::size_t number = next++;
        return acknowledge_ ? ask(questions[number]) : reply();
    };
    const std::string together = answer();
    for (std::size_t i = 0; i < watched_.size(); ++i) {
        const Register& reg = registers_[watched_[i]];
        view_.registers[i].reset();
        if (!reg.together) {
            if (everything) view_.registers[i] = number_of(answer(), reg.width);
        } else if (const std::size_t offset = offsets_[watched_[i]]; offset < together.size()) {
            view_.registers[i] = number_of(std::string_view(together).substr(offset, reg.width / 4), reg.width);
        }
    }
    view_.memory.clear();
    for (const auto& range : ranges) {
        auto bytes = physical_ ? from_hex(answer()) : std::nullopt;
        if (!bytes || bytes->size() != range.size) bytes.emplace();
        view_.memory.push_back(std::move(*bytes));
    }
    return view_;
}

void Gdb::set(std::size_t reg, std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes{};
    const std::size_t count = registers_[reg].width / 8;
    for (std::size_t i = 0; i < count; ++i)
        bytes[big_endian_ ? count - 1 - i : i] = static_cast<std::uint8_t>(value >> (8 * i));
    const auto answer = ask(fmt::format("P{:x}={}", numbers_[reg], to_hex(std::span(bytes).first(count))));
    if (answer != "OK") throw PeerError(fmt::format("register {} cannot be set", registers_[reg].name));
}

void Gdb::set_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), transfer));
        if (ask(fmt::format("M{:x},{:x}:{}", address, part.size(), to_hex(part))) != "OK")
            throw PeerError(fmt::format("memory at {:#x} cannot be written", address));
        address += part.size();
        bytes = bytes.subspan(part.size());
    }
}

}  // namespace pogo::cosim
