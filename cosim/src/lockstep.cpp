// Comparing, following, reporting.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/lockstep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "isa/assembly.hpp"

namespace pogo::cosim {

using isa::Element;
using isa::Role;
using model::RetireEvent;

namespace {

constexpr unsigned interval = 64;
constexpr std::size_t shown = 6;  // instructions in a report, the last being the one that differs

bool of_platform(const Element& element) { return element.input || element.role == Role::time; }

std::string_view peer_name(const Target& target, std::string_view ours) {
    for (const auto& alias : target.aliases)
        if (alias.ours == ours) return alias.theirs;
    return ours;
}

}  // namespace

Lockstep::Lockstep(const isa::Spec& spec, const Target& target, Peer& peer, model::Accesses::Memory memory)
    : spec_(spec),
      target_(target),
      peer_(peer),
      accesses_(spec),
      memory_(std::move(memory)),
      before_(spec),
      state_(spec) {
    if (spec.unit_bits != 8) throw PeerError("its memory is not made of bytes");
    for (const auto& device : spec.platform.devices)
        if (device.kind != isa::Device::Kind::ram) devices_.push_back({device.base, device.size});
    const auto& theirs = peer.registers();
    std::set<std::uint32_t> seen;  // elements
    for (const auto& reg : spec.registers) {
        const auto& pieces = reg.pieces;
        // What shows only fields of registers before it is a view, and compared already.
        const bool view = !pieces.empty() && std::all_of(pieces.begin(), pieces.end(), [&](const auto& piece) {
            return !spec[piece.element].is_file() && seen.contains(piece.element.index);
        });
        for (const auto& piece : pieces) seen.insert(piece.element.index);
        if (view) continue;
        const auto same = std::find_if(theirs.begin(), theirs.end(), [&](const Peer::Register& other) {
            return other.name == peer_name(target, reg.name) && other.width >= reg.width;
        });
        const bool platform = std::any_of(pieces.begin(), pieces.end(),
                                          [&](const auto& piece) { return of_platform(spec[piece.element]); });
        const bool other = exempt(Exemption::Kind::ignore, reg.name, nullptr) == ~std::uint64_t{0};
        if (platform || other || same == theirs.end())
            alone_.push_back(reg.name);
        else
            pairs_.push_back({&reg, static_cast<std::size_t>(same - theirs.begin())});
        if (!platform && same != theirs.end() && !same->together)
            for (const auto& piece : pieces) apart_.insert(piece.element.index);
    }
    const std::string& pc = spec[spec.pc].name;
    if (std::none_of(pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.ours->name == pc; }))
        throw PeerError(fmt::format("the peer has no register {}", pc));
    std::vector<std::size_t> watched;
    for (const auto& pair : pairs_) watched.push_back(pair.theirs);
    peer.watch(std::move(watched));
}

void Lockstep::start(const isa::State& state, std::span<const Peer::Range> memory) {
    for (const auto& range : memory) {
        std::vector<std::uint8_t> bytes;
        for (std::size_t i = 0; i < range.size; ++i)
            bytes.push_back(static_cast<std::uint8_t>(memory_(range.address + i)));
        peer_.set_memory(range.address, bytes);
    }
    state_ = state;
    for (unsigned attempt = 0; attempt < 2; ++attempt) {
        const auto view = peer_.look(true, {});
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            const auto& [ours, theirs] = pairs_[i];
            const std::uint64_t wanted = state.get(*ours, spec_);
            const auto& there = view.registers[i];
            if (!there) throw PeerError(fmt::format("register {} of the peer cannot be read", ours->name));
            const std::uint64_t exempted = exempt(Exemption::Kind::ignore, ours->name, nullptr) |
                                           exempt(Exemption::Kind::follow, ours->name, nullptr);
            if (((*there ^ wanted) & ~exempted) == 0) continue;
            if (attempt == 0)
                peer_.set(theirs, wanted);
            else
                throw PeerError(
                    fmt::format("the peer cannot begin in the model's state: {} is {:#x} there and not {:#x}",
                                ours->name, *there, wanted));
        }
    }
}

void Lockstep::advance(const RetireEvent& event, Event kind) {
    if (over()) return;
    // A store to a device may be the peer's last instruction.
    if (event.form.valid() && !spec_[event.form].meaning.stores.empty() && event.stores.empty()) settle();
    if (over()) return;
    before_ = state_;
    for (const auto& change : event.changes) state_.slots[change.slot] = change.value;
    remember(event, kind);
    if (ended_) return report("  the peer's machine has ended before\n");
    try {
        if (kind == Event::interrupted || (kind == Event::completed && waits(event))) return impose(event);
        peer_.step();
        compare(event, kind);
        if (!over()) ++agreed_;
    } catch (const PeerEnded&) {
        ended_ = true;  // as it should, if the model does as well
    } catch (const PeerError& error) {
        failure_ = error.what();
    }
}

void Lockstep::settle() {
    if (over() || ended_ || since_ == 0) return;
    try {
        compare({}, Event::interrupted);
    } catch (const PeerError& error) {
        failure_ = error.what();
    }
}

void Lockstep::remember(const RetireEvent& event, Event kind) {
    Past past{kind, event.pc, event.form, {event.fields.begin(), event.fields.end()}, {}};
    if (kind == Event::interrupted)
        past.what = "interrupt " + spec_.interrupts[event.interrupt].name;
    else if (kind == Event::trapped)
        past.what = "trap " + spec_[event.traps.front().cause].name;
    past_.push_back(std::move(past));
    if (past_.size() > shown) past_.pop_front();
}

void Lockstep::compare(const RetireEvent& event, Event kind) {
    const auto memory = stored(event);
    std::vector<Peer::Range> ranges;
    ranges.reserve(memory.size());
    for (const auto& store : memory) ranges.push_back(store.range);
    const bool everything = kind != Event::completed || !nature_of(event.form).plain || ++since_ == interval;
    const auto* view = &peer_.look(everything, ranges);
    const auto differs = [&](std::size_t i) {
        const auto& there = view->registers[i];
        return there ? state_.get(*pairs_[i].ours, spec_) ^ *there : 0;
    };
    if (!everything) {
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            if (differs(i) == 0) continue;
            view = &peer_.look(true, ranges);
            break;
        }
    } else {
        since_ = 0;
    }

    std::vector<std::size_t> follow;
    std::vector<std::size_t> parted;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const isa::Register& reg = *pairs_[i].ours;
        if (differs(i) == 0) continue;
        const std::uint64_t rest = differs(i) & ~exempt(Exemption::Kind::ignore, reg.name, &event);
        if (rest == 0) continue;
        ((rest & ~exempt(Exemption::Kind::follow, reg.name, &event)) == 0 ? follow : parted).push_back(i);
    }
    std::vector<std::size_t> parted_memory;
    for (std::size_t i = 0; i < memory.size(); ++i)
        if (!view->memory[i].empty() && view->memory[i] != memory[i].bytes) parted_memory.push_back(i);

    if (!parted.empty() || !parted_memory.empty()) {
        const bool own =
            std::all_of(parted.begin(), parted.end(), [&](std::size_t i) { return writes(event, *pairs_[i].ours); });
        if (kind != Event::completed || !own || !depends_on_platform(event)) {
            std::string table = fmt::format("  {:<12}{:<20}{:<20}{}\n", "", "model", peer_.name(), "model before");
            for (const auto i : parted) {
                const isa::Register& reg = *pairs_[i].ours;
                table += fmt::format("  {:<12}{:<#20x}{:<#20x}{:#x}\n", reg.name, state_.get(reg, spec_),
                                     *view->registers[i], before_.get(reg, spec_));
            }
            for (const auto i : parted_memory)
                table += fmt::format("  {:<12}{:<20}{}\n", fmt::format("[{:x}]", memory[i].range.address),
                                     to_hex(memory[i].bytes), to_hex(view->memory[i]));
            return report(table);
        }
    }
    follow.insert(follow.end(), parted.begin(), parted.end());
    followed_ += follow.size() + parted_memory.size();
    for (const auto i : follow) peer_.set(pairs_[i].theirs, state_.get(*pairs_[i].ours, spec_));
    for (const auto i : parted_memory) peer_.set_memory(memory[i].range.address, memory[i].bytes);
}

void Lockstep::impose(const RetireEvent& event) {
    const auto view = peer_.look(true, {});
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const std::uint64_t wanted = state_.get(*pairs_[i].ours, spec_);
        const std::uint64_t ignored = exempt(Exemption::Kind::ignore, pairs_[i].ours->name, &event);
        if (view.registers[i] && ((*view.registers[i] ^ wanted) & ~ignored) != 0) peer_.set(pairs_[i].theirs, wanted);
    }
    for (const auto& store : stored(event)) peer_.set_memory(store.range.address, store.bytes);
    ++imposed_;
}

std::uint64_t Lockstep::exempt(Exemption::Kind kind, std::string_view reg, const RetireEvent* event) const {
    std::uint64_t bits = 0;
    for (const auto& row : target_.exemptions) {
        if (row.kind != kind || row.reg != reg) continue;
        bool applies = row.at.empty();
        if (!applies && event != nullptr) {
            if (!event->traps.empty())
                applies = spec_[event->traps.front().cause].name == row.at;
            else
                applies = event->form.valid() && spec_[spec_[event->form].instruction].identifier == row.at;
        }
        if (applies) bits |= row.bits;
    }
    return bits;
}

bool Lockstep::waits(const RetireEvent& event) const {
    const auto& name = spec_[spec_[event.form].instruction].identifier;
    return std::find(target_.waits.begin(), target_.waits.end(), name) != target_.waits.end();
}

bool Lockstep::depends_on_platform(const RetireEvent& event) {
    if (nature_of(event.form).platform) return true;
    const auto memory = [&](std::uint64_t address) {
        for (const auto& store : event.stores)
            if (store.address == address) return store.before;
        return memory_(address);
    };
    const auto& accesses = accesses_.of(event.form, event.fields, before_.slots, memory);
    return std::any_of(accesses.begin(), accesses.end(),
                       [&](const model::Access& access) { return !access.store && device(access.physical); });
}

Lockstep::Nature Lockstep::nature_of(isa::FormId form) {
    if (!form.valid()) return {};
    const auto [at, fresh] = natures_.try_emplace(form.index);
    if (!fresh) return at->second;
    Nature& nature = at->second;
    nature.plain = true;
    const isa::Meaning& meaning = spec_[form].meaning;
    std::vector<isa::Term> roots;
    for (const auto& write : meaning.writes) {
        roots.insert(roots.end(), {write.value, write.guard});
        if (write.index.valid()) roots.push_back(write.index);
        if (apart_.contains(write.element.index)) nature.plain = false;
    }
    // What accesses depend on is not the instruction's business but the translation's.
    std::vector<isa::Term> stores;
    for (const auto& store : meaning.stores) stores.insert(stores.end(), {store.guard, store.physical, store.data});
    for (const auto& trap : meaning.traps)
        if (spec_[trap.cause].kind != isa::TrapKind::memory) roots.push_back(trap.guard);
    const auto each = [&](std::span<const isa::Term> terms, const auto& visit) {
        for (const auto variable : spec_.terms.support(terms))
            for (std::uint32_t i = 0; i < spec_.elements.size(); ++i)
                if (spec_.elements[i].variable == variable) visit(i);
    };
    each(roots, [&](std::uint32_t element) {
        if (apart_.contains(element)) nature.plain = false;
        if (of_platform(spec_.elements[element])) nature.platform = true;
    });
    each(stores, [&](std::uint32_t element) {
        if (of_platform(spec_.elements[element])) nature.platform = true;
    });
    return nature;
}

bool Lockstep::device(std::uint64_t address) const {
    return std::any_of(devices_.begin(), devices_.end(), [&](const Peer::Range& range) {
        return address >= range.address && address - range.address < range.size;
    });
}

bool Lockstep::writes(const RetireEvent& event, const isa::Register& reg) const {
    for (const auto& piece : reg.pieces)
        for (const auto& change : event.changes)
            if (change.slot == spec_[piece.element].slot + piece.entry && piece.element != spec_.pc) return true;
    return false;
}

// Stores as ranges of bytes as they are after the instruction; those that devices listen to are theirs.
std::vector<Lockstep::Stored> Lockstep::stored(const RetireEvent& event) const {
    std::map<std::uint64_t, std::uint8_t> bytes;
    for (const auto& store : event.stores)
        if (!device(store.address)) bytes[store.address] = static_cast<std::uint8_t>(store.value);
    std::vector<Stored> result;
    for (const auto& [address, byte] : bytes) {
        if (result.empty() || result.back().range.address + result.back().range.size != address)
            result.push_back({{address, 0}, {}});
        ++result.back().range.size;
        result.back().bytes.push_back(byte);
    }
    return result;
}

std::string Lockstep::line(const Past& past) const {
    const unsigned digits = (spec_[spec_.pc].width + 3) / 4;
    std::string text = fmt::format("{:0{}x}  ", past.pc, digits);
    if (past.form.valid()) text += isa::disassemble(spec_, {past.form, past.fields}, past.pc);
    if (past.form.valid() && !past.what.empty()) text += "  ";
    return text + past.what;
}

void Lockstep::report(const std::string& table) {
    difference_ = fmt::format("lockstep: {} instructions agree, then model and {} part at {:#x}\n", agreed_,
                              peer_.name(), past_.back().pc);
    for (const auto& past : past_)
        difference_ += fmt::format("  {} {}\n", &past == &past_.back() ? ">" : " ", line(past));
    difference_ += table;
}

std::string Lockstep::summary() const {
    return fmt::format(
        "lockstep: {} instructions agree with {}; {} values depend on the platform, {} states are the model's "
        "alone; not compared: {}",
        agreed_, peer_.name(), followed_, imposed_, fmt::join(alone_, ", "));
}

}  // namespace pogo::cosim
