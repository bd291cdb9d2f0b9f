// From the text of a .ir file to declarations.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <unordered_set>

#include "jib/ir.hpp"

namespace pogo::isa::jib {

namespace {

struct Broken {};  // unwinds to the next declaration after an error was reported

struct Token {
    enum class Kind : std::uint8_t { end, word, number, text, sign };
    Kind kind = Kind::end;
    std::string_view text;  // of texts without their quotes
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Parser {
  public:
    Parser(const SourceManager& sources, std::uint32_t buffer, Model& model, bool over, Diagnostics& diagnostics)
        : text_(sources.text(buffer)), buffer_(buffer), model_(model), over_(over), diagnostics_(diagnostics) {}

    void run() {
        resume();
        while (token_.kind != Token::Kind::end) {
            try {
                declaration();
            } catch (const Broken&) {
                if (diagnostics_.errors() >= Diagnostics::limit) return;
                recover();
            }
        }
    }

  private:
    // ---- tokens ----
    void skip() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                ++at_;
            } else if (c == '`') {  // where the instruction came from: `file line:column-line:column
                while (at_ < text_.size() && text_[at_] != ';' && text_[at_] != '\n') ++at_;
            } else if (text_.substr(at_).starts_with("//")) {
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            } else if (text_.substr(at_).starts_with("/*")) {
                at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
            } else {
                return;
            }
        }
    }
    void advance() {
        before_ = token_.end;
        skip();
        const auto begin = at_;
        token_.begin = static_cast<std::uint32_t>(begin);
        if (begin == text_.size()) {
            token_ = {Token::Kind::end, {}, token_.begin, token_.begin};
            return;
        }
        const char c = text_[begin];
        const bool negative = c == '-' && begin + 1 < text_.size() && is_digit(text_[begin + 1]);
        token_.kind = Token::Kind::sign;
        if (is_digit(c) || negative) {
            token_.kind = Token::Kind::number;
            for (++at_; at_ < text_.size() && is_word(text_[at_]);) ++at_;
        } else if (is_word(c)) {
            token_.kind = Token::Kind::word;
            while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        } else if (c == '"') {
            token_.kind = Token::Kind::text;
            for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_)
                if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            if (at_ >= text_.size() || text_[at_] != '"') {
                at_ = std::min(at_, text_.size());
                token_.end = static_cast<std::uint32_t>(begin + 1);
                diagnostics_.report(Code::E0103, range());
                throw Broken{};
            }
            ++at_;
        } else {
            const bool two = text_.substr(begin).starts_with("->") || text_.substr(begin).starts_with("::");
            at_ += two ? 2 : 1;
        }
        token_.end = static_cast<std::uint32_t>(at_);
        token_.text = text_.substr(begin, at_ - begin);
        if (token_.kind == Token::Kind::text) token_.text = token_.text.substr(1, token_.text.size() - 2);
    }
    [[nodiscard]] SourceRange range() const { return {buffer_, token_.begin, token_.end}; }
    [[nodiscard]] SourceRange since(std::uint32_t begin) const { return {buffer_, begin, std::max(begin, before_)}; }

    template <class... Args>
    [[noreturn]] void fail(Code code, SourceRange where, Args&&... arguments) {
        diagnostics_.report(code, where, std::forward<Args>(arguments)...);
        throw Broken{};
    }
    [[nodiscard]] std::string found() const {
        if (token_.kind == Token::Kind::end) return "the end of the file";
        return fmt::format("`{}`", token_.text.substr(0, 40));
    }
    /// What other printers of Jib IR have.
    void refuse(std::string_view sign, std::string_view instead) {
        if (is(sign)) expected(fmt::format("{}, as `sail -ir` (Sail's plug-in of Isla) prints it", instead));
    }
    [[noreturn]] void expected(std::string_view what) { fail(Code::E0110, range(), std::string(what), found()); }

    [[nodiscard]] bool is(std::string_view text) const {
        return token_.text == text && token_.kind != Token::Kind::text && token_.kind != Token::Kind::end;
    }
    bool take(std::string_view text) {
        if (!is(text)) return false;
        advance();
        return true;
    }
    void want(std::string_view text) {
        if (!take(text)) expected(fmt::format("`{}`", text));
    }
    Name name() {
        if (token_.kind != Token::Kind::word) expected("a name");
        const Name result = model_.names.number(token_.text);
        advance();
        refuse("<", "a name for each instance");
        return result;
    }
    std::string text() {
        if (token_.kind != Token::Kind::text) expected("a text in quotes");
        std::string result;
        for (std::size_t i = 0; i < token_.text.size(); ++i) {
            if (token_.text[i] == '\\' && i + 1 < token_.text.size()) {
                ++i;
                result += token_.text[i] == 'n' ? '\n' : token_.text[i] == 't' ? '\t' : token_.text[i];
            } else {
                result += token_.text[i];
            }
        }
        advance();
        return result;
    }
    /// Decimal digits, as they stand in `digits`.
    unsigned small(std::string_view digits, SourceRange where) {
        unsigned value = 0;
        for (const char c : digits) {
            if (!is_digit(c)) fail(Code::E0104, where, std::string(digits));
            value = value * 10 + static_cast<unsigned>(c - '0');
            if (value > 1'000'000) fail(Code::E0205, where, std::string(digits), "20");
        }
        return value;
    }
    unsigned small() {
        if (token_.kind != Token::Kind::number) expected("a number");
        const unsigned value = small(token_.text, range());
        advance();
        return value;
    }
    /// To the next line that begins a declaration.
    void recover() {
        static constexpr std::array<std::string_view, 9> beginnings = {
            "register ", "let ", "enum ", "struct ", "union ", "val ", "fn ", "files ", "#"};
        while (at_ < text_.size()) {
            const auto line = text_.find('\n', at_);
            at_ = line == std::string_view::npos ? text_.size() : line + 1;
            for (const auto beginning : beginnings)
                if (text_.substr(at_).starts_with(beginning)) {
                    resume();
                    return;
                }
        }
        token_ = {Token::Kind::end, {}, static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(at_)};
    }
    void resume() {
        try {
            advance();
        } catch (const Broken&) {
            recover();
        }
    }

    // ---- types ----
    std::shared_ptr<const Type> shared_type() { return std::make_shared<const Type>(type()); }
    Type type() {
        const Nesting nesting(*this);
        Type result;
        if (take("&")) {
            result.kind = Type::Kind::reference;
            const bool bracketed = take("(");
            result.of = shared_type();
            if (bracketed) want(")");
            return result;
        }
        refuse("(", "a type without tuples");
        want("%");
        const auto where = range();
        const std::string word = token_.kind == Token::Kind::word ? std::string(token_.text) : "";
        if (word.empty()) expected("a type");
        advance();
        if (word == "i" || (word.size() > 1 && word[0] == 'i' && is_digit(word[1]))) {
            result.kind = Type::Kind::integer;
        } else if (word.starts_with("bv")) {
            result.kind = Type::Kind::bits;
            if (word.size() > 2) result.width = small(std::string_view(word).substr(2), where);
        } else if (word == "bit") {
            result.kind = Type::Kind::bits;
            result.width = 1;
        } else if (word == "bool") {
            result.kind = Type::Kind::boolean;
        } else if (word == "unit") {
            result.kind = Type::Kind::unit;
        } else if (word == "string") {
            result.kind = Type::Kind::string;
        } else if (word == "real" || word == "f16" || word == "f32" || word == "f64" || word == "f128" ||
                   word == "rounding_mode") {
            result.kind = Type::Kind::real;
        } else if (word == "enum" || word == "struct" || word == "union") {
            result.kind = word == "enum"     ? Type::Kind::enumeration
                          : word == "struct" ? Type::Kind::structure
                                             : Type::Kind::union_;
            result.name = name();
        } else if (word == "vec" || word == "list" || word == "fvec") {
            result.kind = Type::Kind::vector;
            want("(");
            if (word == "fvec") {
                result.width = small();
                want(",");
            }
            result.of = shared_type();
            want(")");
        } else {
            fail(Code::E0215, where, "%" + word);
        }
        return result;
    }

    // ---- expressions ----
    struct Nesting {
        explicit Nesting(Parser& of) : parser(of) {
            if (++parser.depth_ > 200) parser.fail(Code::E0111, parser.range());
        }
        ~Nesting() { --parser.depth_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;
        Parser& parser;
    };

    Expression expression() {
        const Nesting nesting(*this);
        const auto begin = token_.begin;
        Expression result = primary();
        for (;;) {
            Expression::Kind kind{};
            if (is(".")) {
                kind = Expression::Kind::field;
            } else if (is("is")) {
                kind = Expression::Kind::is;
            } else if (is("as")) {
                kind = Expression::Kind::as;
            } else {
                return result;
            }
            if (++postfixes_ > 200) fail(Code::E0111, range());
            advance();
            Expression outer;
            outer.kind = kind;
            outer.name = name();
            outer.operands.push_back(std::move(result));
            outer.where = since(begin);
            result = std::move(outer);
        }
    }

    Expression primary() {
        Expression result;
        const auto begin = token_.begin;
        if (token_.kind == Token::Kind::number) {
            literal(result);
        } else if (token_.kind == Token::Kind::text) {
            result.kind = Expression::Kind::string;
            result.text = text();
        } else if (take("(")) {
            if (!take(")")) {
                result = expression();
                refuse(",", "a structure in place of a tuple");
                want(")");
                return result;
            }
        } else if (take("&")) {
            result.kind = Expression::Kind::reference;
            result.name = name();
        } else if (take("@")) {
            result.kind = Expression::Kind::operation;
            result.name = name();
            if (take("::")) {
                want("<");
                result.width = small();
                want(">");
            }
            result.operands = arguments();
        } else if (is("true") || is("false")) {
            result.kind = Expression::Kind::boolean;
            result.value = is("true") ? 1 : 0;
            advance();
        } else if (is("bitzero") || is("bitone")) {
            result.kind = Expression::Kind::bits;
            result.width = 1;
            result.value = is("bitone") ? 1 : 0;
            advance();
        } else if (take("UINT64_C")) {  // the empty bit-vector
            want("(");
            small();
            want(")");
            result.kind = Expression::Kind::bits;
        } else if (take("undefined")) {
            result.kind = Expression::Kind::undefined;
            want(":");
            result.type = shared_type();
        } else if (take("struct")) {
            result.kind = Expression::Kind::structure;
            result.name = name();
            want("{");
            while (!take("}")) {
                if (!result.members.empty()) want(",");
                result.members.push_back(name());
                want("=");
                result.operands.push_back(expression());
            }
        } else if (token_.kind == Token::Kind::word) {
            result.kind = Expression::Kind::name;
            result.name = name();
        } else {
            expected("an expression");
        }
        result.where = since(begin);
        return result;
    }

    /// 0x…, 0b… are bits, decimal numbers integers, with a type behind or not.
    void literal(Expression& result) {
        std::string_view digits = token_.text;
        const auto where = range();
        const unsigned bits = digits.starts_with("0x") ? 4 : digits.starts_with("0b") ? 1 : 0;
        const bool negative = digits.starts_with('-');
        digits.remove_prefix(bits != 0 ? 2 : negative ? 1 : 0);
        result.kind = bits != 0 ? Expression::Kind::bits : Expression::Kind::integer;
        for (const char c : digits) {
            const unsigned digit = is_digit(c)            ? static_cast<unsigned>(c - '0')
                                   : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                                   : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                          : 99;
            if (digit >= (bits == 4 ? 16U : bits == 1 ? 2U : 10U))
                fail(Code::E0104, where, std::string(token_.text.substr(0, 40)));
            if (bits == 0) {
                if (result.value > (ones(126) - digit) / 10) fail(Code::E0105, where);
                result.value = result.value * 10 + digit;
            } else {
                result.width += bits;
                if (result.width > max_width) fail(Code::E0105, where);
                result.value = result.value << bits | digit;
            }
        }
        if (negative) result.value = ~result.value + 1;
        advance();
        if (bits == 0 && take(":")) type();
    }

    std::vector<Expression> arguments() {
        std::vector<Expression> result;
        want("(");
        if (take(")")) return result;
        do result.push_back(expression());
        while (take(","));
        want(")");
        return result;
    }

    // ---- instructions ----
    Place place() {
        Place result;
        refuse("(", "one result");
        result.name = name();
        while (take(".")) result.fields.push_back(name());
        if (take("*")) result.referenced = true;
        return result;
    }

    Instruction instruction() {
        Instruction result;
        const auto begin = token_.begin;
        postfixes_ = 0;
        if (take("jump")) {
            result.kind = Instruction::Kind::jump;
            result.value = expression();
            want("goto");
            result.target = small();
        } else if (take("goto")) {
            result.kind = Instruction::Kind::go;
            result.target = small();
        } else if (take("end")) {
            result.kind = Instruction::Kind::end;
        } else if (is("exit") || is("failure") || is("arbitrary") || is("throw")) {
            result.kind = Instruction::Kind::stop;
            result.text = token_.text;
            const bool thrown = is("throw");
            advance();
            if (thrown)
                expression();
            else if (token_.kind == Token::Kind::word) {  // why: match, explicit, …
                result.text += " ";
                result.text += token_.text;
                advance();
            }
        } else if (take("mono")) {
            name();
            want(":");
            type();
        } else {
            result.place = place();
            if (take(":")) {
                result.kind = Instruction::Kind::declare;
                result.type = shared_type();
                if (take("=")) assigned(result);
            } else {
                want("=");
                result.kind = Instruction::Kind::assign;
                assigned(result);
            }
        }
        result.where = since(begin);
        want(";");
        return result;
    }

    void assigned(Instruction& result) {
        take("$");
        if (token_.kind == Token::Kind::word && at_ < text_.size() && text_[at_] == '(' && !is("UINT64_C")) {
            if (result.kind == Instruction::Kind::declare) expected("an expression that is no call");
            result.kind = Instruction::Kind::call;
            result.callee = name();
            result.arguments = arguments();
            if (is(".") || is("as") || is("is")) fail(Code::E0110, range(), "`;`", found());
            return;
        }
        result.value = expression();
    }

    Body body() {
        Body result;
        want("{");
        while (!take("}")) result.push_back(instruction());
        for (const auto& instruction : result)
            if ((instruction.kind == Instruction::Kind::jump || instruction.kind == Instruction::Kind::go) &&
                instruction.target >= result.size())
                fail(Code::E1001, instruction.where, fmt::format("{}", instruction.target),
                     fmt::format("{}", result.size()));
        return result;
    }

    // ---- declarations ----
    /// Whether the name may be declared as something of `table`.
    template <class Table>
    void once(const Table& table, Name name, SourceRange where) {
        if (!over_ && table.contains(name)) fail(Code::E0202, where, model_.names.readable(name));
    }

    void declaration() {
        if (take("#")) {  // a pragma: for people and other tools
            at_ = std::min(text_.find('\n', before_), text_.size());
            advance();
        } else if (take("files")) {
            while (token_.kind == Token::Kind::text) advance();
        } else if (take("register")) {
            const auto where = range();
            const Name named = name();
            want(":");
            global(named, type(), true, where);
            if (is("{")) model_.lets.push_back({{}, body()});
        } else if (take("let")) {
            Let let;
            want("(");
            do {
                const auto where = range();
                let.names.push_back(name());
                want(":");
                global(let.names.back(), type(), false, where);
            } while (take(","));
            want(")");
            let.body = body();
            model_.lets.push_back(std::move(let));
        } else if (take("enum")) {
            const auto where = range();
            const Name named = name();
            once(model_.enumerations, named, where);
            std::vector<Name> members;
            want("{");
            while (!take("}")) {
                if (!members.empty()) want(",");
                const auto at = range();
                members.push_back(name());
                once(model_.enumerators, members.back(), at);
                model_.enumerators[members.back()] = {named, static_cast<unsigned>(members.size() - 1)};
            }
            model_.enumerations[named] = std::move(members);
        } else if (take("struct")) {
            const auto where = range();
            const Name named = name();
            once(model_.structures, named, where);
            model_.structures[named] = composite();
            std::unordered_set<Name> seen;
            if (holds(model_.structures[named], named, seen)) {
                model_.structures[named] = {};
                fail(Code::E0111, where);
            }
        } else if (take("union")) {
            const auto where = range();
            const Name named = name();
            once(model_.unions, named, where);
            Composite members = composite();
            for (std::size_t i = 0; i < members.members.size(); ++i) {
                once(model_.constructors, members.members[i].name, where);
                model_.constructors[members.members[i].name] = {named, static_cast<unsigned>(i)};
            }
            model_.unions[named] = std::move(members);
        } else if (take("val") || take("abstract")) {
            const Name named = name();  // the file may say it twice
            Signature signature;
            if (take("=")) signature.primitive = text();
            want(":");
            refuse("%", "a function");
            want("(");
            if (!take(")")) {
                do signature.parameters.push_back(type());
                while (take(","));
                want(")");
            }
            want("->");
            signature.result = type();
            model_.signatures[named] = std::move(signature);
        } else if (take("fn")) {
            const auto where = range();
            const Name named = name();
            once(model_.functions, named, where);
            if (over_ && model_.functions.contains(named)) {  // what it was stays within reach
                const std::string_view old = model_.names.text(named);
                const Name original = model_.names.number("zoriginal_" + std::string(old.substr(1)));
                model_.functions.try_emplace(original, std::move(model_.functions[named]));
            }
            Function function;
            function.where = where;
            if (token_.kind == Token::Kind::word) refuse(token_.text, "a result in `return`");
            want("(");
            if (!take(")")) {
                do function.parameters.push_back(name());
                while (take(","));
                want(")");
            }
            function.body = body();
            model_.functions[named] = std::move(function);
        } else {
            expected("a declaration: register, let, enum, struct, union, val, fn or files");
        }
    }
    void global(Name named, Type type, bool is_register, SourceRange where) {
        once(model_.global_numbers, named, where);
        if (model_.global_numbers.contains(named)) return;
        model_.global_numbers.emplace(named, model_.globals.size());
        model_.globals.push_back({named, std::move(type), is_register, where});
    }
    Composite composite() {
        Composite result;
        want("{");
        while (!take("}")) {
            if (!result.members.empty()) want(",");
            Member member;
            member.name = name();
            want(":");
            member.type = type();
            result.members.push_back(std::move(member));
        }
        return result;
    }

    /// Whether a value of the one structure has parts of the other.
    bool holds(const Composite& structure, Name wanted, std::unordered_set<Name>& seen) const {
        for (const auto& member : structure.members) {
            if (member.type.kind != Type::Kind::structure) continue;
            if (member.type.name == wanted) return true;
            const auto inner = model_.structures.find(member.type.name);
            if (inner != model_.structures.end() && seen.insert(inner->first).second &&
                holds(inner->second, wanted, seen))
                return true;
        }
        return false;
    }

    std::string_view text_;
    std::uint32_t buffer_;
    Model& model_;
    bool over_;
    Diagnostics& diagnostics_;
    std::size_t at_ = 0;
    Token token_;
    std::uint32_t before_ = 0;  // end of the token before
    unsigned depth_ = 0;
    unsigned postfixes_ = 0;  // of one instruction
};

}  // namespace

void parse(const SourceManager& sources, std::uint32_t buffer, Model& model, bool over, Diagnostics& diagnostics) {
    // What Sail's exceptions are told by stands in no declaration.
    for (const auto* name : {"have_exception", "current_exception", "throw_location"}) {
        const Name number = model.names.number(name);
        if (model.global_numbers.contains(number)) continue;
        model.global_numbers.emplace(number, model.globals.size());
        model.globals.push_back({number, {}, false, {}});
    }
    Parser(sources, buffer, model, over, diagnostics).run();
}

}  // namespace pogo::isa::jib
