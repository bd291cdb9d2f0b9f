// From text to tokens.
// SPDX-License-Identifier: Apache-2.0
#include "lexer.hpp"

#include <fmt/format.h>

#include <array>

namespace pogo::isa {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Longest first; those that end in s are signed operators and must not run into a word.
constexpr std::array<std::string_view, 34> signs = {
    ">>s", "<=s", ">=s", "<s", ">s", "==", "!=", "<=", ">=", "<<", ">>", "&&", "||", "..", "=>", "->", "{",
    "}",   "(",   ")",   "[",  "]",  ";",  ",",  ":",  ".",  "=",  "<",  ">",  "+",  "-",  "*",  "&",  "|"};
constexpr std::string_view single = "^~!@";

unsigned digit_value(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return 99;
}

class Lexer {
  public:
    Lexer(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics)
        : text_(sources.text(buffer)), buffer_(buffer), diagnostics_(diagnostics) {}

    std::vector<Token> run() {
        for (skip(); at_ < text_.size(); skip()) next();
        tokens_.push_back({Token::Kind::end, range(at_), {}, 0, 0});
        return std::move(tokens_);
    }

  private:
    [[nodiscard]] SourceRange range(std::size_t begin) const {
        return {buffer_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)};
    }
    [[nodiscard]] bool starts(std::string_view s) const { return text_.substr(at_).starts_with(s); }

    void skip() {
        while (at_ < text_.size()) {
            if (is_space(text_[at_])) {
                ++at_;
            } else if (starts("//")) {
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            } else if (starts("/*")) {
                const auto begin = at_;
                const auto end = text_.find("*/", at_ + 2);
                at_ = end == std::string_view::npos ? text_.size() : end + 2;
                if (end == std::string_view::npos)
                    diagnostics_.report(Code::E0102, {buffer_, static_cast<std::uint32_t>(begin),
                                                      static_cast<std::uint32_t>(begin + 2)});
            } else {
                return;
            }
        }
    }

    void push(Token::Kind kind, std::size_t begin) {
        tokens_.push_back({kind, range(begin), text_.substr(begin, at_ - begin), 0, 0});
    }

    void next() {
        const auto begin = at_;
        const char c = text_[at_];
        if (is_letter(c)) {
            while (at_ < text_.size() && is_word(text_[at_])) ++at_;
            push(Token::Kind::name, begin);
        } else if (is_digit(c)) {
            number(begin);
        } else if (c == '"') {
            string(begin);
        } else if (single.find(c) != std::string_view::npos && !starts("!=")) {
            ++at_;
            push(Token::Kind::sign, begin);
        } else {
            for (const auto sign : signs) {
                if (!starts(sign)) continue;
                const auto after = at_ + sign.size();
                if (sign.back() == 's' && after < text_.size() && is_word(text_[after])) continue;
                at_ = after;
                push(Token::Kind::sign, begin);
                return;
            }
            // Take a whole run of bytes that cannot start a token, so that one stray word is one complaint.
            while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) >= 0x80 || at_ == begin)) ++at_;
            std::string shown;
            for (const char b : text_.substr(begin, at_ - begin))
                shown += static_cast<unsigned char>(b) < 0x20 ? fmt::format("\\x{:02x}", static_cast<unsigned char>(b))
                                                              : std::string(1, b);
            diagnostics_.report(Code::E0101, range(begin), shown);
        }
    }

    void number(std::size_t begin) {
        unsigned base = 10;
        if (starts("0x") || starts("0X")) base = 16;
        if (starts("0b") || starts("0B")) base = 2;
        if (base != 10) at_ += 2;
        Word value = 0;
        unsigned digits = 0;
        bool fits = true;
        bool good = true;
        for (; at_ < text_.size() && is_word(text_[at_]); ++at_) {
            if (text_[at_] == '_') continue;
            const unsigned digit = digit_value(text_[at_]);
            if (digit >= base) good = false;
            fits = fits && value <= (~Word{0} - digit) / base;
            value = value * base + digit;
            ++digits;
        }
        push(Token::Kind::number, begin);
        if (!good || digits == 0)
            diagnostics_.report(Code::E0104, range(begin), std::string(tokens_.back().text));
        else if (!fits || (base != 10 && digits * (base == 16 ? 4 : 1) > max_width))
            diagnostics_.report(Code::E0105, range(begin));
        tokens_.back().value = value;
        tokens_.back().width = base == 10 ? 0 : std::min(digits * (base == 16 ? 4 : 1), max_width);
    }

    void string(std::size_t begin) {
        const auto end = text_.find_first_of("\"\n", at_ + 1);
        if (end == std::string_view::npos || text_[end] == '\n') {
            at_ = end == std::string_view::npos ? text_.size() : end;
            diagnostics_.report(Code::E0103, range(begin));
            return;
        }
        at_ = end + 1;
        tokens_.push_back({Token::Kind::string, range(begin), text_.substr(begin + 1, end - begin - 1), 0, 0});
    }

    std::string_view text_;
    std::uint32_t buffer_;
    Diagnostics& diagnostics_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics) {
    return Lexer(sources, buffer, diagnostics).run();
}

}  // namespace pogo::isa
