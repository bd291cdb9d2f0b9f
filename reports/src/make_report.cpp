// Making the report: findings and their confirmation as plain data.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sha256.h>

#include <algorithm>
#include <array>

#include "format.hpp"
#include "isa/assembly.hpp"
#include "isa/refusals.hpp"
#include "isa/require.hpp"
#include "leak.hpp"
#include "probe.hpp"
#include "report/report.hpp"

namespace pogo::report {

Decision decision(check::Verdict verdict) {
    switch (verdict) {
        case check::Verdict::no:
            return Decision::refuted;
        case check::Verdict::yes:
            return Decision::proved;
        case check::Verdict::unknown:
            return Decision::unknown;
    }
    POGO_REQUIRE(false);
}

namespace {

Answer answer(check::Verdict verdict) {
    switch (verdict) {
        case check::Verdict::no:
            return Answer::no;
        case check::Verdict::yes:
            return Answer::yes;
        case check::Verdict::unknown:
            return Answer::unknown;
    }
    POGO_REQUIRE(false);
}
Answers answers(const check::Models& models) { return {answer(models.strict), answer(models.extended)}; }

std::string sha256(std::string_view text) {
    std::array<char, SHA256_DIGEST_STRING_LENGTH> digest{};
    SHA256Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest.data());
    return digest.data();
}

/// A word as a POSIX shell takes it.
std::string quoted(const std::string& word) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
    };
    if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
    std::string result = "'";
    for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

class Maker {
  public:
    Maker(const isa::Spec& spec, const isa::SourceManager& sources, const check::Findings& findings,
          const Confirmation& confirmation, const Request& request)
        : spec_(spec),
          sources_(sources),
          findings_(findings),
          confirmation_(confirmation),
          request_(request),
          context_(spec[spec.find_context(findings.context)]),
          columns_(columns_of(spec, context_)),
          values_(named_values(spec)),
          probe_(spec) {}

    Report make() {
        Report report;
        report.tool_version = request_.tool_version;
        report.machine = spec_.name;
        report.title = spec_.title;
        report.file = request_.file;
        report.sha256 = hash(request_.file);
        for (const auto& [parameter, value] : spec_.parameters) report.parameters.emplace_back(parameter, value);
        if (request_.mapping_file) {
            report.mapping_file = *request_.mapping_file;
            report.mapping_sha256 = hash(*request_.mapping_file);
        }
        if (request_.extension_file) {
            report.extension_file = *request_.extension_file;
            report.extension_sha256 = hash(*request_.extension_file);
        }
        report.context = context_.name;
        report.supervisor = spec_[context_.supervisor].name;
        report.user = spec_[context_.user].name;
        for (const auto& [element, value, bits] : request_.check.assumptions)
            report.configuration.emplace_back(spec_[element].name,
                                              hex(static_cast<std::uint64_t>(value), spec_[element].width));
        report.rlimit = request_.check.rlimit;
        report.seed = request_.audit_seed;
        report.audit_states = request_.audit_states;
        for (const Column& column : columns_)
            report.columns.push_back({column.subject.name, std::string(isa::name(column.subject.role)),
                                      std::string(check::name(column.kind)), column.strict()});
        for (std::size_t i = 0; i < findings_.rows.size(); ++i) report.instructions.push_back(instruction(i));
        if (spec_.permissions.empty()) refusals(report);
        for (const auto& kept : findings_.invariants)
            report.invariants.push_back(
                {kept.name, location(kept.where), decision(kept.holds), kept.broken_by, kept.assumed});
        theorems(report);
        for (const auto& map : request_.maps) report.vm_maps.push_back(vm_map(map));
        report.statistics = findings_.statistics;
        report.problem = confirmation_.problem;
        report.command = command("check");
        const check::Options defaults;
        const auto option = [&](std::string_view flag, const std::string& value) {
            report.command += fmt::format(" {} {}", flag, quoted(value));
        };
        if (request_.check.context) option("--context", context_.name);
        for (const auto& [element, value] : report.configuration) option("--assume", element + "=" + value);
        if (report.rlimit != defaults.rlimit) option("--rlimit", std::to_string(report.rlimit));
        if (report.seed != 0) option("--seed", std::to_string(report.seed));
        if (report.audit_states != ConfirmOptions().states_per_instruction)
            option("--states", std::to_string(report.audit_states));
        if (!request_.check.witnesses) report.command += " --no-witnesses";
        if (!request_.maps.empty()) report.command += " --maps";
        return report;
    }

  private:
    void refusals(Report& report) const {
        for (const auto& mode : spec_.modes) report.modes.push_back(mode.name);
        auto refused = isa::refusals(spec_);
        for (std::size_t i = 0; i < refused.size(); ++i) report.instructions[i].refused = std::move(refused[i].when);
    }

    VmMap vm_map(const check::MapFindings& findings) const {
        VmMap result{findings.name, decision(findings.holds_configured), {}};
        for (const auto& obligation : findings.obligations) {
            const bool mended =
                findings.synthesis && findings.synthesis->found == check::Verdict::yes && !obligation.settings.empty();
            if (obligation.holds != check::Verdict::yes && !mended)
                result.failing.push_back(obligation.instruction.valid() ? spec_[obligation.instruction].name
                                                                        : obligation.name);
        }
        return result;
    }

    /// Of the text that was read under this name.
    std::string hash(const std::string& file) const {
        const auto buffer = sources_.find(file);
        return buffer ? sha256(sources_.text(*buffer)) : "";
    }

    std::string command(std::string_view action) const {
        std::string result = request_.mapping_file ? fmt::format("pogo {} --sail {} --map {}", action,
                                                                 quoted(request_.file), quoted(*request_.mapping_file))
                                                   : fmt::format("pogo {} {}", action, quoted(request_.file));
        for (const auto& [parameter, value] : request_.parameters)
            result += fmt::format(" --param {}", quoted(parameter + "=" + value));
        if (request_.extension_file) result += " --extension " + quoted(*request_.extension_file);
        return result;
    }

    Location location(isa::SourceRange range) const {
        if (!range.valid()) return {};
        const isa::Place place = sources_.place(range);
        Location result{std::string(place.file), place.line, place.column, std::string(sources_.line(range)), 1};
        if (!result.text.empty() && result.text.back() == '\r') result.text.pop_back();
        const std::size_t room = result.text.size() >= place.column ? result.text.size() - place.column + 1 : 1;
        result.length = static_cast<unsigned>(std::clamp<std::size_t>(range.end - range.begin, 1, room));
        return result;
    }

    Instruction instruction(std::size_t i) {
        const check::Row& row = findings_.rows[i];
        const isa::Instruction& info = spec_[row.instruction];
        Instruction result;
        result.name = info.name;
        result.identifier = info.identifier;
        result.assembly = info.assembly;
        result.encoding = info.encoding;
        result.where = location(info.where);
        result.privileged = check::name(row.privileged);
        if (row.privileged_when) result.privileged_when = check::text(spec_, *row.privileged_when);
        result.control = answers(row.control);
        for (const auto& written : row.writes)
            result.writes.push_back({written.subject.name, answer(written.supervisor), answer(written.user)});
        result.behavior = answers(row.behavior);
        for (const auto& d : row.depends_on)
            result.depends_on.push_back({d.subject.name, std::string(isa::name(d.subject.role)),
                                         std::string(check::name(d.kind)), d.strict, answer(d.supervisor),
                                         answer(d.user)});
        result.sensitive = answers(row.sensitive);
        result.user_sensitive = answers(row.user_sensitive);
        result.supervisor_sensitive = answers(row.supervisor_sensitive);
        result.critical = answers(row.critical);
        result.time_sensitive = answer(row.time_sensitive);
        for (const auto cause : row.traps)
            result.traps.push_back(fmt::format("{} ({})", spec_[cause].name, isa::name(spec_[cause].kind)));
        for (const Column& column : columns_)
            result.reads.push_back(std::any_of(row.touches.begin(), row.touches.end(), [&](const check::Touch& touch) {
                return touch.reads && std::find(column.elements.begin(), column.elements.end(), touch.element) !=
                                          column.elements.end();
            }));
        for (std::size_t j = 0; j < row.witnesses.size(); ++j)
            result.witnesses.push_back(witness(row.witnesses[j], confirmation_.replays[i][j]));
        result.unknowns = row.unknowns;
        const Audit& audit = confirmation_.audits[i];
        result.audit_states = audit.states;
        result.audit_pairs = audit.pairs;
        result.contradictions = audit.contradictions;
        return result;
    }

    Witness witness(const check::Witness& from, const Replay& replay) {
        Witness result;
        result.property = from.property;
        result.element = from.element;
        const isa::Form& form = spec_[from.form];
        result.variant = form.variant;
        const std::uint64_t pc = from.sides.empty() ? 0 : from.sides[0].state.get(spec_[spec_.pc]);
        result.instruction = isa::disassemble(spec_, {from.form, from.fields}, pc);
        for (const auto parcel : isa::encode(form, from.fields))
            result.bits +=
                fmt::format("{}{:0{}x}", result.bits.empty() ? "" : " ", parcel, (spec_.parcel_bits() + 3) / 4);
        result.choices = from.choices;
        result.replay = replay.status;
        result.mismatch = replay.mismatch;
        const auto leak = leak_of(spec_, columns_, from);
        const auto whole = spec_[form.instruction].where;
        // Where the text is shared with others it would blame the wrong one.
        if (leak.valid() && leak.buffer == whole.buffer && whole.begin <= leak.begin && leak.end <= whole.end)
            result.leak = location(leak);
        for (std::size_t i = 0; i < from.sides.size(); ++i)
            result.states.push_back(state(from.sides[i], i < replay.traces.size() ? &replay.traces[i] : nullptr));
        compare(from, result);
        result.command = "printf '%s\\n'";
        for (const auto& side : result.states) result.command += " " + quoted(json_state(side));
        result.command += " | " + command("step") + " --keep --states /dev/stdin";
        return result;
    }

    State state(const check::Side& side, const Trace* trace) const {
        State result;
        const isa::Mode& supervisor = spec_[context_.supervisor];
        const bool in_supervisor = std::all_of(supervisor.cube.begin(), supervisor.cube.end(), [&](const auto& part) {
            return role_in(spec_, context_, part.element) != isa::Role::mode ||
                   side.state.get(spec_[part.element]) == part.value;
        });
        result.mode = spec_[in_supervisor ? context_.supervisor : context_.user].name;
        for (const Value& value : values_)
            if (const auto v = value.of(side.state); v != 0)
                result.registers.push_back({value.name(), value.width(), v});
        result.memory = side.memory;
        std::erase_if(result.memory, [](const auto& unit) { return unit.second == 0; });
        result.completes = side.outcome.completes;
        if (result.completes) {
            changes(side.state, side.outcome.post, result.predicted);
            for (const auto& [address, after] : side.outcome.memory)
                if (after != unit(side, address))
                    result.predicted.push_back(memory_change(address, unit(side, address), after));
        } else {
            result.cause = trap_text(spec_, side.outcome.cause, side.outcome.arguments);
            result.cause_kind = isa::name(spec_[side.outcome.cause].kind);
        }
        if (trace == nullptr) return result;
        result.traced = true;
        result.cycles = trace->cycles;
        for (const auto& stage : trace->stages) result.stages.push_back({stage.name, stage.first, stage.last});
        changes(side.state, trace->after, result.observed);
        for (const auto& change : trace->memory)
            result.observed.push_back(memory_change(change.address, change.before, change.value));
        for (const auto& trap : trace->traps) result.traps.push_back(trap_text(spec_, trap.cause, trap.arguments));
        return result;
    }

    static std::uint64_t unit(const check::Side& side, std::uint64_t address) {
        const auto it = side.memory.find(address);
        return it == side.memory.end() ? 0 : it->second;
    }
    Change memory_change(std::uint64_t address, std::uint64_t before, std::uint64_t after) const {
        return {"[" + hex(address, spec_.physical_width) + "]", spec_.unit_bits, before, after};
    }
    void changes(const isa::State& before, const isa::State& after, std::vector<Change>& out) const {
        for (const Value& value : values_)
            if (value.of(before) != value.of(after))
                out.push_back({value.name(), value.width(), value.of(before), value.of(after)});
    }

    /// The bits that differ are those that differed before: nothing came to light.
    static bool persists(const Row& before, const Row& after) {
        return (before.values[0] ^ before.values[1]) == (after.values[0] ^ after.values[1]);
    }

    /// What differs between two states; of a single one, what is there and what changes.
    void compare(const check::Witness& from, Witness& result) {
        const auto row = [&](const std::string& name, unsigned width, const auto& get) {
            Row r{name, width, {}, false};
            for (const auto& side : from.sides) r.values.push_back(get(side));
            r.differs = std::any_of(r.values.begin(), r.values.end(), [&](auto v) { return v != r.values[0]; });
            return r;
        };
        const bool pair = from.sides.size() == 2;
        const bool complete =
            std::all_of(from.sides.begin(), from.sides.end(), [](const auto& side) { return side.outcome.completes; });
        for (const Value& value : values_) {
            Row before = row(value.name(), value.width(), [&](const auto& side) { return value.of(side.state); });
            if (before.differs || (!pair && before.values[0] != 0))
                result.before.push_back(before);
            else if (before.values[0] != 0)
                result.common.push_back({value.name(), value.width(), before.values[0]});
            if (!complete) continue;
            Row after = row(value.name(), value.width(), [&](const auto& side) { return value.of(side.outcome.post); });
            if (pair ? after.differs && !persists(before, after) : after.values != before.values)
                result.after.push_back(after);
        }
        // The program sees the same memory in both states; cells differ where relocation or a region does.
        std::map<std::uint64_t, bool> addresses;  // true: stored to
        for (const auto& side : from.sides) {
            for (const auto& [address, value] : side.memory) addresses.try_emplace(address, false);
            for (const auto& [address, value] : side.outcome.memory) addresses[address] = true;
        }
        // What an instruction reads beside itself is worth telling.
        std::vector<std::uint64_t> itself;
        const std::size_t units = spec_[from.form].encoding.parcels.size() * spec_.parcel_units;
        for (const auto& side : from.sides) {
            const auto read = [&](std::uint64_t physical) { return unit(side, physical); };
            if (const auto fetched = probe_.fetched(side.state, units, read))
                itself.insert(itself.end(), fetched->begin(), fetched->end());
        }
        const bool only_memory = result.after.empty();
        for (const auto& [address, stored] : addresses) {
            const std::uint64_t at = address;
            const std::string name = "[" + hex(at, spec_.physical_width) + "]";
            Row before = row(name, spec_.unit_bits, [&](const auto& side) { return unit(side, at); });
            const bool in_region = std::any_of(spec_.regions.begin(), spec_.regions.end(), [&](const auto& region) {
                return region.first <= at && at <= region.last && names(from.element, region.name);
            });
            const bool code = std::find(itself.begin(), itself.end(), at) != itself.end();
            if (before.differs ? in_region : !pair && before.values[0] != 0 && !code)
                result.before.push_back(before);
            else if (pair && !before.differs && before.values[0] != 0 && !code)
                result.common.push_back({name, spec_.unit_bits, before.values[0]});
            if (!complete || !stored || (pair && !only_memory && !in_region)) continue;
            Row after = row(name, spec_.unit_bits, [&](const auto& side) {
                const auto it = side.outcome.memory.find(at);
                return it == side.outcome.memory.end() ? unit(side, at) : it->second;
            });
            if (after.differs || !pair) result.after.push_back(after);
        }
    }

    /// As `pogo step` reads it.
    std::string json_state(const State& state) const {
        std::string registers;
        for (const auto& r : state.registers)
            registers += fmt::format("{}\"{}\":\"{:#x}\"", registers.empty() ? "" : ",", r.name, r.value);
        std::string memory;
        for (const auto& [address, value] : state.memory)
            memory += fmt::format("{}\"{:#x}\":\"{:#x}\"", memory.empty() ? "" : ",", address, value);
        return fmt::format("{{\"registers\":{{{}}},\"memory\":{{{}}}}}", registers, memory);
    }

    void theorems(Report& report) const {
        const auto names = [&](const std::vector<isa::InstructionId>& list) {
            std::vector<std::string> result;
            result.reserve(list.size());
            for (const auto id : list) result.push_back(spec_[id].name);
            return result;
        };
        const auto theorem = [&](const check::Theorem& strict, const check::Theorem& extended) {
            return Theorem{
                {decision(strict.holds), decision(extended.holds)}, names(strict.against), names(extended.against)};
        };
        report.theorem1 = theorem(findings_.theorem1_strict, findings_.theorem1_extended);
        report.theorem3 = theorem(findings_.theorem3_strict, findings_.theorem3_extended);
        bool timeless = true;
        for (const auto& row : findings_.rows) timeless = timeless && row.time_sensitive == check::Verdict::no;
        report.theorem2 = report.theorem1;
        for (Decision* d : {&report.theorem2.decision.strict, &report.theorem2.decision.extended})
            if (*d == Decision::proved && !timeless) *d = Decision::unknown;
    }

    const isa::Spec& spec_;
    const isa::SourceManager& sources_;
    const check::Findings& findings_;
    const Confirmation& confirmation_;
    const Request& request_;
    const isa::Context& context_;
    std::vector<Column> columns_;
    std::vector<Value> values_;
    Probe probe_;
};

}  // namespace

Report make_report(const isa::Spec& spec, const isa::SourceManager& sources, const check::Findings& findings,
                   const Confirmation& confirmation, const Request& request) {
    POGO_REQUIRE(spec.find_context(findings.context).valid());
    return Maker(spec, sources, findings, confirmation, request).make();
}

}  // namespace pogo::report
