// Register accesses of the devices of QEMU's RISC-V virt machine.
// SPDX-License-Identifier: Apache-2.0
#include "virt.hpp"

#include <algorithm>

namespace pogo::model {

// ---- ns16550 ----

Ns16550::Byte Ns16550::modem_lines() const {
    if (!loopback()) return 0xB0;
    const unsigned dtr = mcr_ & 1U;
    const unsigned rts = mcr_ >> 1 & 1U;
    const unsigned out = mcr_ >> 2 & 3U;
    return static_cast<Byte>(rts << 4 | dtr << 5 | out << 6);
}

Ns16550::Byte Ns16550::interrupt() const {
    const std::size_t level = fifos_ ? trigger_ : 1;
    if ((ier_ & 4) != 0 && overrun_) return 0x6;
    if ((ier_ & 1) != 0 && received() >= level) return 0x4;
    if ((ier_ & 1) != 0 && received() > 0) return 0xC;
    if ((ier_ & 2) != 0 && emptied_) return 0x2;
    if ((ier_ & 8) != 0 && modem_changes_ != 0) return 0x0;
    return 0x1;
}

Ns16550::Byte Ns16550::receive() {
    if (received() == 0) return 0;
    auto& from = looped_.empty() ? typed_ : looped_;
    const Byte character = from.front();
    from.pop_front();
    return character;
}

void Ns16550::send(Byte character) {
    if (!loopback())
        host_.print(static_cast<char>(character));
    else if (looped_.size() < (fifos_ ? ns16550::fifo : 1))
        looped_.push_back(character);
    else
        overrun_ = true;
    emptied_ = true;
}

void Ns16550::set_modem(Byte value) {
    const unsigned before = modem_lines();
    mcr_ = value & 0x1f;
    const unsigned after = modem_lines();
    // RI counts when it ends, the others when they change.
    modem_changes_ =
        static_cast<Byte>(modem_changes_ | (((before ^ after) & 0xB0) >> 4) | ((before & ~after & 0x40) >> 4));
}

std::uint64_t Ns16550::read(std::uint64_t offset, unsigned size, std::uint64_t) {
    if (size != 1) return 0;
    std::uint64_t value = 0;
    switch (offset) {
        case ns16550::rbr_thr:
            value = divisor_latch() ? divisor_low_ : receive();
            break;
        case ns16550::ier:
            value = divisor_latch() ? divisor_high_ : ier_;
            break;
        case ns16550::iir_fcr:
            value = interrupt();
            if (value == 0x2) emptied_ = false;
            value |= fifos_ ? 0xC0 : 0;
            break;
        case ns16550::lcr:
            value = lcr_;
            break;
        case ns16550::mcr:
            value = mcr_;
            break;
        case ns16550::lsr:
            value = 0x60 | (overrun_ ? 2 : 0) | (received() > 0 ? 1 : 0);
            overrun_ = false;
            break;
        case ns16550::msr:
            value = modem_lines() | modem_changes_;
            modem_changes_ = 0;
            break;
        case ns16550::scr:
            value = scr_;
            break;
        default:
            break;
    }
    update();
    return value;
}

void Ns16550::write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t) {
    if (size == 1) write(offset, static_cast<Byte>(value));
}

void Ns16550::write(std::uint64_t offset, Byte value) {
    switch (offset) {
        case ns16550::rbr_thr:
            if (divisor_latch())
                divisor_low_ = value;
            else
                send(value);
            break;
        case ns16550::ier:
            if (divisor_latch()) {
                divisor_high_ = value;
            } else {
                // The transmitter is empty when its interrupt is enabled: that counts as becoming so.
                if ((value & ~ier_ & 2) != 0) emptied_ = true;
                ier_ = value & 0x0f;
            }
            break;
        case ns16550::iir_fcr: {
            const bool on = (value & 1) != 0;
            if (on != fifos_ || (value & 2) != 0) looped_.clear();
            fifos_ = on;
            static constexpr std::array<unsigned, 4> triggers = {1, 4, 8, 14};
            if (on) trigger_ = triggers[value >> 6];
            break;
        }
        case ns16550::lcr:
            lcr_ = value;
            break;
        case ns16550::mcr:
            set_modem(value);
            break;
        case ns16550::scr:
            scr_ = value;
            break;
        default:
            break;
    }
    update();
}

bool Ns16550::add_input(std::string_view text) {
    for (const char c : text) typed_.push_back(static_cast<Byte>(c));
    update();
    return true;
}

// ---- clint ----

namespace {

/// Bytes of a 64-bit register that an access of 8 or 4 bytes to one of its halves means; none for other accesses.
std::optional<unsigned> half(std::uint64_t offset, unsigned size, std::uint64_t base) {
    if (offset == base && (size == 8 || size == 4)) return 0;
    if (offset == base + 4 && size == 4) return 32;
    return std::nullopt;
}

std::uint64_t part(std::uint64_t whole, unsigned shift, unsigned size) {
    return size == 8 ? whole : whole >> shift & 0xffff'ffff;
}

std::uint64_t with_part(std::uint64_t whole, unsigned shift, unsigned size, std::uint64_t value) {
    if (size == 8) return value;
    const std::uint64_t mask = std::uint64_t{0xffff'ffff} << shift;
    return (whole & ~mask) | (value << shift & mask);
}

}  // namespace

std::uint64_t Clint::read(std::uint64_t offset, unsigned size, std::uint64_t cycle) {
    if (offset == clint::msip && size == 4) return software_ ? 1 : 0;
    if (const auto shift = half(offset, size, clint::mtimecmp)) return part(compare_, *shift, size);
    if (const auto shift = half(offset, size, clint::mtime)) return part(count(cycle), *shift, size);
    return 0;
}

void Clint::write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) {
    if (offset == clint::msip && size == 4) {
        software_ = (value & 1) != 0;
        host_.drive(clint::software, software_ ? 1 : 0);
    } else if (const auto compare = half(offset, size, clint::mtimecmp)) {
        compare_ = with_part(compare_, *compare, size, value);
        update(cycle);
    } else if (const auto time = half(offset, size, clint::mtime)) {
        const std::uint64_t before = count(cycle);
        offset_ += with_part(before, *time, size, value) - before;
        host_.drive(clint::time, count(cycle));
        update(cycle);
    }
}

void Clint::due(std::uint64_t cycle) {
    if (wake_ && *wake_ <= count(cycle)) {
        wake_.reset();
        host_.drive(clint::time, count(cycle));
    }
    update(cycle);
}

void Clint::wake(std::optional<std::uint64_t> time) {
    if (wake_ == time) return;  // it is scheduled already
    wake_ = time;
    schedule(host_.now());
}

void Clint::update(std::uint64_t cycle) {
    host_.drive(clint::timer, count(cycle) >= compare_ ? 1 : 0);
    schedule(cycle);
}

// At the first cycle of the next time at which something happens.
void Clint::schedule(std::uint64_t cycle) {
    const std::uint64_t now = count(cycle);
    std::uint64_t ticks = ~std::uint64_t{0};  // from now
    for (const auto& time : {std::optional(compare_), wake_})
        if (time && *time > now) ticks = std::min(ticks, *time - now);
    constexpr std::uint64_t never = std::uint64_t{1} << 48;
    host_.schedule(ticks >= never / timebase_ ? 0 : (cycle / timebase_ + ticks) * timebase_);
}

// ---- plic ----

Plic::Register Plic::at(std::uint64_t offset, unsigned size) {
    using Kind = Register::Kind;
    if (size != 4 || offset % 4 != 0) return {};
    const auto word = [](std::uint64_t bytes) { return static_cast<unsigned>(bytes / 4); };
    if (offset < plic::pending) return {Kind::priority, 0, word(offset)};
    if (offset < plic::pending + plic::enable_stride) return {Kind::pending, 0, word(offset - plic::pending)};
    if (offset < plic::enable) return {};
    if (offset < plic::enable + plic::contexts * plic::enable_stride) {
        const std::uint64_t from = offset - plic::enable;
        return {Kind::enable, static_cast<unsigned>(from / plic::enable_stride), word(from % plic::enable_stride)};
    }
    if (offset < plic::threshold || offset >= plic::threshold + plic::contexts * plic::context_stride) return {};
    const std::uint64_t from = offset - plic::threshold;
    const auto context = static_cast<unsigned>(from / plic::context_stride);
    if (from % plic::context_stride == 0) return {Kind::threshold, context, 0};
    if (from % plic::context_stride == plic::claim - plic::threshold) return {Kind::claim, context, 0};
    return {};
}

template <class Visit>
void Plic::each_of_word(unsigned word, Visit visit) {
    for (unsigned bit = 0; bit < 32; ++bit)
        if (const unsigned number = word * 32 + bit; number != 0 && number < sources_.size())
            visit(sources_[number], std::uint64_t{1} << bit);
}

unsigned Plic::best(unsigned context) const {
    unsigned result = 0;
    for (unsigned i = 1; i < sources_.size(); ++i)
        if (sources_[i].pending && sources_[i].enabled[context] && sources_[i].priority > sources_[result].priority)
            result = i;
    return result;
}

std::uint64_t Plic::read(std::uint64_t offset, unsigned size, std::uint64_t) {
    const Register reg = at(offset, size);
    std::uint64_t value = 0;
    switch (reg.kind) {
        case Register::Kind::none:
            break;
        case Register::Kind::priority:
            if (reg.number < sources_.size()) value = sources_[reg.number].priority;
            break;
        case Register::Kind::pending:
            each_of_word(reg.number,
                         [&](const Source& source, std::uint64_t bit) { value |= source.pending ? bit : 0; });
            break;
        case Register::Kind::enable:
            each_of_word(reg.number, [&](const Source& source, std::uint64_t bit) {
                value |= source.enabled[reg.context] ? bit : 0;
            });
            break;
        case Register::Kind::threshold:
            value = thresholds_[reg.context];
            break;
        case Register::Kind::claim:
            value = best(reg.context);
            if (value != 0) {
                sources_[value].pending = false;
                sources_[value].served = true;
                update();
            }
            break;
    }
    return value;
}

void Plic::write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t) {
    const Register reg = at(offset, size);
    switch (reg.kind) {
        case Register::Kind::none:
        case Register::Kind::pending:
            return;
        case Register::Kind::priority:
            if (reg.number == 0 || reg.number >= sources_.size()) return;
            sources_[reg.number].priority = static_cast<unsigned>(value & plic::priority_mask);
            break;
        case Register::Kind::enable:
            each_of_word(reg.number,
                         [&](Source& source, std::uint64_t bit) { source.enabled[reg.context] = (value & bit) != 0; });
            break;
        case Register::Kind::threshold:
            thresholds_[reg.context] = static_cast<unsigned>(value & plic::priority_mask);
            break;
        case Register::Kind::claim: {
            value &= 0xffff'ffff;
            if (value == 0 || value >= sources_.size() || !sources_[value].enabled[reg.context]) return;
            sources_[value].served = false;
            request(sources_[value]);
            break;
        }
    }
    update();
}

void Plic::set(unsigned line, bool level) {
    Source& source = sources_[line];
    if (source.level == level) return;
    source.level = level;
    request(source);
    update();
}

void Plic::update() {
    for (unsigned context = 0; context < plic::contexts; ++context) {
        const unsigned source = best(context);
        host_.drive(context, sources_[source].priority > thresholds_[context] ? 1 : 0);
    }
}

// ---- finisher, htif ----

void Finisher::write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t) {
    if (offset != 0 || (size != 2 && size != 4)) return;
    const std::uint64_t code = value >> 16 & 0xffff;
    switch (value & 0xffff) {
        case finisher::fail:
            return host_.exit(code == 0 ? 1 : code);
        case finisher::pass:
            return host_.exit(0);
        case finisher::reset:
            return host_.restart();
        default:
            return;
    }
}

std::uint64_t Htif::print(std::uint64_t address, std::uint64_t count) {
    std::uint64_t done = 0;
    for (; done < std::min(count, htif::most_written); ++done) {
        const auto character = memory_.byte(address + done);
        if (!character) break;
        host_.print(*character);
    }
    return done;
}

// The call's number and arguments are at `at`.
void Htif::serve(std::uint64_t at) {
    if (!fromhost_ || at == 0 || memory_.load(at) != htif::sys_write) return;
    const std::uint64_t file = memory_.load(at + 8);
    const bool console = file == 1 || file == 2;
    memory_.store(at, console ? print(memory_.load(at + 16), memory_.load(at + 24)) : htif::bad_file);
    memory_.store(tohost_, 0);
    memory_.store(*fromhost_, 1);
}

void Htif::write(std::uint64_t offset, unsigned, std::uint64_t, std::uint64_t) {
    if (offset >= htif::tohost + 8) return;
    const std::uint64_t command = memory_.load(tohost_);
    const std::uint64_t payload = command & 0xffff'ffff'ffff;
    switch (command >> 48) {
        case 0x0000:
            (payload & 1) != 0 ? host_.exit(payload >> 1) : serve(payload);
            break;
        case 0x0101:
            host_.print(static_cast<char>(payload));
            memory_.store(tohost_, 0);
            break;
        default:
            break;
    }
}

}  // namespace pogo::model
