// Finding the statement that leaks.
// SPDX-License-Identifier: Apache-2.0
#include "leak.hpp"

#include <algorithm>

namespace pogo::report {

using isa::SourceRange;
using isa::Term;

namespace {

/// The columns that a witness's element names.
std::vector<const Column*> named(const std::vector<Column>& columns, const std::string& element) {
    std::vector<const Column*> result;
    for (const Column& column : columns)
        if (names(element, column.subject.name)) result.push_back(&column);
    return result;
}

class Search {
  public:
    Search(const isa::Spec& spec, const std::vector<const Column*>& columns, const check::Witness& witness)
        : spec_(spec), meaning_(spec[witness.form].meaning), witness_(witness), concerned_(spec.elements.size()) {
        for (const Column* column : columns) {
            for (const auto e : column->elements) concerned_[e.index] = true;
            region_ = region_ || column->region.has_value();
        }
    }

    [[nodiscard]] SourceRange writer() const {
        for (const auto& write : meaning_.writes)
            if (concerned_[write.element.index] && write.where.valid()) return write.where;
        for (const auto& store : meaning_.stores)
            if (region_ && store.direct && store.where.valid()) return store.where;
        return {};
    }

    /// A statement that reads the element: best one whose result differs between the states.
    [[nodiscard]] SourceRange reader() const {
        SourceRange any;
        for (const auto& write : meaning_.writes) {
            if (!write.where.valid() || !(reads(write.value) || reads(write.guard) || reads(write.index))) continue;
            if (differs(spec_[write.element])) return write.where;
            if (!any.valid()) any = write.where;
        }
        for (const auto& load : meaning_.loads)
            if (!any.valid() && (reads(load.guard) || reads(load.address) || (load.direct && region_)))
                any = load.where;
        for (const auto& store : meaning_.stores)
            if (!any.valid() && (reads(store.guard) || reads(store.address) || reads(store.data))) any = store.where;
        return any;
    }

  private:
    [[nodiscard]] bool reads(Term term) const {
        if (!term.valid()) return false;
        const auto variables = spec_.terms.support(std::span(&term, 1));
        for (std::size_t i = 0; i < concerned_.size(); ++i)
            if (concerned_[i] &&
                std::find(variables.begin(), variables.end(), spec_.elements[i].variable) != variables.end())
                return true;
        return false;
    }
    [[nodiscard]] bool differs(const isa::Element& element) const {
        if (witness_.sides.size() != 2) return false;
        const auto& one = witness_.sides[0].outcome;
        const auto& two = witness_.sides[1].outcome;
        if (!one.completes || !two.completes) return false;
        for (unsigned i = 0; i < element.slots(); ++i)
            if (one.post.get(element, i) != two.post.get(element, i)) return true;
        return false;
    }

    const isa::Spec& spec_;
    const isa::Meaning& meaning_;
    const check::Witness& witness_;
    std::vector<bool> concerned_;
    bool region_ = false;
};

}  // namespace

SourceRange leak_of(const isa::Spec& spec, const std::vector<Column>& columns, const check::Witness& witness) {
    if (witness.element.empty()) return {};
    const Search search(spec, named(columns, witness.element), witness);
    return witness.property == "control-sensitive" ? search.writer() : search.reader();
}

}  // namespace pogo::report
