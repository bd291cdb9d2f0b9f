// Correspondences: which bits of two machines' states are meant to be the same, by equal names and by a file.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>

#include "check/diff.hpp"
#include "isa/require.hpp"

namespace pogo::check {

using isa::Code;
using isa::ElementId;
using isa::Spec;
using isa::Toml;
using isa::Word;

namespace {

using Part = Correspondence::Part;

/// Bits of state in a row, low to high: each of an element, or constant.
struct Stretch {
    Part part;
    unsigned width = 0;
    Word constant = 0;
};
struct View {
    std::vector<Stretch> stretches;
    unsigned width = 0;
};

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

/// One machine by the names of its state.
class Names {
  public:
    explicit Names(const Spec& spec) : spec_(&spec) {
        for (const auto& reg : spec.registers) order_.push_back(reg.name);
        for (const auto& element : spec.elements)
            if (spec.find_register(element.name) == nullptr) order_.push_back(element.name);
        for (const auto& name : order_) folded_[lower(name)].push_back(name);
    }

    [[nodiscard]] const std::vector<std::string>& all() const { return order_; }

    /// The name itself, or the only one that is spelt so but for its case; empty: none.
    [[nodiscard]] std::string like(const std::string& name) const {
        const auto it = folded_.find(lower(name));
        if (it == folded_.end()) return {};
        if (std::find(it->second.begin(), it->second.end(), name) != it->second.end()) return name;
        return it->second.size() == 1 ? it->second.front() : std::string();
    }

    [[nodiscard]] ElementId file(std::string_view name) const {
        const ElementId id = spec_->find_element(name);
        return id.valid() && (*spec_)[id].is_file() ? id : ElementId{};
    }

    /// "name" or "file[entry]".
    [[nodiscard]] std::optional<View> view(std::string_view name) const {
        View result;
        if (const auto* reg = spec_->find_register(name)) {
            auto pieces = reg->pieces;
            std::sort(pieces.begin(), pieces.end(), [](const auto& x, const auto& y) { return x.low < y.low; });
            const auto constant = [&](unsigned end) {
                if (result.width < end)
                    result.stretches.push_back(
                        {{}, end - result.width, reg->constant >> result.width & isa::ones(end - result.width)});
                result.width = std::max(result.width, end);
            };
            for (const auto& piece : pieces) {
                constant(piece.low);
                result.stretches.push_back({{piece.element, piece.entry, piece.from}, piece.high - piece.low + 1, 0});
                result.width = piece.high + 1;
            }
            constant(reg->width);
            return result;
        }
        unsigned entry = 0;
        const auto bracket = name.find('[');
        if (bracket != std::string_view::npos) {
            const char* const end = name.data() + name.size() - 1;
            const auto [at, error] = std::from_chars(name.data() + bracket + 1, end, entry);
            if (error != std::errc{} || at != end || *end != ']') return std::nullopt;
        }
        const ElementId id = spec_->find_element(name.substr(0, bracket));
        if (!id.valid() || (*spec_)[id].is_file() != (bracket != std::string_view::npos) ||
            entry >= (*spec_)[id].entries)
            return std::nullopt;
        result.width = (*spec_)[id].width;
        result.stretches.push_back({{id, entry, 0}, result.width, 0});
        return result;
    }

  private:
    const Spec* spec_;
    std::vector<std::string> order_;
    std::map<std::string, std::vector<std::string>> folded_;
};

/// "r{1..3}" as r1, r2, r3; a name without braces as itself.
std::vector<std::string> spread(const std::string& name) {
    const auto open = name.find('{');
    const auto close = name.find('}', open);
    const auto dots = name.find("..", open);
    if (open == std::string::npos || close == std::string::npos || dots > close) return {name};
    unsigned first = 0;
    unsigned last = 0;
    const auto number = [&](std::size_t from, std::size_t to, unsigned& value) {
        const auto [at, error] = std::from_chars(name.data() + from, name.data() + to, value);
        return error == std::errc{} && at == name.data() + to;
    };
    if (!number(open + 1, dots, first) || !number(dots + 2, close, last) || last - first > 1024) return {name};
    std::vector<std::string> result;
    for (unsigned i = first; i <= last; ++i)
        result.push_back(fmt::format("{}{}{}", name.substr(0, open), i, name.substr(close + 1)));
    return result;
}

class Reader {
  public:
    Reader(Spec& a, const Spec& b, isa::Diagnostics& diagnostics)
        : a_(a), b_(b), diagnostics_(diagnostics), names_a_(a), names_b_(b) {}

    std::optional<Correspondence> read(const Toml* file) {
        const Toml nothing;
        isa::TomlTable table(file == nullptr ? nothing : *file, diagnostics_);
        if (const Toml* ignored = table.table("ignore")) each(*ignored, "", [&](auto&&... x) { ignore(x...); });
        if (const Toml* renamed = table.table("registers")) each(*renamed, "", [&](auto&&... x) { rename(x...); });
        if (const Toml* modes = table.table("modes")) each(*modes, "", [&](auto&&... x) { mode(x...); });
        if (const Toml* traps = table.table("traps"))
            each(
                *traps, "", [&](auto&&... x) { trap(x...); }, true);
        (void)table.table("assume");
        if (const Toml* expected = table.table("expected")) expect(*expected);
        table.finish();
        by_names();
        traps_by_names();
        complete();
        if (diagnostics_.has_errors()) return std::nullopt;
        return std::move(result_);
    }

  private:
    /// Keys with dots may be written with quotes or without.
    template <class Each>
    void each(const Toml& table, const std::string& prefix, const Each& use, bool lists = false) {
        for (const auto& entry : table.entries)
            if (entry.value.kind == Toml::Kind::table)
                each(entry.value, prefix + entry.key + ".", use, lists);
            else if (lists && entry.value.kind == Toml::Kind::array)
                for (const auto& item : entry.value.items) {
                    if (isa::is(item, Toml::Kind::string, diagnostics_)) use(prefix + entry.key, entry.where, item);
                }
            else if (isa::is(entry.value, Toml::Kind::string, diagnostics_))
                use(prefix + entry.key, entry.where, entry.value);
    }

    void ignore(const std::string& written, isa::SourceRange where, const Toml& reason) {
        for (const auto& name : spread(written)) {
            collect(name, where, ignored_[0], ignored_[1]);
            settled_[0].insert(name);
            settled_[1].insert(name);
        }
        result_.ignored.push_back({written, reason.text});
    }

    /// The elements of either machine that the name is of.
    void collect(const std::string& name, isa::SourceRange where, std::set<std::uint32_t>& of_a,
                 std::set<std::uint32_t>& of_b) {
        bool known = false;
        for (const auto& [names, elements] : {std::pair(&names_a_, &of_a), std::pair(&names_b_, &of_b)}) {
            const ElementId file = names->file(name);
            const auto view = names->view(name);
            if (file.valid()) elements->insert(file.index);
            if (view)
                for (const auto& stretch : view->stretches)
                    if (stretch.part.element.valid()) elements->insert(stretch.part.element.index);
            known = known || file.valid() || view;
        }
        if (!known) diagnostics_.report(Code::E0813, where, "register", name, "either machine");
    }

    void rename(const std::string& of_b, isa::SourceRange where, const Toml& of_a) {
        const auto b = spread(of_b);
        const auto a = spread(of_a.text);
        if (a.size() != b.size()) {
            diagnostics_.report(Code::E0814, of_a.where, of_a.text, of_b, "their numbers are not the same");
            return;
        }
        for (std::size_t i = 0; i < a.size(); ++i) {
            const bool file_a = names_a_.file(a[i]).valid();
            const bool file_b = names_b_.file(b[i]).valid();
            if (!file_a && !names_a_.view(a[i]))
                diagnostics_.report(Code::E0813, of_a.where, "register", a[i], "A");
            else if (!file_b && !names_b_.view(b[i]))
                diagnostics_.report(Code::E0813, where, "register", b[i], "B");
            else
                link(a[i], b[i], of_a.where);
            settled_[0].insert(a[i]);
            settled_[1].insert(b[i]);
        }
    }

    void mode(const std::string& of_b, isa::SourceRange where, const Toml& of_a) {
        const isa::ModeId a = a_.find_mode(of_a.text);
        const isa::ModeId b = b_.find_mode(of_b);
        if (!a.valid()) diagnostics_.report(Code::E0813, of_a.where, "mode", of_a.text, "A");
        if (!b.valid()) diagnostics_.report(Code::E0813, where, "mode", of_b, "B");
        if (!a.valid() || !b.valid()) return;
        for (const auto& part : a_[a].cube) by_mode_[0].insert(part.element.index);
        for (const auto& part : b_[b].cube) by_mode_[1].insert(part.element.index);
        result_.modes.emplace_back(a, b);
    }

    [[nodiscard]] bool alike(isa::CauseId a, isa::CauseId b) const {
        const auto& of_a = a_[a].parameters;
        const auto& of_b = b_[b].parameters;
        return std::equal(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                          [&](auto x, auto y) { return a_.terms.sort(x) == b_.terms.sort(y); });
    }

    void trap(const std::string& of_b, isa::SourceRange where, const Toml& of_a) {
        const isa::CauseId a = a_.find_cause(of_a.text);
        const isa::CauseId b = b_.find_cause(of_b);
        if (!a.valid())
            diagnostics_.report(Code::E0813, of_a.where, "trap", of_a.text, "A");
        else if (!b.valid())
            diagnostics_.report(Code::E0813, where, "trap", of_b, "B");
        else if (!alike(a, b))
            diagnostics_.report(Code::E0814, of_a.where, of_a.text, of_b, "their parameters are not the same");
        else
            result_.traps.emplace_back(a, b);
    }

    void traps_by_names() {
        const auto taken = [&](isa::CauseId a, isa::CauseId b) {
            return std::any_of(result_.traps.begin(), result_.traps.end(),
                               [&](const auto& pair) { return pair.first == a || pair.second == b; });
        };
        for (std::uint32_t i = 0; i < a_.causes.size(); ++i) {
            const isa::CauseId b = b_.find_cause(a_.causes[i].name);
            if (b.valid() && !taken({i}, b) && alike({i}, b)) result_.traps.emplace_back(isa::CauseId{i}, b);
        }
    }

    // The conditions are the last invariants of A, in the same order.
    void expect(const Toml& table) {
        std::size_t conditions = 0;
        for (const auto& entry : table.entries)
            for (const auto& inner : entry.value.entries) conditions += inner.key == "when" ? 1 : 0;
        std::size_t next = a_.invariants.size() - conditions;
        for (const auto& entry : table.entries) {
            Correspondence::Expected expected{entry.key, entry.value.text, {}, entry.where, true, {}, {}};
            if (entry.value.kind == Toml::Kind::table) {
                isa::TomlTable keys(entry.value, diagnostics_);
                expected.reason = keys.required_string("reason").value_or("");
                if (keys.string("when")) expected.when = a_.invariants.at(next++).holds;
                if (const Toml* parts = keys.array("in")) {
                    expected.everything = false;
                    for (const auto& part : isa::strings_of(*parts, diagnostics_))
                        for (const auto& name : spread(part))
                            collect(name, parts->where, expected.elements_a, expected.elements_b);
                }
                keys.finish();
            } else if (!isa::is(entry.value, Toml::Kind::string, diagnostics_)) {
                continue;
            }
            result_.expected.push_back(std::move(expected));
        }
        a_.invariants.resize(a_.invariants.size() - conditions);
    }

    void by_names() {
        for (const auto& name : names_a_.all()) {
            const std::string other = names_b_.like(name);
            if (other.empty() || names_a_.like(other) != name) continue;
            if (settled_[0].contains(name) || settled_[1].contains(other)) continue;
            const auto fits = [&] {
                if (names_a_.file(name).valid() || names_b_.file(other).valid())
                    return names_a_.file(name).valid() && names_b_.file(other).valid();
                return names_a_.view(name)->width == names_b_.view(other)->width;
            };
            if (fits()) link(name, other, {});
        }
    }

    void link(const std::string& of_a, const std::string& of_b, isa::SourceRange where) {
        const ElementId file_a = names_a_.file(of_a);
        const ElementId file_b = names_b_.file(of_b);
        if (file_a.valid() || file_b.valid()) {
            const bool alike = file_a.valid() && file_b.valid() && a_[file_a].width == b_[file_b].width &&
                               a_[file_a].entries == b_[file_b].entries;
            if (!alike) {
                diagnostics_.report(Code::E0814, where, of_a, of_b, "they are not register files of the same shape");
                return;
            }
            result_.files.emplace_back(file_a, file_b);
            return;
        }
        const View a = names_a_.view(of_a).value();
        const View b = names_b_.view(of_b).value();
        if (a.width != b.width) {
            diagnostics_.report(Code::E0814, where, of_a, of_b,
                                fmt::format("they have {} and {} bits", a.width, b.width));
            return;
        }
        // Cut where either is cut.
        std::size_t i = 0;
        std::size_t j = 0;
        unsigned used_a = 0;
        unsigned used_b = 0;
        while (i < a.stretches.size()) {
            const Stretch& x = a.stretches[i];
            const Stretch& y = b.stretches[j];
            const unsigned width = std::min(x.width - used_a, y.width - used_b);
            add(x, used_a, y, used_b, width, of_a, of_b, where);
            used_a += width;
            used_b += width;
            if (used_a == x.width) ++i, used_a = 0;
            if (used_b == y.width) ++j, used_b = 0;
        }
    }

    void add(const Stretch& x, unsigned used_a, const Stretch& y, unsigned used_b, unsigned width,
             const std::string& of_a, const std::string& of_b, isa::SourceRange where) {
        Correspondence::Link link{x.part, y.part, width, 0};
        link.a.low += used_a;
        link.b.low += used_b;
        const bool in_a = link.a.element.valid();
        const bool in_b = link.b.element.valid();
        if (in_a && in_b) {
            if (ignored_[0].contains(link.a.element.index) || ignored_[1].contains(link.b.element.index)) return;
            if (by_mode_[0].contains(link.a.element.index) && by_mode_[1].contains(link.b.element.index)) return;
            const auto files = std::pair(link.a.element, link.b.element);
            if (link.a.entry == link.b.entry &&
                std::find(result_.files.begin(), result_.files.end(), files) != result_.files.end())
                return;
        } else if (in_a || in_b) {
            link.constant = in_a ? y.constant >> used_b : x.constant >> used_a;
            link.constant &= isa::ones(width);
            if (in_a ? ignored_[0].contains(link.a.element.index) : ignored_[1].contains(link.b.element.index)) return;
        } else {
            if (((x.constant >> used_a ^ y.constant >> used_b) & isa::ones(width)) != 0)
                diagnostics_.report(Code::E0814, where, of_a, of_b, "they have constant bits that differ");
            return;
        }
        const auto key = [](const Part& part) { return std::tuple(part.element.index, part.entry, part.low); };
        if (known_.insert(std::tuple(key(link.a), key(link.b), width, static_cast<std::uint64_t>(link.constant)))
                .second)
            result_.links.push_back(link);
    }

    /// Every bit has a counterpart or is ignored.
    void complete() {
        std::vector<std::string> missing;
        for (const int side : {0, 1}) {
            const Spec& spec = side == 0 ? a_ : b_;
            std::vector<Word> linked(spec.slots, 0);
            for (const auto& link : result_.links) {
                const Part& part = side == 0 ? link.a : link.b;
                if (part.element.valid())
                    linked[spec[part.element].slot + part.entry] |= isa::ones(link.width) << part.low;
            }
            for (const auto& [a, b] : result_.files) {
                const ElementId id = side == 0 ? a : b;
                for (unsigned i = 0; i < spec[id].entries; ++i) linked[spec[id].slot + i] = isa::ones(spec[id].width);
            }
            for (std::uint32_t e = 0; e < spec.elements.size(); ++e) {
                const auto& element = spec.elements[e];
                if (ignored_[side].contains(e) || by_mode_[side].contains(e)) continue;
                bool all = true;
                for (unsigned i = 0; i < element.entries; ++i)
                    all = all && linked[element.slot + i] == isa::ones(element.width);
                if (!all) missing.push_back(fmt::format("{} ({})", element.name, side == 0 ? "A" : "B"));
            }
        }
        if (!missing.empty())
            diagnostics_.report(Code::E0815, isa::SourceRange{}, fmt::format("{}", fmt::join(missing, ", ")));
    }

    Spec& a_;
    const Spec& b_;
    isa::Diagnostics& diagnostics_;
    Names names_a_;
    Names names_b_;
    Correspondence result_;
    std::set<std::string> settled_[2];    ///< names that the file speaks of
    std::set<std::uint32_t> ignored_[2];  ///< elements
    std::set<std::uint32_t> by_mode_[2];  ///< elements
    std::set<std::tuple<std::tuple<std::uint32_t, unsigned, unsigned>, std::tuple<std::uint32_t, unsigned, unsigned>,
                        unsigned, std::uint64_t>>
        known_;
};

}  // namespace

Conditions conditions_of(const Toml& file, isa::Diagnostics& diagnostics) {
    Conditions result;
    for (const auto& entry : file.entries) {
        if (entry.key == "assume" && isa::is(entry.value, Toml::Kind::table, diagnostics)) {
            isa::TomlTable sides(entry.value, diagnostics);
            for (const auto& [key, list] : {std::pair("A", &result.a), std::pair("B", &result.b)})
                if (const Toml* array = sides.array(key))
                    for (const auto& item : array->items)
                        if (isa::is(item, Toml::Kind::string, diagnostics)) list->push_back(&item);
            sides.finish();
        }
        if (entry.key == "expected")
            for (const auto& row : entry.value.entries)
                for (const auto& key : row.value.entries)
                    if (key.key == "when" && isa::is(key.value, Toml::Kind::string, diagnostics))
                        result.when.push_back(&key.value);
    }
    return result;
}

std::optional<Correspondence> read_correspondence(Spec& a, const Spec& b, const Toml* file,
                                                  isa::Diagnostics& diagnostics) {
    return Reader(a, b, diagnostics).read(file);
}

}  // namespace pogo::check
