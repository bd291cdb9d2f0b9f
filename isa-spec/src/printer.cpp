// From syntax tree back to text in the standard layout.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <span>

#include <array>

#include "isa/ast.hpp"

namespace pogo::isa {

namespace {

class Printer {
  public:
    std::string file(const Ast& ast) {
        if (ast.is(Syntax::machine)) {
            out_ += "machine " + ast.text;
            if (ast[0].size() > 0) out_ += "(" + join(ast[0].children, ", ") + ")";
            out_ += " {\n";
            std::size_t i = 1;
            ++depth_;
            for (; i < ast.size() && ast[i].is(Syntax::property); ++i) declaration(ast[i]);
            --depth_;
            out_ += "}\n";
            for (; i < ast.size(); ++i) {
                out_ += "\n";
                declaration(ast[i]);
            }
        } else if (ast.is(Syntax::extension)) {
            out_ += fmt::format("extension {} of {} {{\n", ast.text, ast[0].text);
            body(ast, 1);
            out_ += "}\n";
        } else {
            out_ = inline_(ast);
        }
        return std::move(out_);
    }

  private:
    void line(std::string_view text) { out_ += fmt::format("{:{}}{}\n", "", depth_ * 2, text); }
    void body(const Ast& ast, std::size_t from) {
        ++depth_;
        for (std::size_t i = from; i < ast.size(); ++i) declaration(ast[i]);
        --depth_;
    }
    void braced(std::string_view head, const Ast& ast, std::size_t from = 0) {
        if (ast.size() <= from) {
            line(fmt::format("{} {{ }}", head));
            return;
        }
        line(fmt::format("{} {{", head));
        body(ast, from);
        line("}");
    }

    std::string join(const std::vector<Ast>& list, std::string_view separator, std::size_t from = 0) {
        std::string result;
        for (std::size_t i = from; i < list.size(); ++i) {
            if (i > from) result += separator;
            result += inline_(list[i]);
        }
        return result;
    }
    std::string arguments(const Ast& list) { return list.size() == 0 ? "" : "(" + join(list.children, ", ") + ")"; }
    std::string role(const Ast& ast) { return ast.is(Syntax::role) ? " role " + ast.text : ""; }

    // Parentheses stand where the grammar needs them and around comparisons, shifts and bitwise operators inside
    // others, where people do.
    static unsigned level(const Ast& ast) {
        if (ast.is(Syntax::conditional)) return 0;
        if (ast.is(Syntax::unary)) return 11;
        if (!ast.is(Syntax::binary)) return 12;
        static constexpr std::array<std::string_view, 10> levels = {
            " || ", " && ",        " | ",   " ^ ", " & ", " == != < <= > >= <s <=s >s >=s ",
            " @ ",  " << >> >>s ", " + - ", " * "};
        for (unsigned i = 0; i < levels.size(); ++i)
            if (levels[i].find(" " + ast.text + " ") != std::string_view::npos) return i + 1;
        return 0;
    }
    std::string operand(const Ast& ast, unsigned tightest) {
        return level(ast) < tightest ? "(" + inline_(ast) + ")" : inline_(ast);
    }
    std::string operand(const Ast& ast) { return operand(ast, 12); }
    std::string binary(const Ast& ast) {
        // All but comparisons associate to the left.
        const unsigned own = level(ast);
        return fmt::format("{} {} {}", operand(ast[0], own == 6 ? 7 : own), ast.text, operand(ast[1], own + 1));
    }
    std::string set(const Ast& ast) {
        if (ast.is(Syntax::set_of)) return "{ " + join(ast.children, ", ") + " }";
        if (ast.is(Syntax::binary)) return fmt::format("{} {} {}", set(ast[0]), ast.text, set(ast[1]));
        return ast.text;
    }

    std::string inline_(const Ast& ast) {
        switch (ast.kind) {
            case Syntax::unary:
                return ast.text + operand(ast[0], 11);
            case Syntax::binary:
                return binary(ast);
            case Syntax::conditional:
                return fmt::format("if {} then {} else {}", inline_(ast[0]), inline_(ast[1]), inline_(ast[2]));
            case Syntax::slice:
                return fmt::format("{}[{} .. {}]", operand(ast[0]), inline_(ast[1]), inline_(ast[2]));
            case Syntax::index:
                return fmt::format("{}[{}]", operand(ast[0]), inline_(ast[1]));
            case Syntax::access:
                return fmt::format("{}[{}]", operand(ast[0]), join(ast.children, ", ", 1));
            case Syntax::member:
                return fmt::format("{}.{}", operand(ast[0]), ast.text);
            case Syntax::call:
                return fmt::format("{}({})", operand(ast[0]), join(ast.children, ", ", 1));
            case Syntax::text:
                return "\"" + ast.text + "\"";
            case Syntax::type:
                return ast.size() == 0 ? ast.text : fmt::format("{}({})", ast.text, inline_(ast[0]));
            case Syntax::formal:
                return fmt::format("{}: {}", ast.text, inline_(ast[0]));
            case Syntax::set_of:
                return "{ " + join(ast.children, ", ") + " }";
            case Syntax::range:
                return fmt::format("{}..{}", operand(ast[0]), operand(ast[1]));
            case Syntax::parameter:
                return fmt::format("{}: {} = {}", ast.text, inline_(ast[0]), inline_(ast[1]));
            case Syntax::group:
                return join(ast.children, " ");
            case Syntax::field_piece:
                return fmt::format("{}:{}", ast.text, inline_(ast[0]));
            case Syntax::field_part:
                return fmt::format("{}[{}..{}]", ast.text, inline_(ast[0]), inline_(ast[1]));
            case Syntax::operand_piece:
                return ast[0].text + (ast.text.empty() ? "" : "." + ast.text);
            case Syntax::enumerator:
                return fmt::format("{} = {}", ast.text, inline_(ast[0]));
            default:
                return ast.text;
        }
    }

    void statements(std::string_view head, const Ast& block) { braced(head, block); }

    void branch(const Ast& ast, std::string_view head) {
        line(fmt::format("{}if {} {{", head, inline_(ast[0])));
        body(ast[1], 0);
        if (ast.size() == 2) {
            line("}");
        } else if (ast[2].is(Syntax::branch)) {
            branch(ast[2], "} else ");
        } else {
            line("} else {");
            body(ast[2], 0);
            line("}");
        }
    }

    void when(const Ast& ast) {
        line(fmt::format("when {} {{", inline_(ast[0])));
        body(ast[1], 0);
        if (ast.size() > 2) {
            line("} else {");
            body(ast[2], 0);
        }
        line("}");
    }

    /// Items on one line, `when`s among them.
    template <class Item>
    std::string items(std::span<const Ast> list, Item item) {
        std::string text;
        for (const Ast& ast : list) {
            if (!ast.is(Syntax::when)) {
                text += " " + item(ast);
                continue;
            }
            text += fmt::format(" when {} {{{} }}", inline_(ast[0]), items(std::span(ast[1].children), item));
            if (ast.size() > 2) text += fmt::format(" else {{{} }}", items(std::span(ast[2].children), item));
        }
        return text;
    }

    std::string raise(const Ast& ast) {
        return ast.text + arguments(ast[0]) + (ast.size() > 1 ? " when " + inline_(ast[1]) : "") + ";";
    }
    std::string elements(const Ast& list) {
        return " {" + items(list.children, [&](const Ast& element) { return inline_(element) + ";"; }) + " }";
    }
    void callable(const Ast& ast, std::string_view head) {
        statements(
            fmt::format("{}{} {}{}{}", head, name(ast.kind), ast.text, ast[0].size() > 0 ? arguments(ast[0]) : "()",
                        ast[1].is(Syntax::none) ? "" : " -> " + inline_(ast[1])),
            ast[2]);
    }

    void declaration(const Ast& ast) {
        switch (ast.kind) {
            case Syntax::property:
                line(ast.text + (ast.size() == 0 ? "" : " " + join(ast.children, ", ")) + ";");
                break;
            case Syntax::let:
                line(fmt::format("let {}{} = {};", ast.text, ast.size() > 1 ? " : " + inline_(ast[1]) : "",
                                 inline_(ast[0])));
                break;
            case Syntax::assign:
                line(fmt::format("{} = {};", inline_(ast[0]), inline_(ast[1])));
                break;
            case Syntax::branch:
                branch(ast, "");
                break;
            case Syntax::foreach:
                statements(fmt::format("foreach {} in {}..{}", ast.text, operand(ast[0]), operand(ast[1])), ast[2]);
                break;
            case Syntax::raise:
                line("trap " + raise(ast));
                break;
            case Syntax::require_:
                line("require " + ast.text + arguments(ast[0]) + ";");
                break;
            case Syntax::fence: {
                std::string text = "fence {";
                for (const Ast& match : ast.children)
                    text += fmt::format(" {} == {}{};", match.text, inline_(match[0]),
                                        match.size() > 1 ? " when " + inline_(match[1]) : "");
                line(text + " }");
                break;
            }
            case Syntax::perform:
                line(inline_(ast[0]) + ";");
                break;
            case Syntax::give:
                line(fmt::format("return {};", inline_(ast[0])));
                break;
            case Syntax::enumeration:
                line(fmt::format("enum {} : {} {{ {} }}", ast.text, inline_(ast[0]), join(ast.children, ", ", 1)));
                break;
            case Syntax::register_: {
                const std::string head = fmt::format("register {} : {}{}", ast.text, inline_(ast[0]), role(ast[1]));
                if (ast.size() > 2)
                    braced(head, ast, 2);
                else
                    line(head + ";");
                break;
            }
            case Syntax::field: {
                std::string text = ast.text + " " + inline_(ast[0]);
                if (ast[0] != ast[1]) text += ".." + inline_(ast[1]);
                text += role(ast[2]);
                if (ast.size() > 3) {
                    text += " " + ast[3].text;
                    if (ast[3].text == "warl") text += " { " + join(ast[3].children, ", ") + " }";
                    if (ast[3].text == "reads") text += " " + inline_(ast[3][0]);
                }
                line(text + ";");
                break;
            }
            case Syntax::view:
                if (ast.size() > 2)
                    line(fmt::format("view {} : {} = {}", ast.text, inline_(ast[0]), inline_(ast[1])) + elements(ast[2]));
                else
                    line(fmt::format("view {} : {} = {};", ast.text, inline_(ast[0]), inline_(ast[1])));
                break;
            case Syntax::regfile: {
                const std::string head =
                    fmt::format("regfile {}[{}] : {}{}", ast.text, inline_(ast[0]), inline_(ast[1]), role(ast[2]));
                if (ast.size() > 3)
                    braced(head, ast, 3);
                else
                    line(head + ";");
                break;
            }
            case Syntax::constant_entry:
                line(fmt::format("{} reads {};", inline_(ast[0]), inline_(ast[1])));
                break;
            case Syntax::bank_entry:
                line(fmt::format("{} is {};", inline_(ast[0]), ast.text));
                break;
            case Syntax::bank: {
                const auto member = [&](const Ast& of) { return fmt::format("{} => {};", inline_(of[0]), of.text); };
                line(fmt::format("bank {} : {} by {} {{{} }}{};", ast.text, inline_(ast[0]), inline_(ast[1]),
                                 items(std::span(ast.children).subspan(3), member), role(ast[2])));
                break;
            }
            case Syntax::input:
                line(fmt::format("input {} : {}{};", ast.text, inline_(ast[0]), role(ast[1])));
                break;
            case Syntax::region:
                line(fmt::format("region {} : {}..{}{};", ast.text, operand(ast[0]), operand(ast[1]), role(ast[2])));
                break;
            case Syntax::mode:
                braced("mode " + ast.text, ast);
                break;
            case Syntax::context:
                line(fmt::format("context {} {{", ast.text));
                ++depth_;
                line(fmt::format("supervisor {};", ast[0].text));
                line(fmt::format("user {};", ast[1].text));
                if (ast[2].size() > 0) line("guest" + elements(ast[2]));
                --depth_;
                line("}");
                break;
            case Syntax::vmm:
                braced("vmm " + ast.text + arguments(ast[0]), ast, 1);
                break;
            case Syntax::vmm_context:
                line(fmt::format("context {};", ast.text));
                break;
            case Syntax::vmm_mode:
                line(fmt::format("{} => {};", ast.text, ast[0].text));
                break;
            case Syntax::vmm_map:
                statements("map", ast[0]);
                break;
            case Syntax::vmm_memory:
                line(fmt::format("memory({}) = {} when {};", ast.text, inline_(ast[0]), inline_(ast[1])));
                break;
            case Syntax::vmm_monitor:
                statements("monitor", ast[0]);
                break;
            case Syntax::vmm_tables:
                line(fmt::format("{}({}, {}, {}) {{", ast.text, ast[0].text, inline_(ast[1]), inline_(ast[2])));
                ++depth_;
                for (const std::size_t entry : {3, 4}) {
                    std::string names;
                    for (std::size_t i = 1; i < ast[entry].size(); ++i)
                        names += (i == 1 ? "" : ", ") + ast[entry][i].text;
                    line(fmt::format("{}({}) = {};", ast[entry].text, names, inline_(ast[entry][0])));
                }
                --depth_;
                line("}");
                break;
            case Syntax::vmm_interrupt:
                line(fmt::format("interrupt {} => {};", ast.text, ast[0].text));
                break;
            case Syntax::synthesize:
            case Syntax::vmm_guest:
                line((ast.is(Syntax::vmm_guest) ? "guest" : "synthesize") + elements(ast));
                break;
            case Syntax::invariant:
            case Syntax::assume:
                line(fmt::format("{} {} = {};", name(ast.kind), ast.text, inline_(ast[0])));
                break;
            case Syntax::constant:
            case Syntax::const_:
                line(fmt::format("const {} = {};", ast.text, inline_(ast[0])));
                break;
            case Syntax::function:
            case Syntax::procedure:
                callable(ast, "");
                break;
            case Syntax::virtual_:
                callable(ast[0], "virtual ");
                break;
            case Syntax::translate: {
                std::string head = fmt::format("translate ({}, {}, {})", ast[0].text, ast[1].text, ast[2].text);
                if (!ast[5].is(Syntax::none)) head += " page " + inline_(ast[5]);
                const auto item = [&](const Ast& of) {
                    return of.is(Syntax::stale) ? fmt::format("stale {};", inline_(of[0]))
                                                : fmt::format("{} = {};", of.text, inline_(of[0]));
                };
                if (ast[6].size() > 0) head += fmt::format(" tlb {{{} }}", items(std::span(ast[6].children), item));
                if (ast[3].size() > 0) head += " reads" + elements(ast[3]);
                statements(head, ast[4]);
                break;
            }
            case Syntax::trap:
                statements(fmt::format("trap {}{} kind {}", ast.text, arguments(ast[0]), ast[1].text), ast[2]);
                break;
            case Syntax::illegal:
                line("illegal " + raise(ast[0]));
                break;
            case Syntax::interrupt:
                statements(fmt::format("interrupt {} when {}", ast.text, inline_(ast[0])), ast[1]);
                break;
            case Syntax::wait:
                line(fmt::format("wait when {};", inline_(ast[0])));
                break;
            case Syntax::halt:
                line(fmt::format("halt when {};", inline_(ast[0])));
                break;
            case Syntax::reset:
                statements("reset", ast[0]);
                break;
            case Syntax::permission:
                braced("permission " + ast.text + arguments(ast[0]), ast, 1);
                break;
            case Syntax::permission_line:
                line(fmt::format("{}{} => {};", ast.text, ast.size() > 1 ? " when " + inline_(ast[1]) : "",
                                 ast[0].is(Syntax::none) ? "execute" : ast[0].text + arguments(ast[0][0])));
                break;
            case Syntax::case_class:
                line(fmt::format("class {};", ast.text));
                break;
            case Syntax::rows:
                line(fmt::format("rows by {};", ast.text));
                break;
            case Syntax::operand_group:
                braced("operand " + ast.text + arguments(ast[0]), ast, 1);
                break;
            case Syntax::piece:
                line(fmt::format("piece {} {};", ast.text, inline_(ast[0])));
                break;
            case Syntax::operand_case:
                braced("case " + ast.text, ast);
                break;
            case Syntax::set_:
                line(fmt::format("set {} of {} = {};", ast.text, ast[0].text, set(ast[1])));
                break;
            case Syntax::instruction:
                braced("instruction " + ast.text, ast);
                break;
            case Syntax::when:
                when(ast);
                break;
            case Syntax::timing:
                braced("timing", ast);
                break;
            case Syntax::timing_class:
                braced("class " + ast.text, ast);
                break;
            case Syntax::timing_cache: {
                std::string text = ast.text;
                for (const Ast& property : ast.children) text += " " + property.text + " " + inline_(property[0]);
                line(text + ";");
                break;
            }
            case Syntax::platform:
                braced("platform", ast);
                break;
            case Syntax::core_drives:
            case Syntax::device: {
                const bool core = ast.is(Syntax::core_drives);
                std::string text =
                    core ? "core"
                         : fmt::format("{} {} at {} size {}", ast[0].text, ast.text, inline_(ast[1]), inline_(ast[2]));
                for (std::size_t i = core ? 0 : 3; i < ast.size(); ++i) {
                    const bool drive = ast[i].is(Syntax::drive);
                    text += !drive                                  ? " " + ast[i].text + " "
                            : i > 0 && ast[i - 1].is(Syntax::drive) ? ", "
                                                                    : " drives ";
                    if (drive && !ast[i].text.empty()) text += ast[i].text + " => ";
                    text += inline_(ast[i][0]);
                }
                line(text + ";");
                break;
            }
            case Syntax::title:
                line(fmt::format("name {};", inline_(ast[0])));
                break;
            case Syntax::operand:
                line(fmt::format("operand {} : {}{}{};", ast.text, ast[0].text, arguments(ast[1]),
                                 ast[2].is(Syntax::none) ? "" : " in " + set(ast[2])));
                break;
            case Syntax::encoding: {
                std::string text = "encoding ";
                for (std::size_t i = 0; i < ast.size(); ++i) {
                    if (ast[i].is(Syntax::where))
                        text += " where " + inline_(ast[i][0]);
                    else
                        text += (i > 0 ? ", " : "") + inline_(ast[i]);
                }
                line(text + ";");
                break;
            }
            case Syntax::assembly:
                line(fmt::format("assembly {};", inline_(ast[0])));
                break;
            case Syntax::cycles:
                line(fmt::format("cycles {};", ast.text));
                break;
            case Syntax::piece_value:
                line(fmt::format("{} = {};", ast.text, join(ast.children, " ")));
                break;
            case Syntax::ext:
                line(fmt::format("ext {};", join(ast.children, ", ")));
                break;
            case Syntax::only:
                line(fmt::format("only when {};", inline_(ast[0])));
                break;
            case Syntax::where:
                line(fmt::format("where {};", inline_(ast[0])));
                break;
            case Syntax::address_:
                statements("address", ast[0]);
                break;
            case Syntax::read_:
                statements("read", ast[0]);
                break;
            case Syntax::write_:
                statements(fmt::format("write({})", ast.text), ast[0]);
                break;
            case Syntax::active:
                line(fmt::format("active {};", inline_(ast[0])));
                break;
            case Syntax::supervisor:
                line(fmt::format("supervisor {};", inline_(ast[0])));
                break;
            case Syntax::exit_:
                line(fmt::format("exit {};", ast.text));
                break;
            case Syntax::exits: {
                std::string text = "exits on " + ast.text;
                std::size_t i = 0;
                if (ast.text != "privileged") text += " " + inline_(ast[i++]);
                if (i < ast.size()) text += " when " + inline_(ast[i]);
                line(text + ";");
                break;
            }
            default:
                line(inline_(ast));
                break;
        }
    }

    std::string out_;
    unsigned depth_ = 0;
};

}  // namespace

std::string print(const Ast& ast) { return Printer().file(ast); }

}  // namespace pogo::isa
