// Elaboration of instructions: operand cases into forms, encodings, assembly patterns.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "elaborator.hpp"
#include "field_condition.hpp"
#include "isa/require.hpp"

namespace pogo::isa {

// Bits of one group, highest first.
struct Elaborator::Pieces {
    struct Piece {
        bool fixed = true;
        Word value = 0;
        unsigned width = 0;
        unsigned field = 0;
        unsigned from = 0;  ///< lowest bit of the field
    };
    std::vector<Piece> pieces;
    [[nodiscard]] unsigned width() const {
        unsigned total = 0;
        for (const auto& piece : pieces) total += piece.width;
        return total;
    }
};

struct Elaborator::FormContext {
    const Ast* instruction = nullptr;
    InstructionId id;
    const Ast* rows = nullptr;  ///< `rows by`
    std::string row;            ///< of the operand named there: only its cases of this class
    std::vector<const Ast*> items;
    std::vector<const Ast*> operands;
    std::vector<FieldInfo> fields;
    std::vector<unsigned> given;  ///< bits of each field that have a place, as a count
};

void Elaborator::flatten(const std::vector<Ast>& list, std::vector<const Ast*>& into) {
    for (const Ast& item : list) {
        if (!item.is(Syntax::when))
            into.push_back(&item);
        else if (constant_condition(item[0]))
            flatten(item[1].children, into);
        else if (item.size() > 2)
            flatten(item[2].children, into);
    }
}

std::string Elaborator::pattern(const std::vector<const Ast*>& items) {
    std::string text;
    for (const Ast* item : items) {
        if (!item->is(Syntax::encoding)) continue;
        for (const Ast& group : item->children) {
            if (group.is(Syntax::where)) continue;
            if (!text.empty()) text += ", ";
            for (std::size_t i = 0; i < group.size(); ++i) {
                const Ast& piece = group[i];
                if (i > 0) text += " ";
                if (piece.is(Syntax::bits)) {
                    for (unsigned bit = piece.width; bit-- > 0;) text += (piece.value >> bit & 1) != 0 ? '1' : '0';
                } else if (piece.is(Syntax::operand_piece)) {
                    text += piece[0].text + (piece.text.empty() ? "" : "." + piece.text);
                } else {
                    text += piece.text;
                }
            }
        }
    }
    return text;
}

void Elaborator::instruction(const Ast& ast) {
    FormContext context;
    context.instruction = &ast;
    operands_.clear();
    frames_.emplace_back();  // for conditions of `when`, which see parameters only
    frames_.back().done = spec_.terms.boolean(false);
    flatten(ast.children, context.items);
    frames_.pop_back();

    Instruction row;
    row.identifier = row.name = ast.text;
    row.where = ast.range;
    const Ast* encoding = nullptr;
    const Ast* assembly = nullptr;
    for (const Ast* item : context.items) {
        switch (item->kind) {
            case Syntax::title:
                row.name = (*item)[0].text;
                break;
            case Syntax::operand:
                context.operands.push_back(item);
                row.operands.push_back(item->text);
                break;
            case Syntax::encoding:
                if (encoding != nullptr) fail(Code::E0202, item->range, "encoding");
                encoding = item;
                break;
            case Syntax::assembly:
                assembly = item;
                break;
            case Syntax::rows:
                context.rows = item;
                break;
            case Syntax::cycles: {
                const auto& classes = spec_.timing.classes;
                const auto it =
                    std::find_if(classes.begin(), classes.end(), [&](const auto& c) { return c.name == item->text; });
                if (it == classes.end()) fail(Code::E0508, item->range, item->text);
                row.timing_class = static_cast<unsigned>(it - classes.begin());
                break;
            }
            default:
                break;
        }
    }
    if (encoding == nullptr) fail(Code::E0406, ast.range, ast.text);
    if (assembly == nullptr) fail(Code::E0407, ast.range, ast.text);
    if (spec_.find_instruction(row.name).valid() || spec_.find_instruction(row.identifier).valid())
        fail(Code::E0202, ast.range, row.name);
    row.encoding = pattern(context.items);
    for (const char c : (*assembly)[0].text) row.assembly += c == '{' ? '<' : c == '}' ? '>' : c;
    // Only the name matters to people, not how a field is written.
    for (auto at = row.assembly.find('<'); at != std::string::npos; at = row.assembly.find('<', at + 1)) {
        const auto colon = row.assembly.find(':', at);
        const auto end = row.assembly.find('>', at);
        if (colon != std::string::npos && end != std::string::npos && colon < end)
            row.assembly.erase(colon, end - colon);
    }
    if (context.rows == nullptr) {
        add_row(context, std::move(row));
        return;
    }
    const auto by = std::find_if(context.operands.begin(), context.operands.end(),
                                 [&](const Ast* operand) { return operand->text == context.rows->text; });
    if (by == context.operands.end()) fail(Code::E0404, context.rows->range, context.rows->text);
    const Ast& group = *lookup((**by)[0], Symbol::Kind::group, "an operand group").ast;
    for (const auto& name : case_rows(group, set_cases((**by)[2], group))) {
        context.row = name;
        Instruction one = row;
        one.name += " " + name;
        one.identifier += "." + name;
        add_row(context, std::move(one));
    }
}

std::string Elaborator::row_of(const Ast& group, const Ast& chosen) {
    std::string row = chosen.text;
    for (const Ast& child : group.children) {
        if (child.is(Syntax::case_class)) row = child.text;
        if (&child == &chosen) break;
    }
    return row;
}

// The rows that an operand divides an instruction into: classes of cases, in their order.
std::vector<std::string> Elaborator::case_rows(const Ast& group, const std::vector<std::string>& cases) {
    std::vector<std::string> rows;
    for (const Ast& child : group.children) {
        if (!child.is(Syntax::operand_case) || std::find(cases.begin(), cases.end(), child.text) == cases.end())
            continue;
        const std::string row = row_of(group, child);
        if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
    }
    return rows;
}

void Elaborator::add_row(FormContext& context, Instruction row) {
    const Ast& ast = *context.instruction;
    context.id = row_ = {static_cast<std::uint32_t>(spec_.instructions.size())};
    row.first_form = static_cast<std::uint32_t>(spec_.forms.size());
    const std::string name = row.identifier;
    spec_.instructions.push_back(std::move(row));
    choose(context, 0, [&] { form(context); });
    row_ = {};
    Instruction& done = spec_.instructions[context.id.index];
    done.form_count = static_cast<std::uint32_t>(spec_.forms.size()) - done.first_form;
    if (done.form_count == 0) fail(Code::E0425, ast.range, name);
}

// One operand after the other, in all combinations.
void Elaborator::choose(FormContext& context, std::size_t at, const std::function<void()>& chosen_all) {
    if (at == context.operands.size()) return chosen_all();
    const Ast& ast = *context.operands[at];
    const Ast& group = *lookup(ast[0], Symbol::Kind::group, "an operand group").ast;
    const Ast& formals = group[0];
    if (ast[1].size() != formals.size())
        fail(Code::E0208, ast.range, group.text, fmt::format("{}", formals.size()), fmt::format("{}", ast[1].size()));

    // Arguments may use the constants of operands chosen before.
    Frame names;
    names.done = spec_.terms.boolean(false);
    for (std::size_t i = 0; i < operands_.size(); ++i) {
        Value value;
        value.kind = Value::Kind::operand;
        value.operand = i;
        names.locals.push_back({operands_[i].name, value, nullptr});
    }
    std::vector<Frame::Local> environment;
    frames_.push_back(std::move(names));
    for (std::size_t i = 0; i < formals.size(); ++i)
        environment.push_back(
            {formals[i].text, coerce(eval(ast[1][i]), type(formals[i][0]), ast[1][i].range), nullptr});
    frames_.pop_back();

    const auto cases = set_cases(ast[2], group);
    for (const Ast& chosen : group.children) {
        if (!chosen.is(Syntax::operand_case)) continue;
        if (std::find(cases.begin(), cases.end(), chosen.text) == cases.end()) continue;
        if (context.rows != nullptr && context.rows->text == ast.text && row_of(group, chosen) != context.row) continue;
        OperandInstance instance{ast.text, &group, &chosen, environment};
        Frame frame;
        frame.done = spec_.terms.boolean(false);
        frame.locals = environment;
        frames_.push_back(std::move(frame));
        std::vector<const Ast*> items;
        flatten(chosen.children, items);
        bool permitted = true;
        for (const Ast* item : items) {
            if (item->is(Syntax::only)) permitted = permitted && constant_condition((*item)[0]);
            if (item->is(Syntax::const_)) {
                instance.environment.push_back({item->text, eval((*item)[0]), nullptr});
                frames_.back().locals.push_back(instance.environment.back());
            }
        }
        frames_.pop_back();
        if (!permitted) continue;
        operands_.push_back(std::move(instance));
        choose(context, at + 1, chosen_all);
        operands_.pop_back();
    }
}

FieldInfo& Elaborator::field(FormContext& context, const std::string& name, unsigned width, const Ast* enumeration,
                             SourceRange where) {
    for (auto& known : context.fields) {
        if (known.name != name) continue;
        if (known.width < width) known.width = width;
        return known;
    }
    if (width == 0 || width > 64) fail(Code::E0214, where, fmt::format("{}", width));
    context.fields.push_back({name, width, enumeration, {}});
    return context.fields.back();
}

void Elaborator::group_pieces(FormContext& context, const Ast& group, OperandInstance* operand, Pieces& into) {
    for (const Ast& piece : group.children) {
        const std::string prefix = operand == nullptr ? "" : operand->name + ".";
        switch (piece.kind) {
            case Syntax::bits:
                if (piece.width == 0) fail(Code::E0401, piece.range, piece.text);
                into.pieces.push_back({true, piece.value, piece.width, 0, 0});
                break;
            case Syntax::field_piece: {
                const Ast* enumeration = nullptr;
                unsigned width = 0;
                if (const Symbol* symbol = piece[0].is(Syntax::name) ? find(piece[0].text) : nullptr;
                    symbol != nullptr && symbol->kind == Symbol::Kind::enumeration) {
                    enumeration = symbol->ast;
                    width = type((*enumeration)[0]).width;
                } else {
                    width = positive(piece[0], 64);
                }
                for (const auto& known : context.fields)
                    if (known.name == prefix + piece.text) fail(Code::E0402, piece.range, piece.text);
                const FieldInfo& info = field(context, prefix + piece.text, width, enumeration, piece.range);
                into.pieces.push_back({false, 0, width, static_cast<unsigned>(&info - context.fields.data()), 0});
                break;
            }
            case Syntax::field_part: {
                const Number high = number(piece[0]);
                const Number low = number(piece[1]);
                if (low < 0 || high < low || high > 63)
                    fail(Code::E0207, piece.range, describe(Value::of(high)), describe(Value::of(low)), "64");
                const FieldInfo& info =
                    field(context, prefix + piece.text, static_cast<unsigned>(high) + 1, nullptr, piece.range);
                into.pieces.push_back({false, 0, static_cast<unsigned>(high - low + 1),
                                       static_cast<unsigned>(&info - context.fields.data()),
                                       static_cast<unsigned>(low)});
                break;
            }
            case Syntax::operand_piece: {
                OperandInstance* instance = nullptr;
                for (auto& candidate : operands_)
                    if (candidate.name == piece[0].text) instance = &candidate;
                if (instance == nullptr || operand != nullptr) fail(Code::E0404, piece.range, piece[0].text);
                std::string wanted = piece.text;
                if (wanted.empty()) {
                    // The only piece of the group, or the one named like it.
                    unsigned count = 0;
                    for (const Ast& child : instance->group->children)
                        if (child.is(Syntax::piece) && (count++ == 0 || child.text == instance->group->text))
                            wanted = child.text;
                    if (count > 1 && wanted != instance->group->text) fail(Code::E0404, piece.range, piece[0].text);
                }
                Frame frame;
                frame.done = spec_.terms.boolean(false);
                frame.locals = instance->environment;
                frames_.push_back(std::move(frame));
                unsigned width = 0;
                for (const Ast& child : instance->group->children)
                    if (child.is(Syntax::piece) && child.text == wanted) width = positive(child[0], 64);
                if (width == 0) fail(Code::E0404, piece.range, piece[0].text + "." + wanted);
                std::vector<const Ast*> items;
                flatten(instance->chosen->children, items);
                bool found = false;
                for (const Ast* item : items) {
                    if (!item->is(Syntax::piece_value) || item->text != wanted) continue;
                    found = true;
                    Pieces own;
                    group_pieces(context, *item, instance, own);
                    if (own.width() != width)
                        fail(Code::E0405, item->range, wanted, fmt::format("{}", width),
                             fmt::format("{}", own.width()));
                    into.pieces.insert(into.pieces.end(), own.pieces.begin(), own.pieces.end());
                }
                if (!found) fail(Code::E0409, piece.range, instance->chosen->text, wanted);
                frames_.pop_back();
                break;
            }
            default:
                fail(Code::E0401, piece.range, piece.text);
        }
    }
}

// Cuts a group into parcels: as one number of its size in the machine's endianness.
void Elaborator::place(FormContext& context, const Pieces& pieces, SourceRange where, Encoding& encoding) {
    const unsigned parcel = spec_.parcel_bits();
    const unsigned total = pieces.width();
    if (total == 0 || total % parcel != 0)
        fail(Code::E0403, where, fmt::format("{}", total), fmt::format("{}", parcel));
    const unsigned count = total / parcel;
    const auto first = static_cast<unsigned>(encoding.parcels.size());
    if (first + count > 32) fail(Code::E0211, where);
    encoding.parcels.resize(first + count);
    unsigned at = total;  // bit above the piece, in the group
    for (auto piece : pieces.pieces) {
        while (piece.width > 0) {
            // The part of the piece that lies in one parcel.
            const unsigned number_low_first = (at - 1) / parcel;
            const unsigned inside = at - number_low_first * parcel;
            const unsigned width = std::min(piece.width, inside);
            const unsigned index = first + (spec_.big_endian ? count - 1 - number_low_first : number_low_first);
            const unsigned low = inside - width;
            if (piece.fixed) {
                const auto mask = static_cast<std::uint64_t>(ones(width));
                encoding.parcels[index].mask |= mask << low;
                encoding.parcels[index].value |=
                    (static_cast<std::uint64_t>(piece.value >> (piece.width - width)) & mask) << low;
            } else {
                encoding.pieces.push_back({piece.field, piece.from + piece.width - width, width, index, low});
                context.given[piece.field] += width;
            }
            piece.width -= width;
            at -= width;
        }
    }
}

void Elaborator::add_assembly(FormContext& context, const Ast& text, const OperandInstance* operand,
                              std::vector<AssemblyPart>& parts) {
    const std::string& s = text.text;
    const auto push_text = [&](std::string_view piece) {
        if (piece.empty()) return;
        if (!parts.empty() && parts.back().kind == AssemblyPart::Kind::text)
            parts.back().text += piece;
        else
            parts.push_back({AssemblyPart::Kind::text, std::string(piece), 0, 0, 0});
    };
    std::size_t at = 0;
    while (at < s.size()) {
        const auto open = s.find('{', at);
        push_text(std::string_view(s).substr(at, open == std::string::npos ? open : open - at));
        if (open == std::string::npos) break;
        const auto close = s.find('}', open);
        if (close == std::string::npos) fail(Code::E0408, text.range, s.substr(open));
        std::string inner = s.substr(open + 1, close - open - 1);
        std::string how;
        if (const auto colon = inner.find(':'); colon != std::string::npos) {
            how = inner.substr(colon + 1);
            inner.resize(colon);
        }
        at = close + 1;
        OperandInstance* instance = nullptr;
        if (operand == nullptr)
            for (auto& candidate : operands_)
                if (candidate.name == inner) instance = &candidate;
        if (instance != nullptr) {
            std::vector<const Ast*> items;
            Frame frame;
            frame.done = spec_.terms.boolean(false);
            frame.locals = instance->environment;
            frames_.push_back(std::move(frame));
            flatten(instance->chosen->children, items);
            frames_.pop_back();
            for (const Ast* item : items)
                if (item->is(Syntax::assembly)) add_assembly(context, (*item)[0], instance, parts);
            continue;
        }
        const std::string name = operand == nullptr ? inner : operand->name + "." + inner;
        const auto it = std::find_if(context.fields.begin(), context.fields.end(),
                                     [&](const FieldInfo& info) { return info.name == name; });
        if (it == context.fields.end()) fail(Code::E0408, text.range, "{" + inner + "}");
        AssemblyPart part;
        part.field = static_cast<unsigned>(it - context.fields.begin());
        part.kind = it->enumeration != nullptr ? AssemblyPart::Kind::name : AssemblyPart::Kind::number;
        if (how == "signed") {
            part.kind = AssemblyPart::Kind::signed_;
        } else if (how == "hex") {
            part.kind = AssemblyPart::Kind::hex;
        } else if (how.starts_with("relative")) {
            part.kind = AssemblyPart::Kind::relative;
            int offset = 0;
            unsigned shift = 0;
            char end = 0;
            const int got = std::sscanf(how.c_str(), "relative(%d , %u %c", &offset, &shift, &end);
            if (how != "relative" && got < 1) fail(Code::E0410, text.range, how);
            if (shift > 16 || offset < -64 || offset > 64) fail(Code::E0410, text.range, how);
            part.offset = offset;
            part.shift = shift;
        } else if (!how.empty()) {
            fail(Code::E0410, text.range, how);
        }
        parts.push_back(part);
    }
}

// The encoding: first which fields there are, then where their bits lie.
void Elaborator::encode(FormContext& context, Form& form) {
    Terms& t = spec_.terms;
    context.fields.clear();
    frames_.emplace_back();
    frames_.back().done = t.boolean(false);
    std::vector<std::pair<Pieces, SourceRange>> groups;
    for (const Ast* item : context.items) {
        if (!item->is(Syntax::encoding)) continue;
        for (const Ast& group : item->children) {
            if (group.is(Syntax::where)) continue;
            // `x.ext` alone in its place stands for the operand's own groups.
            if (group.size() == 1 && group[0].is(Syntax::operand_piece) && group[0].text == "ext") {
                OperandInstance* instance = nullptr;
                for (auto& candidate : operands_)
                    if (candidate.name == group[0][0].text) instance = &candidate;
                if (instance == nullptr) fail(Code::E0404, group.range, group[0][0].text);
                frames_.back().locals = instance->environment;
                std::vector<const Ast*> items;
                flatten(instance->chosen->children, items);
                for (const Ast* ext : items) {
                    if (!ext->is(Syntax::ext)) continue;
                    for (const Ast& own : ext->children) {
                        Pieces pieces;
                        group_pieces(context, own, instance, pieces);
                        groups.emplace_back(std::move(pieces), own.range);
                    }
                }
                frames_.back().locals.clear();
                continue;
            }
            Pieces pieces;
            group_pieces(context, group, nullptr, pieces);
            groups.emplace_back(std::move(pieces), group.range);
        }
    }
    frames_.pop_back();
    context.given.assign(context.fields.size(), 0);
    for (const auto& [pieces, range] : groups) place(context, pieces, range, form.encoding);
    if (form.encoding.parcels.empty()) fail(Code::E0406, context.instruction->range, context.instruction->text);
    for (auto& info : context.fields) {
        info.variable = shared_variable(info.name, Sort::bits(info.width));
        Field out{info.name, info.width, info.variable, {}};
        if (info.enumeration != nullptr) {
            out.names.resize(std::size_t{1} << std::min(info.width, 12U));
            for (std::size_t i = 1; i < info.enumeration->size(); ++i) {
                const Ast& enumerator = (*info.enumeration)[i];
                const auto value = static_cast<std::size_t>(number(enumerator[0]));
                if (value >= out.names.size())
                    fail(Code::E0205, enumerator.range, enumerator.text, fmt::format("{}", info.width));
                std::string& name = out.names[value];
                name = enumerator.text;
                std::transform(name.begin(), name.end(), name.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
            }
        }
        form.fields.push_back(std::move(out));
    }
}

// A field, put together from where its bits lie; those that the encoding has no place for are 0.
Term Elaborator::placed(const Form& form, std::size_t field, const PieceSource& source) {
    Terms& t = spec_.terms;
    const unsigned width = form.fields[field].width;
    const auto piece_at = [&](unsigned bit) -> const Encoding::Piece* {
        for (const auto& piece : form.encoding.pieces)
            if (piece.field == field && piece.from <= bit && bit < piece.from + piece.width) return &piece;
        return nullptr;
    };
    Term result;
    for (unsigned low = 0; low < width;) {
        const Encoding::Piece* const piece = piece_at(low);
        unsigned high = low;
        while (high + 1 < width && piece_at(high + 1) == piece) ++high;
        const Term part = piece != nullptr ? source(*piece, high, low) : t.constant(high - low + 1, 0);
        result = result.valid() ? t.concat(part, result) : part;
        low = high + 1;
    }
    return result;
}

// What statements see: operands, whose environments get their fields, then the instruction's own fields.
std::vector<Frame::Local> Elaborator::bind_fields(const FormContext& context, const Form& form,
                                                  const PieceSource& source) {
    std::vector<Frame::Local> locals;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
        Value value;
        value.kind = Value::Kind::operand;
        value.operand = i;
        locals.push_back({operands_[i].name, value, nullptr});
    }
    for (std::size_t i = 0; i < context.fields.size(); ++i) {
        const FieldInfo& info = context.fields[i];
        const Value value = Value::of(placed(form, i, source));
        if (info.name.find('.') == std::string::npos) locals.push_back({info.name, value, info.enumeration});
        for (auto& operand : operands_)
            if (info.name.starts_with(operand.name + "."))
                operand.environment.push_back({info.name.substr(operand.name.size() + 1), value, info.enumeration});
    }
    return locals;
}

// Which values of the fields are meant, with the names that each condition sees.
std::vector<Elaborator::Restriction> Elaborator::restrictions(const FormContext& context,
                                                              const std::vector<Frame::Local>& locals) {
    std::vector<Restriction> result;
    for (const Ast* item : context.items)
        if (item->is(Syntax::encoding))
            for (const Ast& group : item->children)
                if (group.is(Syntax::where)) result.push_back({&group, locals});
    for (std::size_t i = 0; i < operands_.size(); ++i)
        if (const Ast* own = operand_item(i, Syntax::where); own != nullptr)
            result.push_back({own, operands_[i].environment});
    return result;
}

// Statements between items of other kinds form one body.
Ast Elaborator::body_of(const FormContext& context) {
    Ast body{Syntax::block, context.instruction->range, {}, 0, 0, {}};
    for (const Ast* item : context.items) {
        switch (item->kind) {
            case Syntax::title:
            case Syntax::operand:
            case Syntax::encoding:
            case Syntax::assembly:
            case Syntax::cycles:
            case Syntax::rows:
                break;
            default:
                body.children.push_back(*item);
        }
    }
    return body;
}

void Elaborator::form(FormContext& context) {
    Terms& t = spec_.terms;
    if (spec_.forms.size() >= 100'000) fail(Code::E0211, context.instruction->range);
    Form form;
    form.instruction = context.id;
    for (const auto& operand : operands_) form.variant += (form.variant.empty() ? "" : ".") + operand.chosen->text;
    encode(context, form);
    const auto operands = operands_;
    const auto locals = bind_fields(context, form, [&](const Encoding::Piece& piece, unsigned high, unsigned low) {
        return t.extract(t.variable(form.fields[piece.field].variable), high, low);
    });
    form.encoding.where = t.boolean(true);
    for (const auto& [where, names] : restrictions(context, locals)) {
        meaning(pc_value_, [&, &where = where, &names = names] {
            frames_.back().locals = names;
            form.encoding.where = t.and_(form.encoding.where, condition((*where)[0]));
        });
        for (const Variable v : t.support(std::span(&form.encoding.where, 1))) {
            const bool own =
                std::any_of(form.fields.begin(), form.fields.end(), [&](const Field& f) { return f.variable == v; });
            if (!own) fail(Code::E0411, where->range);
        }
    }
    for (const Ast* item : context.items)
        if (item->is(Syntax::assembly)) add_assembly(context, (*item)[0], nullptr, form.assembly);
    for (unsigned i = 0; i < form.fields.size(); ++i) {
        const bool shown = std::any_of(form.assembly.begin(), form.assembly.end(), [&](const AssemblyPart& part) {
            return part.kind != AssemblyPart::Kind::text && part.field == i;
        });
        if (!shown) fail(Code::E0412, context.instruction->range, form.fields[i].name);
    }

    const unsigned length = static_cast<unsigned>(form.encoding.parcels.size()) * spec_.parcel_units;
    next_value_ = t.apply(Op::bvadd, pc_value_, t.constant(spec_[spec_.pc].width, length));
    form.meaning = meaning(next_value_, [&] {
        frames_.back().locals = locals;
        block(body_of(context));
    });
    // A form always says where it goes, also when it loops on itself.
    const bool goes = std::any_of(form.meaning.writes.begin(), form.meaning.writes.end(),
                                  [&](const Write& write) { return write.element == spec_.pc; });
    if (!goes) form.meaning.writes.push_back({spec_.pc, {}, pc_value_, t.boolean(true), context.instruction->range});
    operands_ = operands;
    spec_.forms.push_back(std::move(form));
}

// What `execute` may find: a form of an instruction, its fields taken from the value.
struct Elaborator::Executed {
    Term found;  ///< Bool: the value is this form
    const Ast* instruction = nullptr;
    std::vector<OperandInstance> operands;
    std::vector<Frame::Local> locals;
    Ast body;
};

const Ast& Elaborator::instruction_named(const Ast& name) {
    for (const auto* list : {&declarations_, &extension_declarations_})
        for (const Ast* declared : *list)
            if (declared->is(Syntax::instruction) && declared->text == name.text) return *declared;
    fail(Code::E0603, name.range, name.text);
}

// `execute value { … }`: each form of the instructions named is tried on the value, and does what it does where it
// stands.
void Elaborator::execute(const Ast& ast) {
    Terms& t = spec_.terms;
    const Term value = any_bits(eval(ast[0]), ast[0].range);
    const unsigned width = t.sort(value).width;
    const unsigned parcel = spec_.parcel_bits();
    if (width % parcel != 0) fail(Code::E0403, ast[0].range, fmt::format("{}", width), fmt::format("{}", parcel));
    const auto bits_of = [&](unsigned number, unsigned high, unsigned low) {
        const unsigned base = width - (number + 1) * parcel;
        return t.extract(value, base + high, base + low);
    };
    std::vector<Executed> forms;
    auto outer = std::exchange(operands_, {});
    std::vector<const Ast*> names;
    flatten(ast[1].children, names);
    for (const Ast* name : names) {
        FormContext context;
        context.instruction = &instruction_named(*name);
        if (std::find(calls_.begin(), calls_.end(), context.instruction) != calls_.end())
            fail(Code::E0210, name->range, name->text);
        flatten(context.instruction->children, context.items);
        for (const Ast* item : context.items)
            if (item->is(Syntax::operand)) context.operands.push_back(item);
        choose(context, 0, [&] {
            Form form;
            encode(context, form);
            const auto& parcels = form.encoding.parcels;
            if (parcels.size() * parcel > width) return;
            const auto operands = operands_;
            Executed one{t.boolean(true), context.instruction, {}, {}, body_of(context)};
            one.locals = bind_fields(context, form, [&](const Encoding::Piece& piece, unsigned high, unsigned low) {
                return bits_of(piece.parcel, piece.low + high - piece.from, piece.low + low - piece.from);
            });
            for (unsigned number = 0; number < parcels.size(); ++number)
                for (unsigned bit = 0; bit < parcel; ++bit)
                    if ((parcels[number].mask >> bit & 1) != 0)
                        one.found = t.and_(one.found, t.eq(bits_of(number, bit, bit),
                                                           t.constant(1, parcels[number].value >> bit & 1)));
            for (const auto& [where, seen] : restrictions(context, one.locals)) {
                frames_.push_back({seen, t.boolean(false), {}, {}, false});
                one.found = t.and_(one.found, condition((*where)[0]));
                frames_.pop_back();
            }
            one.operands = std::exchange(operands_, operands);
            if (!t.is_false(one.found)) forms.push_back(std::move(one));
        });
    }
    operands_ = std::move(outer);
    execute(forms, 0, ast);
}

void Elaborator::execute(const std::vector<Executed>& forms, std::size_t at, const Ast& ast) {
    if (at == forms.size()) {
        if (ast.size() > 2) statement(ast[2]);
        return;
    }
    const Executed& one = forms[at];
    fork(
        one.found, ast.range,
        [&] {
            if (calls_.size() > 64) fail(Code::E0211, ast.range);
            calls_.push_back(one.instruction);
            auto operands = std::exchange(operands_, one.operands);
            auto addresses = std::exchange(path_.addresses, std::vector<Term>(one.operands.size()));
            auto torn = std::exchange(path_.torn, std::vector<bool>(one.operands.size()));
            frames_.push_back({one.locals, spec_.terms.boolean(false), {}, {}, false});
            block(one.body);
            frames_.pop_back();
            operands_ = std::move(operands);
            path_.addresses = std::move(addresses);
            path_.torn = std::move(torn);
            calls_.pop_back();
        },
        [&] { execute(forms, at + 1, ast); });
}

// Two forms that fixed bits do not tell apart overlap, unless their conditions do. Conditions are tried on all values
// of up to 16 free bits that they read, else on 4,096 random ones.
void Elaborator::check_overlaps() {
    const auto& forms = spec_.forms;
    std::size_t found = 0;
    std::vector<FieldCondition> conditions;
    conditions.reserve(forms.size());
    for (const Form& form : forms) conditions.emplace_back(spec_.terms, form);
    const auto accepts = [&](std::size_t form, const std::vector<std::uint64_t>& parcels) {
        const auto& expected = forms[form].encoding.parcels;
        for (std::size_t i = 0; i < expected.size(); ++i)
            if ((parcels[i] & expected[i].mask) != expected[i].value) return false;
        return conditions[form](fields_of(forms[form], parcels));
    };
    for (std::size_t i = 0; i < forms.size(); ++i) {
        for (std::size_t j = i + 1; j < forms.size() && found < 10; ++j) {
            const auto& a = forms[i].encoding;
            const auto& b = forms[j].encoding;
            const std::size_t both = std::min(a.parcels.size(), b.parcels.size());
            bool apart = false;
            for (std::size_t k = 0; k < both && !apart; ++k)
                apart = ((a.parcels[k].value ^ b.parcels[k].value) & a.parcels[k].mask & b.parcels[k].mask) != 0;
            if (apart) continue;
            const std::size_t longest = std::max(a.parcels.size(), b.parcels.size());
            std::vector<std::uint64_t> base(longest, 0);
            std::vector<std::uint64_t> read(longest, 0);
            for (const std::size_t form : {i, j})
                for (const auto& piece : forms[form].encoding.pieces)
                    if (conditions[form].reads()[piece.field])
                        read[piece.parcel] |= static_cast<std::uint64_t>(ones(piece.width)) << piece.low;
            std::vector<std::pair<std::size_t, unsigned>> open;
            for (std::size_t k = 0; k < longest; ++k) {
                std::uint64_t mask = 0;
                if (k < a.parcels.size()) mask |= a.parcels[k].mask, base[k] |= a.parcels[k].value;
                if (k < b.parcels.size()) mask |= b.parcels[k].mask, base[k] |= b.parcels[k].value;
                for (unsigned bit = 0; bit < spec_.parcel_bits(); ++bit)
                    if ((read[k] & ~mask) >> bit & 1) open.emplace_back(k, bit);
            }
            const bool conditional = !spec_.terms.is_true(a.where) || !spec_.terms.is_true(b.where);
            bool overlap = !conditional;
            std::mt19937_64 random(1);
            const std::uint64_t tries = open.size() <= 16 ? std::uint64_t{1} << open.size() : 4096;
            for (std::uint64_t n = 0; conditional && n < tries && !overlap; ++n) {
                auto parcels = base;
                for (std::size_t bit = 0; bit < open.size(); ++bit)
                    if (((open.size() <= 16 ? n >> bit : random()) & 1) != 0)
                        parcels[open[bit].first] |= std::uint64_t{1} << open[bit].second;
                overlap = accepts(i, parcels) && accepts(j, parcels);
                if (overlap) base = parcels;
            }
            if (!overlap) continue;
            ++found;
            const Instruction& first = spec_[forms[i].instruction];
            const Instruction& second = spec_[forms[j].instruction];
            const auto title = [](const Instruction& row, const Form& f) {
                return f.variant.empty() ? row.name : fmt::format("{} ({})", row.name, f.variant);
            };
            std::string word;
            for (const auto parcel : base)
                word += fmt::format("{}{:0{}x}", word.empty() ? "" : " ", parcel, (spec_.parcel_bits() + 3) / 4);
            auto& diagnostic =
                diagnostics_.report(Code::E0413, second.where, title(second, forms[j]), title(first, forms[i]), word);
            diagnostic.notes.push_back({first.where, "the other one"});
            j = forms.size();  // one complaint a form
        }
    }
}

}  // namespace pogo::isa
