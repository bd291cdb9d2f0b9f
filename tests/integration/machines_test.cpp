// Known answers about machines: what each tests/machines/NAME.toml cites from the literature, Pogo has to say, too.
// SPDX-License-Identifier: Apache-2.0
//
// Their format is in tests/machines/README.md.
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "check/vm_map.hpp"
#include "command.hpp"
#include "isa/toml.hpp"
#include "report/confirm.hpp"
#include "report/map.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using check::Privileged;
using check::Verdict;
using isa::Toml;
using Kind = isa::Toml::Kind;

/// What somebody published about both models; nothing where nobody did.
struct Published {
    std::optional<Verdict> strict;
    std::optional<Verdict> extended;
};
struct KnownRow {
    std::vector<std::string> names;
    std::optional<Privileged> privileged;
    Published critical;
    Published control;
    Published behavior;
    bool exactly = false;
};
enum class List : std::uint8_t { everyday, long_, rare };  // of tests that ask it
struct Asked {
    std::string report;
    List list = List::everyday;
    bool with_witnesses = true;
    std::string spec;
    isa::Arguments arguments;
    std::optional<std::string> extension;
    std::optional<std::string> context;
    Assumed assumed;
    std::vector<std::pair<std::string, Verdict>> maps;  // by name: whether it holds
    Published theorem1;
    Published theorem3;
    std::vector<KnownRow> rows;
};
void PrintTo(const Asked& run, std::ostream* out) { *out << run.report; }

// ---- Reading --------------------------------------------------------------------------------------------------------

template <class T>
using Words = std::map<std::string, T>;
const Words<Verdict> outcomes{{"proved", Verdict::yes}, {"refuted", Verdict::no}};
const Words<Verdict> answers{{"yes", Verdict::yes}, {"no", Verdict::no}};
const Words<Privileged> classes{{"always", Privileged::always},
                                {"sometimes", Privileged::conditional},
                                {"never", Privileged::never},
                                {"vacuous", Privileged::vacuous}};

/// All files, and what is wrong with them.
class KnownAnswers {
  public:
    KnownAnswers() {
        std::set<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(POGO_MACHINES))
            if (entry.path().extension() == ".toml") files.insert(entry.path());
        for (const auto& path : files) {
            const auto buffer = sources_.add(path.filename().string(), text_of(path));
            if (const auto file = isa::parse_toml(sources_, buffer, diagnostics_)) read(*file);
        }
        errors_ = isa::render(diagnostics_, sources_) + errors_;
    }
    [[nodiscard]] const std::string& errors() const { return errors_; }
    [[nodiscard]] std::vector<Asked> runs(List list, bool with_witnesses = true) const {
        std::vector<Asked> result;
        for (const Asked& run : runs_)
            if (run.list == list) result.emplace_back(run).with_witnesses = with_witnesses;
        return result;
    }

  private:
    void error(isa::SourceRange where, const std::string& text) {
        const isa::Place place = sources_.place(where);
        errors_ += std::string(place.file) + ":" + std::to_string(place.line) + ": " + text + "\n";
    }
    template <class T>
    std::optional<T> word(isa::TomlTable& table, std::string_view key, const Words<T>& words) {
        const Toml* value = table.find(key, Kind::string);
        if (value == nullptr) return std::nullopt;
        if (const auto known = words.find(value->text); known != words.end()) return known->second;
        std::string allowed;
        for (const auto& [text, meaning] : words) allowed += " " + text;
        error(value->where, std::string(key) + " = \"" + value->text + "\" is none of:" + allowed);
        return std::nullopt;
    }
    Published published(isa::TomlTable& table, std::string_view key, const Words<Verdict>& words) {
        const Toml* value = table.table(key);
        if (value == nullptr) return {};
        isa::TomlTable models(*value, diagnostics_);
        const Published result{word(models, "strict", words), word(models, "extended", words)};
        models.finish();
        return result;
    }
    /// The tables of an array; what else there is in it is reported.
    std::vector<const Toml*> tables(isa::TomlTable& table, std::string_view key) {
        std::vector<const Toml*> result;
        if (const Toml* array = table.array(key))
            for (const Toml& item : array->items)
                if (is(item, Kind::table, diagnostics_)) result.push_back(&item);
        return result;
    }

    void read(const Toml& file) {
        isa::TomlTable table(file, diagnostics_);
        const std::string spec = table.required_string("spec").value_or("");
        (void)table.required_string("title");
        for (const Toml* run : tables(table, "run")) read_run(*run, spec);
        table.finish();
    }
    void read_run(const Toml& toml, const std::string& spec) {
        isa::TomlTable table(toml, diagnostics_);
        Asked run;
        run.spec = spec;
        run.report = table.required_string("report").value_or("");
        (void)table.string("without");
        if (table.boolean("long").value_or(false)) run.list = List::long_;
        if (table.boolean("rare").value_or(false)) run.list = List::rare;
        run.extension = table.string("extension");
        run.context = table.string("context");
        if (const Toml* params = table.table("params"))
            for (const auto& [key, where, value] : params->entries) run.arguments.emplace_back(key, argument(value));
        if (const Toml* assumed = table.table("assume"))
            for (const auto& [key, where, value] : assumed->entries)
                if (is(value, Kind::integer, diagnostics_))
                    run.assumed.emplace_back(key, static_cast<std::uint64_t>(value.integer));
        const auto map = table.string("vmm");
        const auto holds = word(table, "vmm_verdict", outcomes);
        if (map.has_value() != holds.has_value()) error(toml.where, "vmm and vmm_verdict go together");
        if (map && holds) run.maps.emplace_back(*map, *holds);
        if (const Toml* maps = table.table("vmms")) {
            isa::TomlTable verdicts(*maps, diagnostics_);
            for (const auto& [name, where, value] : maps->entries)
                if (const auto verdict = word(verdicts, name, outcomes)) run.maps.emplace_back(name, *verdict);
        }
        run.theorem1 = published(table, "theorem1", outcomes);
        run.theorem3 = published(table, "theorem3", outcomes);
        (void)table.required_string("source");
        for (const Toml* row : tables(table, "rows")) read_row(*row, run);
        table.finish();
        runs_.push_back(std::move(run));
    }
    std::string argument(const Toml& value) {
        if (value.kind == Kind::integer) return std::to_string(value.integer);
        if (value.kind == Kind::boolean) return value.boolean ? "true" : "false";
        return is(value, Kind::string, diagnostics_) ? value.text : "";
    }
    void read_row(const Toml& toml, Asked& run) {
        isa::TomlTable table(toml, diagnostics_);
        KnownRow row;
        row.names = table.strings("names");
        row.privileged = word(table, "privileged", classes);
        row.critical = published(table, "critical", answers);
        row.control = published(table, "control", answers);
        row.behavior = published(table, "behavior", answers);
        row.exactly = table.boolean("exactly").value_or(false);
        (void)table.required_string("source");
        table.finish();
        run.rows.push_back(std::move(row));
    }

    isa::SourceManager sources_;
    isa::Diagnostics diagnostics_;
    std::string errors_;
    std::vector<Asked> runs_;
};
const KnownAnswers& known() {
    static const KnownAnswers all;
    return all;
}

TEST(KnownAnswers, CanBeRead) { EXPECT_EQ(known().errors(), ""); }

// ---- Asking ---------------------------------------------------------------------------------------------------------

void expect(const char* what, const Published& published, const check::Models& found) {
    EXPECT_EQ(found.strict, published.strict.value_or(found.strict)) << what << ", strict";
    EXPECT_EQ(found.extended, published.extended.value_or(found.extended)) << what << ", extended";
}
void expect(const KnownRow& known, const check::Row& found) {
    EXPECT_EQ(name(found.privileged), name(known.privileged.value_or(found.privileged)));
    expect("critical", known.critical, found.critical);
    expect("control-sensitive", known.control, found.control);
    expect("behavior-sensitive", known.behavior, found.behavior);
}
bool agree(const Published& published, const check::Models& found) {
    return published.strict.value_or(found.strict) == found.strict &&
           published.extended.value_or(found.extended) == found.extended;
}
bool agree(const KnownRow& known, const check::Row& found) {
    return known.privileged.value_or(found.privileged) == found.privileged && agree(known.critical, found.critical) &&
           agree(known.control, found.control) && agree(known.behavior, found.behavior);
}

bool confirmed(const std::vector<std::vector<report::Replay>>& replays) {
    return std::ranges::all_of(replays, [](const auto& of_one) {
        return std::ranges::all_of(
            of_one, [](const report::Replay& each) { return each.status == report::ReplayStatus::confirmed; });
    });
}

class Machines : public ::testing::TestWithParam<Asked> {};

TEST_P(Machines, AreAsPublished) {
    const Asked& run = GetParam();
    const isa::Spec spec = machine(run.spec, run.arguments, run.extension);
    model::Simulator simulator({.bare = true});
    check::Options options;
    options.jobs = 2;
    options.witnesses = run.with_witnesses;
    if (run.context) {
        options.context = spec.find_context(*run.context);
        ASSERT_TRUE(options.context->valid()) << "no context " << *run.context;
    }

    options.assumptions = assumptions(spec, run.assumed);
    ASSERT_FALSE(HasFailure());
    EXPECT_THAT(check::empty_modes(spec, options), ::testing::IsEmpty());

    const auto found = check::check(spec, options);
    expect("Theorem 1", run.theorem1, {found.theorem1_strict.holds, found.theorem1_extended.holds});
    expect("Theorem 3", run.theorem3, {found.theorem3_strict.holds, found.theorem3_extended.holds});
    for (const auto& row : found.rows) {
        EXPECT_NE(row.privileged, Privileged::unknown) << spec[row.instruction].name;
        EXPECT_THAT(row.unknowns, ::testing::IsEmpty()) << spec[row.instruction].name;
    }
    for (const KnownRow& known : run.rows) {
        for (const auto& name : known.names) {
            SCOPED_TRACE(name);
            const auto id = spec.find_instruction(name);
            if (id.valid()) {
                expect(known, found.rows.at(id.index));
            } else {
                ADD_FAILURE() << "no such instruction";
            }
        }
        if (!known.exactly) continue;
        const auto alike = rows(spec, found, [&](const check::Row& row) { return agree(known, row); });
        EXPECT_THAT(alike, ::testing::ElementsAreArray(std::set<std::string>(known.names.begin(), known.names.end())));
    }
    const auto confirmation = report::confirm(spec, found, simulator, {.assumptions = options.assumptions});
    EXPECT_EQ(confirmation.problem, "");
    EXPECT_THAT(confirmation.failures(spec), ::testing::IsEmpty());
    EXPECT_TRUE(confirmed(confirmation.replays));

    for (const auto& [name, holds] : run.maps) {
        SCOPED_TRACE(name);
        const auto map = std::ranges::find(spec.vm_maps, name, &isa::VmMap::name);
        ASSERT_NE(map, spec.vm_maps.end()) << "no such VM map";
        const auto mapped = report::confirm_map(spec, check::check_vm_map(spec, *map, options), simulator);
        EXPECT_EQ(mapped.findings.holds_configured, holds);
        EXPECT_EQ(mapped.problem, "");
        EXPECT_TRUE(mapped.confirmed());
    }
}

std::string test_name(const ::testing::TestParamInfo<Asked>& run) {
    std::string name = run.param.report;
    std::ranges::replace_if(
        name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Quick, Machines, ::testing::ValuesIn(known().runs(List::everyday)), test_name);
INSTANTIATE_TEST_SUITE_P(Long, Machines, ::testing::ValuesIn(known().runs(List::long_)), test_name);
// Most of the time goes into making witnesses small.
INSTANTIATE_TEST_SUITE_P(LongVerdicts, Machines, ::testing::ValuesIn(known().runs(List::rare, false)), test_name);
INSTANTIATE_TEST_SUITE_P(Rare, Machines, ::testing::ValuesIn(known().runs(List::rare)), test_name);

}  // namespace
}  // namespace pogo::integration
