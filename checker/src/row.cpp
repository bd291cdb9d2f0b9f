// Rows: everything that is decided about one instruction.
// SPDX-License-Identifier: Apache-2.0
#include "row.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "condition.hpp"
#include "isa/require.hpp"
#include "question.hpp"

namespace pogo::check {

using isa::ElementId;
using isa::Term;
using isa::Variable;

namespace {

/// What a form's text mentions, before anything is asked.
struct Mentions {
    std::vector<bool> results;  ///< by element: read by what becomes a result (not by traps)
    std::vector<bool> reads;    ///< by element: read anywhere
    std::vector<bool> writes;   ///< by element
    bool direct_load = false;
    bool direct_store = false;
    bool walks = false;  ///< an access runs the translation
};

Mentions mentions(const isa::Spec& spec, const std::vector<std::uint32_t>& element_of, const isa::Form& form) {
    const isa::Meaning& m = form.meaning;
    std::vector<Term> results;
    std::vector<Term> others;
    Mentions found;
    found.writes.resize(spec.elements.size());
    for (const auto& load : m.loads) {
        results.push_back(load.direct ? load.physical : load.address);
        if (!load.translated.valid()) others.push_back(load.physical);
        others.push_back(load.guard);
        found.direct_load = found.direct_load || load.direct;
        found.walks = found.walks || load.translated.valid();
    }
    for (const auto& store : m.stores) {
        results.push_back(store.direct ? store.physical : store.address);
        results.push_back(store.data);
        results.push_back(store.guard);
        if (!store.translated.valid()) others.push_back(store.physical);
        found.direct_store = found.direct_store || store.direct;
        found.walks = found.walks || store.translated.valid();
    }
    for (const auto& write : m.writes) {
        results.push_back(write.value);
        results.push_back(write.guard);
        if (write.index.valid()) results.push_back(write.index);
        found.writes[write.element.index] = true;
    }
    for (const auto& trap : m.traps) {
        others.push_back(trap.guard);
        others.insert(others.end(), trap.arguments.begin(), trap.arguments.end());
    }
    const auto elements = [&](std::span<const Term> roots) {
        std::vector<bool> set(spec.elements.size(), false);
        for (const Variable variable : spec.terms.support(roots))
            if (const auto e = element_of[variable.id]; e < set.size()) set[e] = true;
        return set;
    };
    found.results = elements(results);
    found.reads = elements(others);
    if (found.walks)
        for (const ElementId e : spec.translation.reads) found.reads[e.index] = true;
    for (std::size_t i = 0; i < found.reads.size(); ++i) found.reads[i] = found.reads[i] || found.results[i];
    return found;
}

bool memories_differ(const Witness& witness, const isa::Region& region) {
    const auto unit = [](const Side& side, std::uint64_t address) {
        const auto it = side.memory.find(address);
        return it == side.memory.end() ? 0 : it->second;
    };
    for (const Side& side : witness.sides)
        for (const auto& [address, value] : side.memory)
            if (region.first <= address && address <= region.last &&
                unit(witness.sides[0], address) != unit(witness.sides[1], address))
                return true;
    return false;
}

/// A question asked in supervisor mode and in user mode.
struct TwoModes {
    Question supervisor;
    Question user;
};

class RowCheck {
  public:
    RowCheck(const isa::Spec& spec, const Options& options, const isa::Context& context, const Roles& roles,
             isa::InstructionId instruction, const RowObserver& observer)
        : spec_(spec),
          options_(options),
          roles_(roles),
          world_(spec, options, context, roles),
          solver_(world_.terms, {options.rlimit, options.seed}, watch(observer)),
          judge_(world_, solver_, forms_),
          supervisor_(world_.supervisor()),
          user_(world_.vary(supervisor_, true, {})) {
        row_.instruction = instruction;
    }

    Row run() {
        collect_forms();
        for (std::size_t i = 0; i < forms_.size(); ++i) add_form(i);
        if (modelled()) {
            std::erase_if(row_.traps,
                          [&](isa::CauseId cause) { return spec_[cause].kind == isa::TrapKind::unmodelled; });
            decide_privileged();
            decide_control();
            decide_behavior();
            decide_joint();
            conclude();
            if (options_.witnesses) find_witnesses();
        } else {
            know_nothing();
        }
        const auto& unknowns = solver_.unknowns();
        row_.unknowns.insert(row_.unknowns.end(), unknowns.begin(), unknowns.end());
        row_.statistics = solver_.statistics();
        return std::move(row_);
    }

  private:
    Solver::Observer watch(const RowObserver& observer) {
        if (!observer) return {};
        return [this, &observer](std::string_view name, Term formula, Verdict satisfiable) {
            observer(world_.terms, name, formula, satisfiable);
        };
    }

    void collect_forms() {
        const isa::Instruction& instruction = spec_[row_.instruction];
        std::vector<const isa::Form*> list;
        for (std::uint32_t i = 0; i < instruction.form_count; ++i)
            list.push_back(&spec_.forms[instruction.first_form + i]);
        std::stable_sort(list.begin(), list.end(), [](const isa::Form* a, const isa::Form* b) {
            return a->encoding.parcels.size() < b->encoding.parcels.size();
        });
        std::vector<std::uint32_t> element_of(spec_.terms.variable_count(), ~0U);
        for (std::uint32_t i = 0; i < spec_.elements.size(); ++i) element_of[spec_.elements[i].variable.id] = i;

        std::vector<bool> traps(spec_.causes.size(), false);
        for (std::uint32_t i = 0; i < spec_.elements.size(); ++i) row_.touches.push_back({{i}, false, false});
        forms_.reserve(list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            forms_.emplace_back(world_, *list[i], i);
            mentions_.push_back(mentions(spec_, element_of, *list[i]));
            for (std::size_t e = 0; e < row_.touches.size(); ++e) {
                row_.touches[e].reads = row_.touches[e].reads || mentions_[i].reads[e];
                row_.touches[e].writes = row_.touches[e].writes || mentions_[i].writes[e];
            }
            for (const auto& trap : list[i]->meaning.traps)
                if (!spec_.terms.is_false(trap.guard)) traps[trap.cause.index] = true;
            if (mentions_[i].walks)
                for (const auto& fault : spec_.translation.faults) traps[fault.cause.index] = true;
        }
        for (std::uint32_t i = 0; i < traps.size(); ++i)
            if (traps[i]) row_.traps.push_back({i});

        shows_mode_.resize(list.size());
        const std::size_t count = roles_.items.size();
        control_.resize(count);
        behavior_.resize(count);
        varied_.resize(count);
        const auto name = [](Question& question, std::string text, std::vector<Before*> sides) {
            question.name = std::move(text);
            question.sides = std::move(sides);
        };
        name(unmodelled_.supervisor, "unmodelled.supervisor", {&supervisor_});
        name(unmodelled_.user, "unmodelled.user", {&user_});
        name(both_, "completes.both", {&supervisor_, &user_});
        name(escapes_, "escapes", {&supervisor_, &user_});
        name(completes_supervisor_, "completes.supervisor", {&supervisor_});
        name(completes_user_, "completes.user", {&user_});
        name(traps_, "traps.user-only", {&supervisor_, &user_});
        for (std::size_t i = 0; i < count; ++i) {
            const std::string& subject = roles_.items[i].subject.name;
            name(control_[i].supervisor, "writes." + subject + ".supervisor", {&supervisor_});
            name(control_[i].user, "writes." + subject + ".user", {&user_});
            const bool mode = roles_.items[i].kind == Kind::mode;
            name(behavior_[i].supervisor, "depends." + subject + (mode ? "" : ".supervisor"), {&supervisor_, &user_});
            name(behavior_[i].user, "depends." + subject + ".user", {});
        }
    }

    /// May the item make a difference to results? No is certain, and decided without building anything.
    bool relevant(const Item& item, std::size_t form) const {
        const Mentions& m = mentions_[form];
        for (const ElementId e : item.elements) {
            if (m.results[e.index]) return true;
            for (const ElementId other : roles_.selects[e.index])
                if (m.results[other.index] || m.writes[other.index]) return true;
        }
        return item.region && mentions_[form].direct_load;
    }

    Term completing(const Run& run) { return world_.terms.and_(run.executes, run.completes); }

    /// A state of the run is one of which an imported meaning says nothing.
    Term unmodelled(const Run& run) {
        Term any = world_.terms.boolean(false);
        for (const Fired& trap : run.traps)
            if (spec_[trap.cause].kind == isa::TrapKind::unmodelled) any = world_.terms.or_(any, trap.fires);
        return world_.terms.and_(run.executes, any);
    }
    bool modelled() {
        return judge_.decide(unmodelled_.supervisor) == Verdict::no && judge_.decide(unmodelled_.user) == Verdict::no;
    }
    void know_nothing() {
        for (const isa::CauseId cause : row_.traps)
            if (spec_[cause].kind == isa::TrapKind::unmodelled) row_.unknowns.push_back(spec_[cause].name);
        const Models unknown{Verdict::unknown, Verdict::unknown};
        for (const Item& item : roles_.items) {
            if (item.kind != Kind::time) row_.writes.push_back({item.subject, Verdict::unknown, Verdict::unknown});
            row_.depends_on.push_back({item.subject, item.kind, Verdict::unknown, Verdict::unknown, item.strict()});
        }
        row_.time_sensitive = Verdict::unknown;
        for (Models* models : {&row_.control, &row_.behavior, &row_.sensitive, &row_.user_sensitive,
                               &row_.supervisor_sensitive, &row_.critical})
            *models = unknown;
    }

    void add_form(std::size_t i) {
        isa::Terms& terms = world_.terms;
        FormInWorld& form = forms_[i];
        const Run s = form.run(supervisor_);
        const Run u = form.run(user_);
        judge_.add(unmodelled_.supervisor, i, unmodelled(s));
        judge_.add(unmodelled_.user, i, unmodelled(u));
        const Term s_completes = completing(s);
        const Term u_completes = completing(u);
        const Term both = terms.and_(s_completes, u_completes);
        judge_.add(both_, i, both);
        judge_.add(completes_supervisor_, i, s_completes);
        judge_.add(completes_user_, i, u_completes);
        const Term traps = terms.and_(u.executes, u.other_trap);
        judge_.add(traps_, i, terms.and_(traps, s_completes));
        judge_.add(escapes_, i, terms.and_(terms.and_(s.executes, s.other_trap), u_completes));

        for (std::size_t k = 0; k < roles_.items.size(); ++k) {
            const Item& item = roles_.items[k];
            const bool writes = std::any_of(item.elements.begin(), item.elements.end(),
                                            [&](ElementId e) { return mentions_[i].writes[e.index]; });
            if ((writes || (item.region && mentions_[i].direct_store)) && item.kind != Kind::time) {
                judge_.add(control_[k].supervisor, i, terms.and_(changes(world_, supervisor_, s, item), s_completes));
                judge_.add(control_[k].user, i, terms.and_(changes(world_, user_, u, item), u_completes));
            }
            if (item.kind == Kind::mode) {
                const std::array<const Item*, 1> except = {&item};
                const Term differ = results_differ(world_, s, u, except);
                shows_mode_[i] = !terms.is_false(differ);
                judge_.add(behavior_[k].supervisor, i, terms.and_(differ, both));
            } else if (relevant(item, i)) {
                vary(k);
                add_difference(behavior_[k].supervisor, i, s, varied_[k][0], {&item});
                add_difference(behavior_[k].user, i, u, varied_[k][1], {&item});
            } else {
                solver_.count_rewritten();
                solver_.count_rewritten();
            }
        }
    }

    void vary(std::size_t k) {
        if (!varied_[k].empty()) return;
        const std::array<const Item*, 1> items = {&roles_.items[k]};
        varied_[k].push_back(world_.vary(supervisor_, false, items));
        varied_[k].push_back(world_.vary(user_, false, items));
        behavior_[k].supervisor.sides = {&supervisor_, &varied_[k][0]};
        behavior_[k].user.sides = {&user_, &varied_[k][1]};
    }

    void add_difference(Question& question, std::size_t i, const Run& one, Before& second,
                        const std::vector<const Item*>& items) {
        isa::Terms& terms = world_.terms;
        const Run two = forms_[i].run(second);
        const Term differ = results_differ(world_, one, two, items);
        if (terms.is_false(differ)) return judge_.add(question, i, differ);
        const Term first = completing(one);
        const Term both = terms.and_(first, completing(two));
        judge_.add(question, i, terms.and_(differ, both));
    }

    Verdict completes(Question& question) {
        return both_.verdict == Verdict::yes ? Verdict::yes : judge_.decide(question);
    }

    void decide_privileged() {
        const Verdict both = judge_.decide(both_);
        row_.completes_supervisor = completes(completes_supervisor_);
        row_.completes_user = completes(completes_user_);
        const Verdict escapes = judge_.decide(escapes_);
        row_.always = ::pogo::check::both(opposite(either(both, escapes)), row_.completes_supervisor);
        if (either(both, escapes) == Verdict::unknown || row_.completes_supervisor == Verdict::unknown) return;
        if (row_.completes_supervisor == Verdict::no || either(both, escapes) == Verdict::no) {
            row_.privileged = row_.completes_supervisor == Verdict::yes ? Privileged::always : Privileged::vacuous;
            return;
        }
        switch (judge_.decide(traps_)) {
            case Verdict::no:
                row_.privileged = Privileged::never;
                break;
            case Verdict::unknown:
                break;
            case Verdict::yes: {
                row_.privileged = Privileged::conditional;
                std::vector<ElementId> read;
                for (const Touch& touch : row_.touches)
                    if (touch.reads) read.push_back(touch.element);
                row_.privileged_when = find_condition(world_, solver_, supervisor_, read, judge_.goals(both_, true),
                                                      judge_.goals(traps_, false), options_.max_cubes);
                break;
            }
        }
    }

    static void count(Models& models, Verdict verdict, bool strict) {
        if (strict) models.strict = either(models.strict, verdict);
        models.extended = either(models.extended, verdict);
    }

    void decide_control() {
        for (std::size_t k = 0; k < roles_.items.size(); ++k) {
            const Item& item = roles_.items[k];
            const Verdict s = judge_.decide(control_[k].supervisor);
            const Verdict u = judge_.decide(control_[k].user);
            const Verdict any = either(s, u);
            if (any == Verdict::no) continue;
            row_.writes.push_back({item.subject, s, u});
            count(row_.control, any, item.strict());
            count(row_.user_sensitive, u, item.strict());
            count(row_.supervisor_sensitive, s, item.strict());
        }
    }

    void decide_behavior() {
        for (std::size_t k = 0; k < roles_.items.size(); ++k) {
            const Item& item = roles_.items[k];
            const Verdict s = judge_.decide(behavior_[k].supervisor);
            const Verdict u = item.kind == Kind::mode ? s : judge_.decide(behavior_[k].user);
            const Verdict any = either(s, u);
            if (any == Verdict::no) continue;
            row_.depends_on.push_back({item.subject, item.kind, s, u, item.strict()});
            if (item.kind == Kind::time) {
                row_.time_sensitive = either(row_.time_sensitive, any);
                continue;
            }
            count(row_.behavior, any, item.strict());
            if (item.kind != Kind::location) continue;
            count(row_.user_sensitive, u, true);
            count(row_.supervisor_sensitive, s, true);
        }
    }

    /// Lets all items of a model differ at once, if none of them alone makes a difference.
    void decide_joint() {
        for (const bool strict : {true, false}) {
            if ((strict ? row_.behavior.strict : row_.behavior.extended) == Verdict::yes) continue;
            std::vector<const Item*> items;
            for (const Item& item : roles_.items)
                if (item.kind != Kind::time && (item.strict() || !strict)) items.push_back(&item);
            // Where no item stands in the results, no set of them does. One suffices: traps and invariants may tie
            // it to others.
            std::vector<std::size_t> forms;
            for (std::size_t i = 0; i < forms_.size(); ++i)
                if (std::any_of(items.begin(), items.end(), [&](const Item* item) {
                        return item->kind == Kind::mode ? shows_mode_[i] : relevant(*item, i);
                    }))
                    forms.push_back(i);
            if (forms.empty()) continue;
            Joint& joint = joint_.emplace_back(Joint{items, {}, {}, {}, {}});
            std::vector<const Item*> same_mode = items;
            std::erase_if(same_mode, [](const Item* item) { return item->kind == Kind::mode; });
            joint.befores.push_back(world_.vary(supervisor_, false, same_mode));
            joint.befores.push_back(world_.vary(user_, false, same_mode));
            joint.befores.push_back(world_.vary(supervisor_, true, items));
            const std::string name = strict ? "depends.strict-set" : "depends.extended-set";
            const auto set = [&](Question& question, const char* which, Before& first, Before& second) {
                question.name = name + which;
                question.sides = {&first, &second};
                question.may_differ = same_mode;
            };
            set(joint.supervisor, ".supervisor", supervisor_, joint.befores[0]);
            set(joint.user, ".user", user_, joint.befores[1]);
            set(joint.across, "", supervisor_, joint.befores[2]);
            for (const std::size_t i : forms) {
                const Run s = forms_[i].run(supervisor_);
                const Run u = forms_[i].run(user_);
                add_difference(joint.supervisor, i, s, joint.befores[0], same_mode);
                add_difference(joint.user, i, u, joint.befores[1], same_mode);
                add_difference(joint.across, i, s, joint.befores[2], items);
            }
            const Verdict s = judge_.decide(joint.supervisor);
            const Verdict u = judge_.decide(joint.user);
            // A dependence that needs both modes shows in each of them.
            const Verdict across = either(s, u) == Verdict::yes ? Verdict::no : judge_.decide(joint.across);
            const Verdict any = either(either(s, u), across);
            if (any == Verdict::no) continue;
            joint.place = row_.depends_on.size();
            std::string names;
            for (const Item* item : items) names += (names.empty() ? "" : "+") + item->subject.name;
            row_.depends_on.push_back({{names, strict ? isa::Role::relocation : isa::Role::control, {}},
                                       Kind::joint,
                                       either(s, across),
                                       either(u, across),
                                       strict});
            count(row_.behavior, any, strict);
            if (!strict) continue;
            count(row_.user_sensitive, u, true);
            count(row_.supervisor_sensitive, s, true);
        }
    }

    void conclude() {
        const Verdict leaks = opposite(row_.always);
        row_.sensitive = {either(row_.control.strict, row_.behavior.strict),
                          either(row_.control.extended, row_.behavior.extended)};
        row_.critical = {both(row_.sensitive.strict, leaks), both(row_.sensitive.extended, leaks)};
    }

    void keep(std::optional<Witness> witness) {
        if (witness) row_.witnesses.push_back(std::move(*witness));
    }

    /// A witness of one of the questions: what happens in user mode says more about virtual machines.
    static const Question& telling(const TwoModes& questions) {
        return questions.user.verdict == Verdict::yes ? questions.user : questions.supervisor;
    }

    void find_witnesses() {
        const Question& completes = both_.verdict == Verdict::yes ? both_ : escapes_;
        if (row_.sensitive.extended == Verdict::yes && completes.verdict == Verdict::yes)
            keep(judge_.witness(completes, "not privileged", ""));
        for (std::size_t k = 0; k < roles_.items.size(); ++k)
            keep(judge_.witness(telling(control_[k]), "control-sensitive", roles_.items[k].subject.name));
        for (std::size_t k = 0; k < roles_.items.size(); ++k)
            keep(judge_.witness(telling(behavior_[k]), std::string(name(roles_.items[k].kind)) + "-sensitive",
                                roles_.items[k].subject.name));
        for (const Joint& joint : joint_) {
            const Question& question = joint.user.verdict == Verdict::yes         ? joint.user
                                       : joint.supervisor.verdict == Verdict::yes ? joint.supervisor
                                                                                  : joint.across;
            auto witness = judge_.witness(question, "jointly sensitive", "");
            if (!witness) continue;
            // The elements that had to differ give the dependence its name.
            std::string names;
            for (const Item* item : joint.items) {
                bool differs = item->region && memories_differ(*witness, spec_.regions[*item->region]);
                for (const ElementId e : item->elements)
                    differs = differs || witness->sides[0].state.get(spec_[e]) != witness->sides[1].state.get(spec_[e]);
                if (differs) names += (names.empty() ? "" : "+") + item->subject.name;
            }
            row_.depends_on[joint.place].subject.name = names;
            witness->element = names;
            keep(std::move(witness));
        }
    }

    struct Joint {
        std::vector<const Item*> items;
        std::deque<Before> befores;
        Question supervisor;
        Question user;
        Question across;
        std::size_t place = 0;  ///< in Row::depends_on
    };

    const isa::Spec& spec_;
    const Options& options_;
    const Roles& roles_;
    World world_;
    Solver solver_;
    std::vector<FormInWorld> forms_;
    Judge judge_;
    Before supervisor_;
    Before user_;
    std::vector<Mentions> mentions_;
    std::vector<bool> shows_mode_;  ///< by form: results in the two modes are not equal as terms
    TwoModes unmodelled_;
    Question both_;
    Question escapes_;  // completes in user mode where it traps in supervisor mode, and not for memory
    Question completes_supervisor_;
    Question completes_user_;
    Question traps_;
    std::vector<TwoModes> control_;
    std::vector<TwoModes> behavior_;          ///< of the mode only the first
    std::vector<std::deque<Before>> varied_;  ///< by item: in supervisor mode, in user mode; empty until needed
    std::deque<Joint> joint_;
    Row row_;
};

}  // namespace

Row check_row(const isa::Spec& spec, const Options& options, const isa::Context& context, const Roles& roles,
              isa::InstructionId instruction, const RowObserver& observer) {
    return RowCheck(spec, options, context, roles, instruction, observer).run();
}

}  // namespace pogo::check
