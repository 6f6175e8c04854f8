// As little JSON as the function protocol needs.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

namespace dure::detail {

inline std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", c);
            out += code;
        } else out += c;
    }
    return out += '"';
}

// Splits the outermost JSON object into names and values as they are written. What it reads was written by the server.
class Members {
public:
    explicit Members(std::string_view text) : text_(text) {}

    std::map<std::string, std::string> read() {
        std::map<std::string, std::string> found;
        space();
        if (!eat('{')) return found;
        for (space(); at_ < text_.size() && text_[at_] == '"'; space()) {
            const std::string name = string();
            space();
            if (!eat(':')) break;
            space();
            const std::size_t from = at_;
            value();
            found[name] = std::string(text_.substr(from, at_ - from));
            space();
            if (!eat(',')) break;
        }
        return found;
    }

private:
    void space() { while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_])) at_++; }
    bool eat(char c) { return at_ < text_.size() && text_[at_] == c && ++at_; }

    void value() {
        int depth = 0;
        do {
            const char c = at_ < text_.size() ? text_[at_] : '\0';
            if (c == '\0') return;
            if (c == '"') string();
            else if (c == '{' || c == '[') depth++, at_++;
            else if (c == '}' || c == ']') depth--, at_++;
            else if (std::strchr(",: \t\r\n", c)) at_++;
            else while (at_ < text_.size() && !std::strchr(",:]} \t\r\n\"", text_[at_])) at_++;
        } while (depth > 0);
    }

    std::string string() {
        std::string out;
        for (at_++; at_ < text_.size() && text_[at_] != '"'; at_++) {
            if (text_[at_] != '\\') { out += text_[at_]; continue; }
            const char c = ++at_ < text_.size() ? text_[at_] : '\0';
            if (c == 'u') out += unicode();
            else if (const char* known = c ? std::strchr("nntt\rrbbff", c) : nullptr; known && c != '\r') out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : '\f';
            else out += c;
        }
        at_++;
        return out;
    }

    unsigned hex() {
        const unsigned code = static_cast<unsigned>(std::strtoul(std::string(text_.substr(std::min(at_ + 1, text_.size()), 4)).c_str(), nullptr, 16));
        at_ += 4;
        return code;
    }

    std::string unicode() {
        unsigned code = hex();
        if (code >= 0xd800 && code < 0xdc00 && text_.substr(std::min(at_ + 1, text_.size()), 2) == "\\u") {
            at_ += 2;
            code = 0x10000 + ((code - 0xd800) << 10) + (hex() - 0xdc00);
        }
        std::string out;
        if (code < 0x80) out += static_cast<char>(code);
        else if (code < 0x800) (out += static_cast<char>(0xc0 | code >> 6)) += static_cast<char>(0x80 | (code & 0x3f));
        else if (code < 0x10000) ((out += static_cast<char>(0xe0 | code >> 12)) += static_cast<char>(0x80 | (code >> 6 & 0x3f))) += static_cast<char>(0x80 | (code & 0x3f));
        else (((out += static_cast<char>(0xf0 | code >> 18)) += static_cast<char>(0x80 | (code >> 12 & 0x3f))) += static_cast<char>(0x80 | (code >> 6 & 0x3f))) += static_cast<char>(0x80 | (code & 0x3f));
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace dure::detail
