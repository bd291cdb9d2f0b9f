// Patches: what a guest executes in place of what does not trap.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "isa/assembly.hpp"
#include "remedies.hpp"

namespace pogo::check {

using isa::FormId;

namespace {

/// A first parcel that begins no instruction, small or made of ones only if there is one.
std::optional<std::uint64_t> undecodable(const isa::Spec& spec) {
    const isa::Decoder decoder(spec);
    const unsigned bits = spec.parcel_bits();
    const auto all = static_cast<std::uint64_t>(isa::ones(bits));
    const std::uint64_t count = std::uint64_t{1} << std::min(bits, 16U);
    for (const unsigned shift : {0U, bits - std::min(bits, 16U)})
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t parcel = i << shift & all;
            unsigned wanted = 0;
            if (!decoder.decode(std::span(&parcel, 1), wanted) && wanted <= 1) return parcel;
        }
    return std::nullopt;
}

/// A form that always goes to the monitor, of as few kinds of use to a guest as there are.
std::optional<Replacement> leaving_form(const isa::Spec& spec, const Under& under, const TrapSet& set,
                                        std::size_t parcels) {
    for (const auto kind : {isa::TrapKind::illegal, isa::TrapKind::exit, isa::TrapKind::privilege, isa::TrapKind::call})
        for (std::uint32_t i = 0; i < spec.forms.size(); ++i) {
            const isa::Form& form = spec.forms[i];
            const bool patched = std::any_of(set.elements.begin(), set.elements.end(), [&](const auto& element) {
                return element.instruction == form.instruction;
            });
            const bool raises = std::any_of(form.meaning.traps.begin(), form.meaning.traps.end(),
                                            [&](const auto& trap) { return spec[trap.cause].kind == kind; });
            const std::vector<std::uint64_t> zeros(form.fields.size(), 0);
            if (patched || !raises || form.encoding.parcels.size() > parcels || !permits(spec, form, zeros) ||
                under.leaves({i}) != Verdict::yes)
                continue;
            return Replacement{encode(form, zeros), FormId{i}, Verdict::yes};
        }
    return std::nullopt;
}

}  // namespace

std::optional<Replacement> replacement(const isa::Spec& spec, const Under& under, const TrapSet& set,
                                       std::size_t parcels) {
    std::optional<Replacement> result;
    const auto nothing = undecodable(spec);
    if (nothing && under.stays(spec.illegal.cause) == Verdict::no)
        result = Replacement{{*nothing}, {}, Verdict::yes};
    else
        result = leaving_form(spec, under, set, parcels);
    if (result) result->parcels.resize(parcels, 0);
    return result;
}

const Patch* PatchList::find(FormId form) const {
    const auto place = std::find_if(patches.begin(), patches.end(), [&](const Patch& p) { return p.form == form; });
    return place == patches.end() ? nullptr : &*place;
}

Verdict PatchList::complete() const {
    Verdict result = set.exists();
    for (const Patch& patch : patches)
        result = both(result, patch.possible() ? replacements[patch.replacement].leaves : Verdict::no);
    return result;
}

PatchList patch_list(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings, TrapSet set,
                     const Options& options) {
    const Under under(spec, map, findings, options);
    PatchList result;
    for (std::size_t e = 0; e < set.elements.size(); ++e)
        for (const FormId form : set.elements[e].forms)
            if (result.find(form) == nullptr) result.patches.push_back({form, e, Patch::none});
    std::sort(result.patches.begin(), result.patches.end(),
              [](const auto& a, const auto& b) { return a.form < b.form; });
    std::map<std::size_t, std::size_t> by_length;
    for (Patch& patch : result.patches) {
        const std::size_t parcels = spec[patch.form].encoding.parcels.size();
        const auto [place, fresh] = by_length.try_emplace(parcels, Patch::none);
        if (fresh)
            if (auto found = replacement(spec, under, set, parcels)) {
                place->second = result.replacements.size();
                result.replacements.push_back(std::move(*found));
            }
        patch.replacement = place->second;
    }
    result.set = std::move(set);
    return result;
}

std::vector<PatchSite> patch(const isa::Spec& spec, const PatchList& list, std::span<std::uint64_t> units,
                             std::uint64_t base) {
    const isa::Decoder decoder(spec);
    std::vector<PatchSite> result;
    std::size_t at = 0;
    while (at + spec.parcel_units <= units.size()) {
        std::vector<std::uint64_t> parcels;
        std::optional<isa::Decoded> decoded;
        for (unsigned wanted = 1; !decoded && parcels.size() < wanted;) {
            const std::size_t next = at + parcels.size() * spec.parcel_units;
            if (next + spec.parcel_units > units.size()) break;
            parcels.push_back(isa::parcel_of(spec, &units[next]));
            decoded = decoder.decode(parcels, wanted);
        }
        const std::size_t length = (decoded ? spec[decoded->form].encoding.parcels.size() : 1) * spec.parcel_units;
        const Patch* found = decoded ? list.find(decoded->form) : nullptr;
        if (found != nullptr && found->possible() && covers(spec, list.set.elements[found->element], *decoded)) {
            PatchSite site{base + at, std::move(*decoded), {}, {}};
            site.before.assign(units.begin() + static_cast<std::ptrdiff_t>(at),
                               units.begin() + static_cast<std::ptrdiff_t>(at + length));
            site.after = isa::units_of(spec, list.replacements[found->replacement].parcels);
            std::copy(site.after.begin(), site.after.end(), units.begin() + static_cast<std::ptrdiff_t>(at));
            result.push_back(std::move(site));
        }
        at += length;
    }
    return result;
}

}  // namespace pogo::check
