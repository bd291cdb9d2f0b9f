// Fetching, decoding and the caches that make them fast.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "isa/require.hpp"
#include "machine.hpp"

namespace pogo::model {

namespace {

template <class T>
inline std::uint64_t number_at(const std::byte* at) {
    T value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// The first bytes of an encoding, at most 8, as a number. Only equality matters.
inline std::uint64_t bits_at(const std::byte* at, unsigned bytes) {
    switch (bytes) {
        case 1:
            return number_at<std::uint8_t>(at);
        case 2:
            return number_at<std::uint16_t>(at);
        case 4:
            return number_at<std::uint32_t>(at);
        case 8:
            return number_at<std::uint64_t>(at);
        default: {
            std::uint64_t bits = 0;
            std::memcpy(&bits, at, bytes);
            return bits;
        }
    }
}

constexpr std::size_t most_encodings = 65536;

}  // namespace

std::size_t Machine::HashParcels::operator()(const std::vector<std::uint64_t>& parcels) const noexcept {
    std::uint64_t hash = parcels.size();
    for (const auto parcel : parcels) hash = (hash ^ parcel) * 0x9e3779b97f4a7c15U ^ hash >> 29;
    return hash ^ hash >> 32;
}

void Machine::fetch(std::uint64_t pc, Fetched& fetched) {
    const FetchEntry& entry = fetches_[(pc >> fetch_shift_) % fetch_entries];
    if (entry.pc == pc && entry.epoch == fetch_epoch_ && bits_at(entry.host, entry.bytes) == entry.bits) [[likely]] {
        fetched.operation = entry.operation;
        fetched.physical = entry.physical;
        fetched.units = entry.units;
        fetched.contiguous = true;
        fetched.bus_error = false;
        fetched.wait = 0;
        if (icache_) [[unlikely]]
            fetched.wait =
                std::uint64_t{icache_->access(entry.physical, entry.units, memory_.last(), traffic_.icache)} *
                spec_.timing.icache.miss;
    } else {
        fetch_slowly(pc, fetched);
    }
}

// The translation's own program. It runs in the middle of an instruction's, so it has an array of its own.
std::optional<std::uint64_t> Machine::walk(std::uint64_t address, unsigned access, unsigned units) {
    const auto& layout = compiler_->layout();
    values_[layout.address] = address;
    values_[layout.access] = access;
    values_[layout.units] = units & 0xff;
    const isa::Program& program = translation_.expression.program;
    for (const auto leaf : translation_.expression.leaves) walk_values_[leaf] = values_[leaf];
    const auto holds = [&](std::uint32_t guard) { return guard == Code::none || walk_values_[guard] != 0; };
    auto& walks = access == static_cast<unsigned>(isa::Access::fetch) ? traffic_.fetch : traffic_.data;
    bool loaded = again_;
    std::size_t step = 0;
    std::size_t trap = 0;
    for (std::size_t phase = 0;; ++phase) {
        isa::fold(program, step, translation_.phases[phase].end, wide_domain_, walk_values_.data());
        step = translation_.phases[phase].end;
        for (; trap < translation_.phases[phase].traps_end; ++trap)
            if (holds(translation_.traps[trap].guard)) {
                fault_ = &spec_.translation.faults[translation_.traps[trap].number];
                attempt_ = {address, access, units};
                return std::nullopt;
            }
        if (phase == translation_.loads.size()) break;
        const auto& load = translation_.loads[phase];
        Word result = 0;
        if (holds(load.guard)) {
            ++loads_done_;
            const auto from = static_cast<std::uint64_t>(walk_values_[load.physical]);
            result = memory_.load(from, load.units);
            if (!again_) {
                if (!std::exchange(loaded, true)) ++walks.count;
                ++walks.loads;
                if (dcache_) load_misses_ += miss(from, load.units);
            }
            walked_[walked_number(from)] = true;
        }
        walk_values_[load.result] = result;
        values_[load.result] = static_cast<std::uint64_t>(result);
    }
    const auto physical = static_cast<std::uint64_t>(walk_values_[translation_.results[0]]);
    if (page_bits_ > 0 && (address & (units - 1)) == 0) {
        const std::size_t number = mapping_number(address, access);
        // What fetches_ knows of a page goes with the page's mapping.
        if (const Mapping& old = mappings_[number];
            old.epoch != 0 && old.access == static_cast<unsigned>(isa::Access::fetch) &&
            (old.epoch != epoch_ || old.page != address >> page_bits_ || old.access != access) &&
            !spec_.translation.loads.empty()) {
            ++fences_;
            fetch_epoch_ = epoch_ | fences_ << 32;
        }
        mappings_[number] = {epoch_, address >> page_bits_, physical & ~page_mask_, access};
        for (std::size_t i = 1; i < translation_.results.size() && stale_tlb_; ++i)
            tags_[number * (translation_.results.size() - 1) + i - 1] =
                static_cast<std::uint64_t>(walk_values_[translation_.results[i]]);
    }
    return physical;
}

// Parcels are fetched one by one, each by its own translation, and no more than decoding asks for. Instructions come
// from memory alone: a fetch has no side effects, so fetching ahead has none either.
void Machine::fetch_slowly(std::uint64_t pc, Fetched& fetched) {
    if (fetch_epoch_ == stale_epoch) {
        enter_epoch();
        return fetch(pc, fetched);
    }
    fetched = {};
    loads_done_ = load_misses_ = 0;
    parcels_.clear();
    places_.clear();
    const auto unit_bytes = std::size_t{1} << memory_.format().shift;
    const std::byte* first = nullptr;
    bool together = true;  // in host memory
    unsigned wanted = 1;
    for (;;) {
        while (parcels_.size() < wanted) {
            const std::uint64_t offset = parcels_.size() * spec_.parcel_units;
            const auto physical =
                translate((pc + offset) & address_mask_, static_cast<unsigned>(isa::Access::fetch), spec_.parcel_units);
            fetched.wait = walk_wait();
            if (!physical) return;
            const std::byte* const at = memory_.host(*physical, spec_.parcel_units, false);
            if (parcels_.empty()) {
                fetched.physical = *physical;
                first = at;
            }
            fetched.contiguous = fetched.contiguous && *physical == ((fetched.physical + offset) & memory_.last());
            together = together && at != nullptr && first != nullptr && at == first + offset * unit_bytes;
            if (at != nullptr) {
                places_.push_back(*physical);
                parcels_.push_back(static_cast<std::uint64_t>(memory_.load(*physical, spec_.parcel_units)));
                continue;
            }
            Word parcel = 0;
            const auto& format = memory_.format();
            for (unsigned i = 0; i < spec_.parcel_units; ++i) {
                const std::byte* const unit = memory_.host((*physical + i) & memory_.last(), 1, false);
                fetched.bus_error = fetched.bus_error || unit == nullptr;
                const Word value = unit == nullptr ? 0 : format.get(unit);
                parcel |= value << (format.bits * (format.big_endian ? spec_.parcel_units - 1 - i : i));
            }
            parcels_.push_back(static_cast<std::uint64_t>(parcel));
        }
        Decoding& decoding = decode(parcels_);
        if (decoding.wanted == 0) {
            fetched.operation = &decoding.operation;
            break;
        }
        wanted = decoding.wanted;
    }
    fetched.units = static_cast<unsigned>(parcels_.size()) * spec_.parcel_units;
    if (icache_) fetched.wait += std::uint64_t{fetch_lines()} * spec_.timing.icache.miss;
    const auto bytes = fetched.units * unit_bytes;
    if (together && fetched.contiguous && bytes <= 8) {
        FetchEntry& entry = fetches_[(pc >> fetch_shift_) % fetch_entries];
        const auto length = static_cast<unsigned>(bytes);
        entry = {fetch_epoch_,     pc,     bits_at(first, length), first, fetched.operation,
                 fetched.physical, length, fetched.units};
    }
}

// An access for each line that the parcels lie in, as for parcels that follow one another.
unsigned Machine::fetch_lines() {
    const unsigned line = spec_.timing.icache.line;
    unsigned misses = 0;
    std::optional<std::uint64_t> previous;
    for (const auto place : places_)
        for (unsigned i = 0; i < spec_.parcel_units; ++i) {
            const std::uint64_t unit = (place + i) & memory_.last();
            if (previous && *previous / line == unit / line) continue;
            misses += icache_->access(unit, 1, memory_.last(), traffic_.icache);
            previous = unit;
        }
    return misses;
}

Machine::Decoding& Machine::decode(const std::vector<std::uint64_t>& parcels) {
    const auto [found, fresh] = decodings_.try_emplace(parcels);
    Decoding& decoding = found->second;
    if (!fresh) return decoding;
    unsigned wanted = 1;
    auto decoded = decoder_.decode(parcels, wanted);
    Operation& operation = decoding.operation;
    operation.opcode = parcels.front();
    operation.length = spec_.parcel_units;
    if (!decoded) {
        if (wanted > parcels.size()) decoding.wanted = wanted;
        return decoding;
    }
    const auto& form = spec_[decoded->form];
    const auto number = decoded->form.index;
    operation.form = decoded->form;
    operation.fields = std::move(decoded->fields);
    operation.parcels = static_cast<unsigned>(form.encoding.parcels.size());
    operation.length = operation.parcels * spec_.parcel_units;
    const unsigned per_cycle = std::max(spec_.timing.fetch_parcels, 1U);
    operation.fetch_cycles = (operation.parcels + per_cycle - 1) / per_cycle;
    const auto timing_class = spec_[form.instruction].timing_class;
    if (timing_class < spec_.timing.classes.size()) {
        const auto& timing = spec_.timing.classes[timing_class];
        operation.occupies = std::max(timing.occupies, 1U);
        operation.latency = std::max(timing.latency, 1U);
        operation.serialises = timing.serialises;
    }
    if (form_codes_[number] == nullptr) {
        form_codes_[number] = std::make_unique<Code>(compiler_->compile(form));
        form_reads_[number] = std::make_unique<Reads>(compiler_->reads(form));
        refresh_constants();
    }
    operation.code = form_codes_[number].get();
    const Reads& reads = *form_reads_[number];
    operation.reads = reads.known;
    if (!reads.bases.empty()) {
        std::copy(operation.fields.begin(), operation.fields.end(), values_.begin() + compiler_->layout().fields);
        begin(reads.indices);
        compute(reads.indices, 0, reads.indices.program.steps.size());
        for (std::size_t i = 0; i < reads.bases.size(); ++i)
            operation.reads.push_back(reads.bases[i] +
                                      static_cast<std::uint32_t>(value(reads.indices, reads.indices.program.roots[i])));
        std::sort(operation.reads.begin(), operation.reads.end());
        operation.reads.erase(std::unique(operation.reads.begin(), operation.reads.end()), operation.reads.end());
    }
    return decoding;
}

void Machine::specialise(Operation& operation) {
    operation.own = std::make_unique<Code>(compiler_->compile(spec_[operation.form], operation.fields));
    operation.code = operation.own.get();
    refresh_constants();
}

void Machine::trim() {
    const bool exhausted = compiler_->exhausted();
    if (decodings_.size() <= most_encodings && !exhausted) return;
    fetch_epoch_ = stale_epoch;
    ++fences_;
    decodings_.clear();
    if (!exhausted) return;
    // A new compiler has the same layout, but other constants: everything is compiled anew.
    auto compiler = std::make_unique<Compiler>(spec_);
    form_codes_.clear();
    form_codes_.resize(spec_.forms.size());
    form_reads_.clear();
    form_reads_.resize(spec_.forms.size());
    entry_codes_.clear();
    trap_arguments_.clear();
    destinations_.clear();
    compiler_ = std::move(compiler);
    compile_conditions();
}

}  // namespace pogo::model
