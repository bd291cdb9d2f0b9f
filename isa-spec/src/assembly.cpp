// Assembler and disassembler of any Spec.
// SPDX-License-Identifier: Apache-2.0
#include "isa/assembly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "isa/require.hpp"

namespace pogo::isa {

namespace {

// NOLINTNEXTLINE(modernize-use-using): __extension__, which -Wpedantic wants, goes with a typedef only.
__extension__ typedef __int128 Wide;

constexpr std::uint64_t max_units = std::uint64_t{1} << 26;

std::int64_t sign_extend(std::uint64_t value, unsigned width) {
    const unsigned shift = 64 - width;
    return static_cast<std::int64_t>(value << shift) >> shift;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Assembler {
  public:
    Assembler(const Spec& spec, const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics)
        : spec_(spec), buffer_(buffer), text_(sources.text(buffer)), diagnostics_(diagnostics) {
        // By the first character, where a form's text begins with one.
        for (const Form& form : spec.forms) {
            const bool literal = !form.assembly.empty() && form.assembly[0].kind == AssemblyPart::Kind::text;
            for (unsigned c = 0; c < candidates_.size(); ++c)
                if (!literal || static_cast<unsigned char>(form.assembly[0].text[0]) == c)
                    candidates_[c].push_back(&form);
        }
    }

    std::optional<Image> run() {
        split();
        if (diagnostics_.has_errors()) return std::nullopt;
        // Lengths depend on labels and labels on lengths: repeat until nothing moves. Lengths never shrink.
        for (unsigned round = 0;; ++round) {
            if (round == 64) {
                diagnostics_.report(Code::E0707, SourceRange{});
                return std::nullopt;
            }
            final_ = settled_ || round > 60;
            if (!pass()) return std::nullopt;
            if (final_ && settled_) break;
        }
        if (diagnostics_.has_errors()) return std::nullopt;
        for (const auto& [name, label] : labels_) image_.labels[name] = static_cast<std::uint64_t>(label.value);
        image_.entry = image_.lines.empty() ? 0 : image_.lines.front().address;
        for (const char* name : {"_start", "start"})
            if (const auto it = image_.labels.find(name); it != image_.labels.end()) image_.entry = it->second;
        return std::move(image_);
    }

  private:
    struct Line {
        std::string_view text;  // without label and comment
        std::string_view label;
        std::uint32_t at = 0;  // of the text in the buffer
        std::uint32_t label_at = 0;
        std::size_t units = 0;  // length so far
        bool bad = false;       // has been complained about
    };
    struct Label {
        Wide value = 0;
        SourceRange where;
        bool known = false;
    };
    struct Stop {};

    [[nodiscard]] SourceRange range(const Line& line) const {
        return {buffer_, line.at, static_cast<std::uint32_t>(line.at + line.text.size())};
    }

    void split() {
        std::size_t at = 0;
        while (at <= text_.size()) {
            const std::size_t end = std::min(text_.find('\n', at), text_.size());
            add_line(at, end);
            at = end + 1;
        }
    }
    void add_line(std::size_t begin, std::size_t end) {
        // The comment begins at the first ; or // outside of quotes.
        bool quoted = false;
        for (std::size_t i = begin; i < end; ++i) {
            if (text_[i] == '\\' && quoted) {
                ++i;
                continue;
            }
            if (text_[i] == '"') quoted = !quoted;
            if (text_[i] == '\'' && !quoted && i + 2 < end) {
                i += text_[i + 1] == '\\' ? 3 : 2;
                continue;
            }
            if (!quoted && (text_[i] == ';' || text_.substr(i, 2) == "//")) {
                end = i;
                break;
            }
        }
        Line line;
        auto skip = [&] {
            while (begin < end && is_space(text_[begin])) ++begin;
        };
        skip();
        std::size_t word = begin;
        while (word < end && (is_word(text_[word]) || text_[word] == '.')) ++word;
        if (word > begin && word < end && text_[word] == ':') {
            line.label = text_.substr(begin, word - begin);
            line.label_at = static_cast<std::uint32_t>(begin);
            const SourceRange where{buffer_, line.label_at, static_cast<std::uint32_t>(word)};
            const auto [place, fresh] = labels_.try_emplace(std::string(line.label), Label{0, where, false});
            if (!fresh) {
                auto& diagnostic = diagnostics_.report(Code::E0704, where, std::string(line.label));
                diagnostic.notes.push_back({place->second.where, "first defined here"});
            }
            begin = word + 1;
            skip();
        }
        while (end > begin && is_space(text_[end - 1])) --end;
        line.text = text_.substr(begin, end - begin);
        line.at = static_cast<std::uint32_t>(begin);
        if (!line.text.empty() || !line.label.empty()) lines_.push_back(line);
    }

    bool pass() {
        here_ = 0;
        total_ = 0;
        settled_ = true;
        image_.lines.clear();
        for (Line& line : lines_) {
            if (!line.label.empty()) define(std::string(line.label), static_cast<Wide>(here_));
            if (line.text.empty() || line.bad) continue;
            line_ = &line;
            at_ = 0;
            try {
                if (line.text[0] == '.')
                    directive();
                else
                    instruction();
            } catch (const Stop&) {  // reported; go on with the next line
                line.bad = true;
            }
            if (total_ > max_units) {
                diagnostics_.report(Code::E0708, range(line), fmt::format("{}", max_units));
                return false;
            }
        }
        return true;
    }

    void define(const std::string& name, Wide value) {
        Label& label = labels_[name];
        if (!label.known || label.value != value) settled_ = false;
        label.known = true;
        label.value = value;
    }

    template <class... Args>
    [[noreturn]] void fail(Code code, std::size_t from, std::size_t to, Args&&... args) {
        diagnostics_.report(code,
                            SourceRange{buffer_, static_cast<std::uint32_t>(line_->at + from),
                                        static_cast<std::uint32_t>(line_->at + std::max(to, from + 1))},
                            std::forward<Args>(args)...);
        throw Stop{};
    }

    // ---- expressions over line_->text from at_; nothing when the text is none ----
    void skip() {
        while (at_ < line_->text.size() && is_space(line_->text[at_])) ++at_;
    }
    [[nodiscard]] char peek() const { return at_ < line_->text.size() ? line_->text[at_] : '\0'; }

    std::optional<Wide> expression(unsigned depth = 0) {
        auto left = product(depth);
        while (left) {
            const std::size_t back = at_;
            skip();
            const char op = peek();
            if (op != '+' && op != '-') {
                at_ = back;
                break;
            }
            ++at_;
            const auto right = product(depth);
            if (!right) {
                at_ = back;  // the sign belongs to the pattern, as in (%a0)+
                break;
            }
            left = clamp(op == '+' ? *left + *right : *left - *right);
        }
        return left;
    }
    static Wide clamp(Wide value) {
        constexpr Wide limit = Wide{1} << 64;
        return value > limit ? limit : value < -limit ? -limit : value;
    }
    std::optional<Wide> product(unsigned depth) {
        auto left = primary(depth);
        while (left) {
            const std::size_t back = at_;
            skip();
            if (peek() != '*') {
                at_ = back;
                break;
            }
            ++at_;
            const auto right = primary(depth);
            if (!right) {
                at_ = back;
                break;
            }
            constexpr Wide limit = Wide{1} << 62;
            const bool large = *left > limit || *left < -limit || *right > limit || *right < -limit;
            left = large ? (Wide{1} << 64) : clamp(*left * *right);
        }
        return left;
    }
    std::optional<Wide> primary(unsigned depth) {
        if (depth > 100) return std::nullopt;
        skip();
        const std::size_t start = at_;
        const char c = peek();
        if (c == '-' || c == '~') {
            ++at_;
            const auto value = primary(depth + 1);
            if (!value) at_ = start;
            if (!value) return value;
            return c == '-' ? -*value : clamp(~*value);
        }
        if (c == '(') {
            ++at_;
            const auto value = expression(depth + 1);
            skip();
            if (!value || peek() != ')') {
                at_ = start;
                return std::nullopt;
            }
            ++at_;
            return value;
        }
        if (c == '\'') {
            const auto rest = line_->text.substr(at_);
            if (rest.size() >= 4 && rest[1] == '\\' && rest[3] == '\'') {
                at_ += 4;
                return escape(rest[2]);
            }
            if (rest.size() >= 3 && rest[2] == '\'') {
                at_ += 3;
                return static_cast<unsigned char>(rest[1]);
            }
            return std::nullopt;
        }
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) return number();
        if (is_word(c) || c == '.') {
            while (is_word(peek()) || peek() == '.') ++at_;
            const std::string name(line_->text.substr(start, at_ - start));
            if (name == ".") return static_cast<Wide>(here_);
            const auto label = labels_.find(name);
            if (label == labels_.end()) {
                unknown_ = name;
                unknown_from_ = start;
                at_ = start;
                return std::nullopt;
            }
            if (!label->second.known) return static_cast<Wide>(here_);
            return label->second.value;
        }
        return std::nullopt;
    }
    std::optional<Wide> number() {
        const auto rest = line_->text.substr(at_);
        unsigned base = 10;
        if (rest.starts_with("0x") || rest.starts_with("0X")) base = 16;
        if (rest.starts_with("0b") || rest.starts_with("0B")) base = 2;
        const std::size_t start = at_;
        if (base != 10) at_ += 2;
        Wide value = 0;
        std::size_t digits = 0;
        for (; is_word(peek()); ++at_) {
            if (peek() == '_') continue;
            const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(peek())));
            const unsigned digit = c >= 'a' ? static_cast<unsigned>(c - 'a') + 10 : static_cast<unsigned>(c - '0');
            if (digit >= base) break;
            value = clamp(value * static_cast<int>(base) + static_cast<int>(digit));
            ++digits;
        }
        if (digits == 0) {
            at_ = start;
            return std::nullopt;
        }
        return value;
    }
    static Wide escape(char c) {
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case '0':
                return 0;
            default:
                return static_cast<unsigned char>(c);
        }
    }

    // ---- instructions ----
    // Matches the pattern of a form against the whole line; false when the text differs.
    bool match(const Form& form, std::vector<std::uint64_t>& fields, std::string& misfit, std::size_t& misfit_at) {
        at_ = 0;
        const std::string_view text = line_->text;
        if (!form.assembly.empty() && form.assembly[0].kind == AssemblyPart::Kind::text) {
            const std::string_view word =
                std::string_view(form.assembly[0].text).substr(0, form.assembly[0].text.find(' '));
            if (!text.starts_with(word)) return false;  // most forms leave here
        }
        fields.assign(form.fields.size(), 0);
        std::vector<bool> set(form.fields.size(), false);
        bool fits = true;
        for (std::size_t p = 0; p < form.assembly.size(); ++p) {
            const AssemblyPart& part = form.assembly[p];
            if (part.kind == AssemblyPart::Kind::text) {
                for (const char expected : part.text) {
                    if (expected == ' ') {
                        const bool apart = at_ > 0 && is_word(text[at_ - 1]) && at_ < text.size() && is_word(text[at_]);
                        if (apart) return false;
                        skip();
                        continue;
                    }
                    // Blanks may stand where the pattern has none, but not inside a word.
                    if (at_ < text.size() && is_space(text[at_]) &&
                        !(at_ > 0 && is_word(text[at_ - 1]) && is_word(expected)))
                        skip();
                    if (at_ >= text.size() || text[at_] != expected) return false;
                    ++at_;
                }
                continue;
            }
            const Field& field = form.fields[part.field];
            const std::size_t start = at_;
            std::uint64_t value = 0;
            if (part.kind == AssemblyPart::Kind::name) {
                // A name ends where its word does, unless the form goes on in it.
                const AssemblyPart* next = p + 1 < form.assembly.size() ? &form.assembly[p + 1] : nullptr;
                const bool goes_on =
                    next != nullptr && (next->kind != AssemblyPart::Kind::text || is_word(next->text.front()));
                std::size_t best = 0;
                for (std::size_t i = 0; i < field.names.size(); ++i) {
                    const std::string& name = field.names[i];
                    if (name.size() > best && text.substr(at_).starts_with(name) &&
                        (goes_on || at_ + name.size() == text.size() || !is_word(text[at_ + name.size()]))) {
                        best = name.size();
                        value = i;
                    }
                }
                if (best == 0) return false;
                at_ += best;
            } else {
                const auto parsed = expression();
                if (!parsed) return false;
                const auto encoded = encode_value(part, field, *parsed);
                if (!encoded) {
                    fits = false;
                    misfit = std::string(text.substr(start, at_ - start));
                    misfit_at = start;
                } else {
                    value = *encoded;
                }
            }
            if (set[part.field] && fields[part.field] != value) return false;
            set[part.field] = true;
            fields[part.field] = value;
        }
        skip();
        if (at_ != text.size()) return false;
        if (!fits) return false;
        // Bits of a field that have no place in the encoding must be zero.
        for (unsigned i = 0; i < fields.size(); ++i) {
            std::uint64_t placed = 0;
            for (const auto& piece : form.encoding.pieces)
                if (piece.field == i) placed |= static_cast<std::uint64_t>(ones(piece.width)) << piece.from;
            if ((fields[i] & ~placed) != 0) {
                misfit = fmt::format("{}", fields[i]);
                misfit_at = 0;
                return false;
            }
        }
        if (!permits(spec_, form, fields)) {
            misfit = "this combination of operands";
            return false;
        }
        return true;
    }
    std::optional<std::uint64_t> encode_value(const AssemblyPart& part, const Field& field, Wide value) const {
        const Wide top = Wide{1} << field.width;
        if (part.kind == AssemblyPart::Kind::relative) {
            // Addresses wrap around, so the distance is taken modulo the size of an address.
            const unsigned width = spec_.address_width;
            const auto distance = static_cast<std::uint64_t>(value - static_cast<Wide>(here_) - part.offset);
            value = sign_extend(distance, width);
            if ((value & ((Wide{1} << part.shift) - 1)) != 0) return std::nullopt;
            value >>= part.shift;
        }
        const bool is_signed = part.kind == AssemblyPart::Kind::signed_ || part.kind == AssemblyPart::Kind::relative;
        const Wide high = is_signed ? top / 2 : top;
        // An address in the upper half of memory is a small negative displacement, where the field has no room for it.
        const Wide space = Wide{1} << spec_.address_width;
        if (part.kind == AssemblyPart::Kind::signed_ && value >= std::max(high, space / 2) && value < space)
            value -= space;
        if (value >= high || value < -(top / 2)) return std::nullopt;
        return static_cast<std::uint64_t>(value) & static_cast<std::uint64_t>(ones(field.width));
    }

    void instruction() {
        const Form* best = nullptr;
        std::vector<std::uint64_t> best_fields;
        std::string misfit;
        std::size_t misfit_at = 0;
        unknown_.clear();
        std::size_t best_units = 0;
        std::vector<std::uint64_t> fields;
        for (const Form* candidate : candidates_[static_cast<unsigned char>(line_->text[0])]) {
            const Form& form = *candidate;
            const std::size_t units = form.encoding.parcels.size() * spec_.parcel_units;
            if (best != nullptr && units >= best_units) continue;
            if (units < line_->units) continue;
            if (!match(form, fields, misfit, misfit_at)) continue;
            best = &form;
            best_units = units;
            best_fields = fields;
        }
        if (best == nullptr) {
            if (!misfit.empty() && !final_) {
                // May fit once labels have settled; reserve what it took before, or a parcel.
                settled_ = false;
                advance(std::max<std::size_t>(line_->units, spec_.parcel_units));
                return;
            }
            if (!misfit.empty()) fail(Code::E0702, misfit_at, misfit_at + misfit.size(), misfit);
            if (!unknown_.empty()) fail(Code::E0703, unknown_from_, unknown_from_ + unknown_.size(), unknown_);
            fail(Code::E0701, 0, line_->text.size());
        }
        if (best_units != line_->units) settled_ = false;
        line_->units = best_units;
        emit(units_of(spec_, encode(*best, best_fields)), true);
    }

    void advance(std::size_t units) {
        here_ = (here_ + units) & static_cast<std::uint64_t>(ones(spec_.address_width));
        total_ += units;
        if (total_ > max_units) throw Stop{};
    }
    void emit(std::vector<std::uint64_t> units, bool code) {
        const std::size_t count = units.size();
        image_.lines.push_back({here_, std::move(units), range(*line_), code});
        advance(count);
    }

    // ---- directives ----
    void directive() {
        while (at_ < line_->text.size() && !is_space(line_->text[at_])) ++at_;
        const std::string name(line_->text.substr(0, at_));
        const auto value = [&] {
            skip();
            unknown_.clear();
            const std::size_t start = at_;
            const auto result = expression();
            if (!result) {
                if (!unknown_.empty()) fail(Code::E0703, unknown_from_, unknown_from_ + unknown_.size(), unknown_);
                fail(Code::E0706, start, line_->text.size(), "an expression", found(start));
            }
            return *result;
        };
        const auto end = [&] {
            skip();
            if (at_ != line_->text.size())
                fail(Code::E0706, at_, line_->text.size(), "the end of the line", found(at_));
        };
        static const std::map<std::string_view, unsigned> sizes = {
            {".byte", 8}, {".half", 16}, {".word", 32}, {".quad", 64}};
        if (const auto size = sizes.find(name); size != sizes.end() || name == ".unit") {
            const unsigned bits = name == ".unit" ? spec_.unit_bits : size->second;
            if (bits % spec_.unit_bits != 0) fail(Code::E0705, 0, name.size(), name + " for units of this size");
            std::vector<std::uint64_t> units;
            for (;;) {
                const std::size_t start = at_;
                const Wide v = value();
                const Wide top = Wide{1} << bits;
                if (v >= top || v < -(top / 2)) {
                    if (final_) fail(Code::E0702, start + 1, at_, std::string(line_->text.substr(start, at_ - start)));
                }
                for (const auto unit : units_of(spec_, static_cast<std::uint64_t>(v), bits)) units.push_back(unit);
                skip();
                if (peek() != ',') break;
                ++at_;
            }
            end();
            emit(std::move(units), false);
        } else if (name == ".ascii" || name == ".asciz") {
            skip();
            if (peek() != '"') fail(Code::E0706, at_, line_->text.size(), "a text in quotes", found(at_));
            std::vector<std::uint64_t> units;
            for (++at_; peek() != '"'; ++at_) {
                if (at_ >= line_->text.size()) fail(Code::E0103, 0, line_->text.size());
                char c = peek();
                if (c == '\\' && at_ + 1 < line_->text.size()) c = static_cast<char>(escape(line_->text[++at_]));
                units.push_back(static_cast<unsigned char>(c));
            }
            ++at_;
            if (name == ".asciz") units.push_back(0);
            end();
            emit(std::move(units), false);
        } else if (name == ".org" || name == ".align" || name == ".space") {
            const std::size_t start = at_;
            const Wide v = value();
            end();
            Wide count = v;
            if (name == ".org") {
                if (v < 0 || static_cast<Word>(v) > ones(spec_.address_width))
                    fail(Code::E0702, start + 1, at_, std::string(line_->text.substr(start)));
                here_ = static_cast<std::uint64_t>(v);
                return;
            }
            if (name == ".align") {
                if (v < 1 || v > 65536) fail(Code::E0702, start + 1, at_, std::string(line_->text.substr(start)));
                count = (v - static_cast<Wide>(here_) % v) % v;
            }
            if (count < 0 || count > static_cast<Wide>(max_units))
                fail(Code::E0702, start + 1, at_, std::string(line_->text.substr(start)));
            if (count > 0) emit(std::vector<std::uint64_t>(static_cast<std::size_t>(count), 0), false);
        } else if (name == ".equ") {
            skip();
            const std::size_t start = at_;
            while (is_word(peek())) ++at_;
            const std::string label(line_->text.substr(start, at_ - start));
            skip();
            if (label.empty() || peek() != ',')
                fail(Code::E0706, start, line_->text.size(), "NAME, VALUE", found(start));
            ++at_;
            const Wide v = value();
            end();
            Label& known = labels_[label];
            if (!known.where.valid()) known.where = range(*line_);
            if (!(known.where == range(*line_))) fail(Code::E0704, start, start + label.size(), label);
            define(label, v);
        } else {
            fail(Code::E0705, 0, name.size(), name);
        }
    }
    [[nodiscard]] std::string found(std::size_t from) const {
        return from < line_->text.size() ? fmt::format("`{}`", line_->text.substr(from)) : "the end of the line";
    }

    const Spec& spec_;
    std::array<std::vector<const Form*>, 256> candidates_;
    std::uint32_t buffer_;
    std::string_view text_;
    Diagnostics& diagnostics_;
    std::vector<Line> lines_;
    std::map<std::string, Label> labels_;
    Image image_;
    Line* line_ = nullptr;
    std::size_t at_ = 0;
    std::uint64_t here_ = 0;
    std::uint64_t total_ = 0;
    bool settled_ = false;
    bool final_ = false;
    std::string unknown_;
    std::size_t unknown_from_ = 0;
};

}  // namespace

std::optional<Image> assemble(const Spec& spec, const SourceManager& sources, std::uint32_t buffer,
                              Diagnostics& diagnostics) {
    return Assembler(spec, sources, buffer, diagnostics).run();
}

std::string disassemble(const Spec& spec, const Decoded& decoded, std::uint64_t address) {
    const Form& form = spec[decoded.form];
    std::string out;
    for (const AssemblyPart& part : form.assembly) {
        if (part.kind == AssemblyPart::Kind::text) {
            out += part.text;
            continue;
        }
        const Field& field = form.fields[part.field];
        const std::uint64_t value = decoded.fields[part.field];
        switch (part.kind) {
            case AssemblyPart::Kind::text:
                break;
            case AssemblyPart::Kind::number:
                out += fmt::format("{}", value);
                break;
            case AssemblyPart::Kind::signed_:
                out += fmt::format("{}", sign_extend(value, field.width));
                break;
            case AssemblyPart::Kind::hex:
                out += fmt::format("{:#x}", value);
                break;
            case AssemblyPart::Kind::name:
                out += value < field.names.size() && !field.names[value].empty() ? field.names[value]
                                                                                 : fmt::format("?{}", value);
                break;
            case AssemblyPart::Kind::relative: {
                const auto distance = static_cast<std::uint64_t>(sign_extend(value, field.width)) << part.shift;
                const std::uint64_t target = address + static_cast<std::uint64_t>(part.offset) + distance;
                out += fmt::format("{:#x}", target & static_cast<std::uint64_t>(ones(spec.address_width)));
                break;
            }
        }
    }
    return out;
}

std::vector<std::uint64_t> units_of(const Spec& spec, std::uint64_t value, unsigned bits) {
    POGO_REQUIRE(bits % spec.unit_bits == 0 && bits >= spec.unit_bits);
    const unsigned count = bits / spec.unit_bits;
    std::vector<std::uint64_t> units(count);
    for (unsigned i = 0; i < count; ++i) {
        const unsigned from = (spec.big_endian ? count - 1 - i : i) * spec.unit_bits;
        units[i] = (from >= 64 ? 0 : value >> from) & static_cast<std::uint64_t>(ones(spec.unit_bits));
    }
    return units;
}

std::vector<std::uint64_t> units_of(const Spec& spec, const std::vector<std::uint64_t>& parcels) {
    std::vector<std::uint64_t> units;
    for (const auto parcel : parcels)
        for (const auto unit : units_of(spec, parcel, spec.parcel_bits())) units.push_back(unit);
    return units;
}

std::uint64_t parcel_of(const Spec& spec, const std::uint64_t* units) {
    std::uint64_t parcel = 0;
    for (unsigned i = 0; i < spec.parcel_units; ++i) {
        const unsigned from = (spec.big_endian ? spec.parcel_units - 1 - i : i) * spec.unit_bits;
        parcel |= units[i] << from;
    }
    return parcel;
}

}  // namespace pogo::isa
