// Encodings out of a decoder: what it asks of the bits becomes masks, fields and conditions.
// SPDX-License-Identifier: Apache-2.0
#include "jib/encodings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"

namespace pogo::isa::jib {

namespace {

/// Bits of an instruction that are known.
struct Fixed {
    Word mask = 0;
    Word value = 0;
};

/// A part of an instruction's payload.
struct Part {
    std::string name;
    Value::Kind kind = Value::Kind::bits;
    Term term;
    bool selects = false;              ///< its values make rows
    const Mention* classes = nullptr;  ///< function from a value to the name of its row
};

struct Found {
    Name constructor = 0;
    Term guard;
    Value payload;
    SourceRange where;
};

class Finder {
  public:
    Finder(const Model& model, const Mapping& mapping, Executor& executor, Spec& spec, const PathState& start,
           Diagnostics& diagnostics)
        : model_(model),
          mapping_(mapping),
          executor_(executor),
          spec_(spec),
          terms_(spec.terms),
          start_(start),
          diagnostics_(diagnostics) {}

    std::vector<FoundRow> run() {
        const auto owner = model_.names.find(encode_name(mapping_.instructions.text));
        if (!owner || !model_.unions.contains(*owner)) {
            diagnostics_.report(Code::E1002, mapping_.instructions.where, "union", mapping_.instructions.text);
            return {};
        }
        for (const auto& mention : mapping_.decode) {
            const auto name = model_.names.find(encode_name(mention.text));
            const auto signature = name ? model_.signatures.find(*name) : model_.signatures.end();
            if (signature == model_.signatures.end() || !model_.functions.contains(*name) ||
                signature->second.parameters.size() != 1 || !signature->second.parameters[0].width ||
                *signature->second.parameters[0].width % spec_.parcel_bits() != 0 ||
                *signature->second.parameters[0].width == 0 || *signature->second.parameters[0].width > 64) {
                diagnostics_.report(Code::E1002, mention.where,
                                    fmt::format("function of whole parcels of {} bits", spec_.parcel_bits()),
                                    mention.text);
                continue;
            }
            decode_ = *name;
            width_ = *signature->second.parameters[0].width;
            word_ = terms_.declare("instruction", Sort::bits(width_));
            for (const Found& found : follow(model_.unions.at(*owner))) constructor(found);
        }
        std::vector<FoundRow> rows;
        for (auto& row : rows_) rows.push_back(std::move(row));
        for (auto& row : rows)
            if (row.forms.size() > 1)
                for (std::size_t i = 0; i < row.forms.size(); ++i) row.forms[i].form.variant = fmt::format("{}", i + 1);
        return rows;
    }

  private:
    std::vector<Found> follow(const Composite& instructions) {
        std::vector<Found> result;
        std::set<Name> illegal;
        for (const auto& mention : mapping_.illegal)
            if (const auto name = model_.names.find(encode_name(mention.text))) illegal.insert(*name);
        for (const auto& member : instructions.members)
            executor_.hooks[member.name] = [&, name = member.name](const std::vector<Value>& arguments,
                                                                   PathState& state,
                                                                   SourceRange where) -> std::optional<Value> {
                if (!illegal.contains(name))
                    result.push_back(
                        {name, executor_.guard(state), arguments.empty() ? Value::unit() : arguments[0], where});
                return std::nullopt;
            };
        PathState state = start_;
        executor_.call(decode_, {Value::bits(terms_.variable(word_))}, state);
        for (const auto& member : instructions.members) executor_.hooks.erase(member.name);
        executor_.stops.clear();
        return result;
    }

    // ---- what a condition says of the bits ----
    /// Bits that must have a value for the condition to hold.
    void force(Term condition, Fixed& fixed) const {
        const Node& node = terms_.node(condition);
        if (node.op == Op::and_) {
            force({node.a}, fixed);
            force({node.b}, fixed);
        } else if (node.op == Op::eq) {
            for (const auto& [x, k] : {std::pair{Term{node.a}, Term{node.b}}, std::pair{Term{node.b}, Term{node.a}}})
                if (terms_.is_constant(k) && terms_.sort(k).is_bits()) force(x, terms_.value(k), fixed);
        } else if (node.op == Op::not_) {
            const Node& inner = terms_.node({node.a});
            if (inner.op == Op::eq && terms_.sort(Term{inner.a}) == Sort::bits(1))
                for (const auto& [x, k] :
                     {std::pair{Term{inner.a}, Term{inner.b}}, std::pair{Term{inner.b}, Term{inner.a}}})
                    if (terms_.is_constant(k)) force(x, terms_.value(k) ^ 1, fixed);
        }
    }
    void force(Term bits, Word value, Fixed& fixed) const {
        const Node& node = terms_.node(bits);
        if (node.op == Op::concat) {
            const unsigned low = terms_.sort(Term{node.b}).width;
            force({node.b}, value & ones(low), fixed);
            force({node.a}, value >> low, fixed);
            return;
        }
        unsigned from = 0;
        Term variable = bits;
        if (node.op == Op::extract) {
            from = node.c;
            variable = {node.a};
        }
        const Node& leaf = terms_.node(variable);
        if (leaf.op != Op::variable || leaf.a != word_.id) return;
        fixed.mask |= ones(node.sort.width) << from;
        fixed.value |= value << from;
    }
    /// The instruction's bits with the fixed ones filled in.
    Term filled(const Fixed& fixed, Term bits) {
        Term result;
        for (unsigned high = width_; high > 0;) {
            const bool known = (fixed.mask >> (high - 1) & 1) != 0;
            unsigned low = high - 1;
            while (low > 0 && ((fixed.mask >> (low - 1) & 1) != 0) == known) --low;
            const Term part = known ? terms_.constant(high - low, fixed.value >> low & ones(high - low))
                                    : terms_.extract(bits, high - 1, low);
            result = result.valid() ? terms_.concat(result, part) : part;
            high = low;
        }
        return result;
    }
    Term fill(Term term, const Fixed& fixed) {
        const Term word = terms_.variable(word_);
        return terms_.substitute(term, {{word, filled(fixed, word)}});
    }
    /// Bits of the instruction that the term depends on.
    Word support(std::span<const Term> roots) const {
        Word result = 0;
        std::unordered_set<Term> seen;
        std::vector<Term> stack(roots.begin(), roots.end());
        while (!stack.empty()) {
            const Term term = stack.back();
            stack.pop_back();
            if (!seen.insert(term).second) continue;
            const Node& node = terms_.node(term);
            const bool part = node.op == Op::extract;
            const Node& leaf = part ? terms_.node({node.a}) : node;
            if (leaf.op == Op::variable) {
                if (leaf.a == word_.id) result |= part ? ones(node.sort.width) << node.c : ones(width_);
                continue;
            }
            for (const Term operand : terms_.operands(term)) stack.push_back(operand);
        }
        return result;
    }
    /// The conjuncts that speak of the instruction's bits alone.
    Term of_bits(Term condition) {
        const Node node = terms_.node(condition);
        if (node.op == Op::and_) {
            const Term left = of_bits({node.a});
            return terms_.and_(left, of_bits({node.b}));
        }
        const auto variables = terms_.support(std::span(&condition, 1));
        return variables.size() == 1 && variables[0] == word_ ? condition : terms_.boolean(true);
    }

    /// The conjuncts that depend on no other bits than those, and the others.
    std::pair<Term, Term> within(Term condition, Word bits) {
        const Node node = terms_.node(condition);
        if (node.op == Op::and_) {
            const auto left = within({node.a}, bits);
            const auto right = within({node.b}, bits);
            return {terms_.and_(left.first, right.first), terms_.and_(left.second, right.second)};
        }
        const bool inside = (support(std::span(&condition, 1)) & ~bits) == 0;
        const Term none = terms_.boolean(true);
        return inside ? std::pair{condition, none} : std::pair{none, condition};
    }

    // ---- one constructor at one place of the decoder ----
    std::vector<Part> parts_of(const Found& found) const {
        std::vector<Part> parts;
        const auto named = mapping_.operands.find(model_.names.readable(found.constructor));
        const auto add = [&](const Value& value) {
            Part part;
            part.name = named != mapping_.operands.end() && parts.size() < named->second.size()
                            ? named->second[parts.size()]
                            : fmt::format("op{}", parts.size());
            part.kind = value.kind;
            part.term = value.term;
            const bool free = std::find(mapping_.free.begin(), mapping_.free.end(), part.name) != mapping_.free.end();
            part.selects = value.kind != Value::Kind::bits && value.kind != Value::Kind::unit && !free;
            for (const auto& [operand, function] : mapping_.classes)
                if (operand == part.name && value.kind == Value::Kind::bits) {
                    part.classes = &function;
                    part.selects = true;
                }
            parts.push_back(std::move(part));
        };
        if (found.payload.kind == Value::Kind::structure) {
            for (const auto& member : found.payload.more->members) add(member);
        } else if (found.payload.kind != Value::Kind::unit) {
            add(found.payload);
        }
        return parts;
    }

    void constructor(const Found& found) {
        auto parts = parts_of(found);
        Term guard = of_bits(found.guard);
        Fixed fixed;
        for (Word before = 1; before != fixed.mask;) {
            before = fixed.mask;
            force(guard, fixed);
            guard = fill(guard, fixed);
        }
        if (terms_.is_false(guard)) return;
        std::vector<Term> roots{guard};
        for (auto& part : parts) {
            if (part.term.valid()) part.term = fill(part.term, fixed);
            if (part.selects && part.term.valid()) roots.push_back(part.term);
        }
        // What the decoder asks beyond the parts that select, of more bits than can be tried, is a condition.
        Word open = support(roots);
        Term rest = terms_.boolean(true);
        if (__builtin_popcountll(static_cast<std::uint64_t>(open)) > 18) {
            open = support(std::span(roots).subspan(1));
            std::tie(roots[0], rest) = within(guard, open);
        }
        std::vector<unsigned> positions;
        for (unsigned i = 0; i < width_; ++i)
            if ((open >> i & 1) != 0) positions.push_back(i);
        if (positions.size() > 18) {
            diagnostics_.report(Code::E1011, found.where, model_.names.readable(found.constructor),
                                fmt::format("{}", positions.size()));
            return;
        }

        // Every choice of the bits that matter, by the row it belongs to.
        struct Choice {
            std::vector<Word> values;  ///< of the parts that select
            std::vector<Word> words;   ///< bits at `positions`, in place
        };
        std::map<std::vector<std::string>, Choice> choices;
        std::vector<std::vector<std::string>> order;
        struct Leaves {
            Word word = 0;
            Variable of;
            Word variable(Variable variable, Sort) const { return variable == of ? word : Word{0}; }
            static Word select(Word, Word) { return 0; }
        };
        Concrete<Word, Leaves> domain;
        domain.of = word_;
        const Program program = compile(terms_, roots);
        for (std::uint64_t n = 0; n < std::uint64_t{1} << positions.size(); ++n) {
            Word word = 0;
            for (std::size_t i = 0; i < positions.size(); ++i) word |= Word{n >> i & 1} << positions[i];
            domain.word = word;
            const auto values = fold(program, domain);
            if (values[0] == 0) continue;
            std::vector<std::string> key;
            std::size_t at = 1;
            for (const auto& part : parts)
                if (part.selects && part.term.valid()) {
                    const Word value = values[at++];
                    key.push_back(part.classes != nullptr ? class_of(part, value)
                                                          : fmt::format("{}", static_cast<std::uint64_t>(value)));
                }
            const auto [choice, fresh] = choices.try_emplace(key);
            if (fresh) order.push_back(key);
            if (fresh) choice->second.values.assign(values.begin() + 1, values.end());
            choice->second.words.push_back(word);
        }
        for (const auto& key : order) {
            const Choice& choice = choices.at(key);
            Fixed chosen = fixed;
            Word same = open;
            for (const Word word : choice.words) same &= ~(word ^ choice.words.front());
            chosen.mask |= same;
            chosen.value |= choice.words.front() & same;
            const auto left = static_cast<unsigned>(__builtin_popcountll(static_cast<std::uint64_t>(open & ~same)));
            Term where = fill(rest, chosen);
            if (choice.words.size() != std::size_t{1} << left) {
                where = terms_.and_(where, fill(roots[0], chosen));
                std::size_t number = 0;
                for (const auto& part : parts)
                    if (part.selects && part.term.valid()) {
                        const Term term = fill(part.term, chosen);
                        const Term own =
                            part.classes != nullptr ? of_class(part, term, key[number])
                            : terms_.sort(term).is_bool()
                                ? (choice.values[number] != 0 ? term : terms_.not_(term))
                                : terms_.eq(term, terms_.constant(terms_.sort(term).width, choice.values[number]));
                        where = terms_.and_(where, own);
                        ++number;
                    }
            }
            std::vector<Part> here = parts;
            std::size_t at = 0;
            std::string row;
            for (auto& part : here)
                if (part.selects && part.term.valid()) {
                    const Word value = choice.values[at];
                    if (part.classes != nullptr) {
                        row = key[at];
                    } else {
                        part.term = part.kind == Value::Kind::boolean
                                        ? terms_.boolean(value != 0)
                                        : terms_.constant(terms_.sort(part.term).width, value);
                    }
                    ++at;
                }
            add(found, here, chosen, where, row);
        }
    }
    /// The term is a number of that class: one of those, or none of the others, whichever is said in fewer words.
    Term of_class(const Part& part, Term term, const std::string& wanted) {
        const unsigned width = terms_.sort(term).width;
        std::vector<Term> these;
        std::vector<Term> others;
        for (const auto& [key, name] : class_names_)
            if (key.first == part.classes)
                (name == wanted ? these : others).push_back(terms_.eq(term, terms_.constant(width, key.second)));
        if (these.size() <= others.size()) return terms_.any(these);
        for (Term& other : others) other = terms_.not_(other);
        return terms_.all(others);
    }

    std::optional<Name> text_function(const Mention& mention) {
        const auto name = model_.names.find(encode_name(mention.text));
        if (name && model_.functions.contains(*name)) return name;
        diagnostics_.report(Code::E1002, mention.where, "function", mention.text);
        return std::nullopt;
    }
    /// How the text that a function gives begins, or, if `whole`, all of it; empty where that depends on the state.
    std::string said(Name function, const std::vector<Value>& arguments, bool whole) {
        std::string text;
        PathState state = start_;
        try {
            const Value result = executor_.call(function, arguments, state);
            if (!state.dead && result.kind == Value::Kind::string && !(whole && result.more->open))
                text = result.more->text;
        } catch (const Stuck&) {
            text.clear();
        }
        executor_.stops.clear();
        return text;
    }

    std::string class_of(const Part& part, Word value) {
        const unsigned width = terms_.sort(part.term).width;
        const auto key = std::pair{part.classes, value};
        if (const auto known = class_names_.find(key); known != class_names_.end()) return known->second;
        const auto function = text_function(*part.classes);
        std::string text = function ? said(*function, {Value::bits(terms_.constant(width, value))}, true) : "";
        if (text.empty()) text = "other";
        for (const auto& [pattern, row] : mapping_.rows)
            if (fits(pattern, text)) {
                text = row;
                break;
            }
        class_names_.emplace(key, text);
        return text;
    }

    std::string mnemonic(const Found& found, const std::vector<Part>& parts) {
        std::string fallback = model_.names.readable(found.constructor);
        if (!mapping_.assembly) return fallback;
        const auto function = text_function(*mapping_.assembly);
        if (!function) return fallback;
        std::vector<Value> payload;
        if (found.payload.kind == Value::Kind::structure) {
            Compound made = *found.payload.more;
            for (std::size_t i = 0; i < made.members.size(); ++i) made.members[i].term = parts[i].term;
            payload.push_back(Value::made(Value::Kind::structure, std::move(made)));
        } else {
            payload.push_back(found.payload);
            if (!parts.empty()) payload.back().term = parts[0].term;
        }
        PathState state = start_;
        std::string text = said(*function, {executor_.call(found.constructor, payload, state)}, false);
        text = text.substr(0, text.find_first_of(" \t("));
        return text.empty() ? fallback : text;
    }

    /// Where the bits of a term come from, highest first; nothing if they are computed. -1: no bit of the instruction.
    std::optional<std::vector<int>> origins(Term term) const {
        const Node& node = terms_.node(term);
        std::vector<int> result;
        switch (node.op) {
            case Op::constant:
                return std::vector<int>(node.sort.width, -1);
            case Op::variable:
            case Op::extract: {
                const bool part = node.op == Op::extract;
                const Node& leaf = part ? terms_.node({node.a}) : node;
                if (leaf.op != Op::variable || leaf.a != word_.id) return std::nullopt;
                const int low = part ? static_cast<int>(node.c) : 0;
                for (int i = static_cast<int>(node.sort.width) - 1; i >= 0; --i) result.push_back(low + i);
                return result;
            }
            case Op::concat: {
                auto high = origins({node.a});
                const auto low = origins({node.b});
                if (!high || !low) return std::nullopt;
                high->insert(high->end(), low->begin(), low->end());
                return high;
            }
            case Op::zero_extend:
            case Op::sign_extend: {
                auto inner = origins({node.a});
                if (!inner) return std::nullopt;
                inner->insert(inner->begin(), node.sort.width - inner->size(), -1);
                return inner;
            }
            default:
                return std::nullopt;
        }
    }

    /// The parcel that a bit of the instruction stands in.
    [[nodiscard]] unsigned parcel_of(unsigned bit) const {
        const unsigned from_low = bit / spec_.parcel_bits();
        return spec_.big_endian ? width_ / spec_.parcel_bits() - 1 - from_low : from_low;
    }

    void add(const Found& found, std::vector<Part>& parts, const Fixed& fixed, Term where, const std::string& row) {
        FoundForm made;
        made.decode = decode_;
        Form& form = made.form;
        const unsigned parcel_bits = spec_.parcel_bits();
        const unsigned count = width_ / parcel_bits;
        form.encoding.parcels.resize(count);
        for (unsigned i = 0; i < width_; ++i) {
            auto& parcel = form.encoding.parcels[parcel_of(i)];
            parcel.mask |= static_cast<std::uint64_t>(fixed.mask >> i & 1) << (i % parcel_bits);
            parcel.value |= static_cast<std::uint64_t>(fixed.value >> i & 1) << (i % parcel_bits);
        }
        Word taken = fixed.mask;
        std::vector<Term> at(width_);  // every free bit as a bit of a field
        const auto add_field = [&](const std::string& name, const std::vector<unsigned>& bits) {  // highest first
            Field field;
            field.name = name;
            field.width = static_cast<unsigned>(bits.size());
            field.variable = terms_.declare(name, Sort::bits(field.width));
            const auto number = static_cast<unsigned>(form.fields.size());
            for (unsigned i = 0; i < field.width; ++i) {
                const unsigned bit = bits[field.width - 1 - i];
                taken |= Word{1} << bit;
                at[bit] = terms_.extract(terms_.variable(field.variable), i, i);
                auto& pieces = form.encoding.pieces;
                if (!pieces.empty() && pieces.back().field == number && pieces.back().parcel == parcel_of(bit) &&
                    pieces.back().low + pieces.back().width == bit % parcel_bits && bits[field.width - i] + 1 == bit) {
                    ++pieces.back().width;
                } else {
                    pieces.push_back({number, i, 1, parcel_of(bit), bit % parcel_bits});
                }
            }
            form.fields.push_back(std::move(field));
        };
        for (const auto& part : parts) {
            if (part.kind != Value::Kind::bits && part.kind != Value::Kind::boolean) continue;
            if (!part.term.valid()) continue;
            const Term fill_in = fill(part.kind == Value::Kind::boolean ? terms_.to_bits(part.term) : part.term, fixed);
            const auto from = origins(fill_in);
            if (!from) continue;
            std::vector<unsigned> bits;
            for (const int bit : *from)
                if (bit >= 0 && (taken >> bit & 1) == 0 &&
                    std::find(bits.begin(), bits.end(), static_cast<unsigned>(bit)) == bits.end())
                    bits.push_back(static_cast<unsigned>(bit));
            if (!bits.empty()) add_field(part.name, bits);
        }
        for (unsigned high = width_; high > 0; --high) {
            if ((taken >> (high - 1) & 1) != 0) continue;
            unsigned low = high - 1;
            while (low > 0 && (taken >> (low - 1) & 1) == 0) --low;
            std::vector<unsigned> bits;
            for (unsigned i = high; i > low; --i) bits.push_back(i - 1);
            add_field(fmt::format("b{}_{}", high - 1, low), bits);
        }
        Term bits;
        for (unsigned i = width_; i-- > 0;) {
            const Term bit = at[i].valid() ? at[i] : terms_.constant(1, fixed.value >> i & 1);
            bits = bits.valid() ? terms_.concat(bits, bit) : bit;
        }
        made.bits = bits;
        form.encoding.where = terms_.substitute(where, {{terms_.variable(word_), bits}});

        const std::string word = mnemonic(found, parts);
        std::string people = word;
        form.assembly.push_back({AssemblyPart::Kind::text, word, 0, 0, 0});
        for (unsigned i = 0; i < form.fields.size(); ++i) {
            form.assembly.push_back({AssemblyPart::Kind::text, i == 0 ? " " : ", ", 0, 0, 0});
            form.assembly.push_back({AssemblyPart::Kind::number, "", i, 0, 0});
            people += fmt::format("{}<{}>", i == 0 ? " " : ", ", form.fields[i].name);
        }
        const std::string name = row.empty() ? word : word + " " + row;
        auto there = std::find_if(rows_.begin(), rows_.end(), [&](const FoundRow& r) { return r.name == name; });
        if (there == rows_.end()) {
            rows_.push_back({name, row.empty() ? word : word + "." + row, people, pattern(form), {}});
            there = rows_.end() - 1;
        }
        there->forms.push_back(std::move(made));
    }

    /// "0000000 rs2 rs1 000 rd 0110011"
    [[nodiscard]] std::string pattern(const Form& form) const {
        std::vector<std::string> words;
        bool digits = false;
        for (unsigned i = width_; i-- > 0;) {
            const unsigned parcel_bits = spec_.parcel_bits();
            const unsigned index = parcel_of(i);
            const auto& parcel = form.encoding.parcels[index];
            const unsigned low = i % parcel_bits;
            if ((parcel.mask >> low & 1) != 0) {
                if (!digits) words.emplace_back();
                words.back() += (parcel.value >> low & 1) != 0 ? '1' : '0';
                digits = true;
                continue;
            }
            digits = false;
            for (const auto& piece : form.encoding.pieces)
                if (piece.parcel == index && low >= piece.low && low < piece.low + piece.width) {
                    const std::string& name = form.fields[piece.field].name;
                    if (words.empty() || words.back() != name) words.push_back(name);
                }
        }
        return fmt::format("{}", fmt::join(words, " "));
    }

    const Model& model_;
    const Mapping& mapping_;
    Executor& executor_;
    Spec& spec_;
    Terms& terms_;
    const PathState& start_;
    Diagnostics& diagnostics_;
    Name decode_ = 0;
    unsigned width_ = 0;
    Variable word_;
    std::vector<FoundRow> rows_;
    std::map<std::pair<const Mention*, Word>, std::string> class_names_;
};

}  // namespace

std::vector<FoundRow> find_rows(const Model& model, const Mapping& mapping, Executor& executor, Spec& spec,
                                const PathState& start, Diagnostics& diagnostics) {
    return Finder(model, mapping, executor, spec, start, diagnostics).run();
}

}  // namespace pogo::isa::jib
