// A Dure function in C++17, header only. Compile with -pthread.
//
//   #include "dure.hpp"
//   int main() { return dure::serve([](std::string_view event, dure::Context& context) { return std::string(event); }); }
//
// The event and the result are bytes, JSON by custom. DURE_CONCURRENCY says how many handlers run at a time.
#pragma once

#include "dure/json.hpp"
#include "dure/link.hpp"

#include <cxxabi.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <typeinfo>
#include <utility>

namespace dure {

class Context;
using Handler = std::function<std::string(std::string_view event, Context& context)>;

namespace detail {

class Machine;

} // namespace detail

// One attempt of one invocation. Its functions may be called from any thread of the handler, but for write and step, which have one caller at a time.
class Context {
public:
    // The invocation's id.
    std::string id() const {
        std::string digits(13, '0');
        auto number = detail::take<std::uint64_t>(key_, 0);
        for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, number >>= 5) *digit = "0123456789abcdefghjkmnpqrstvwxyz"[number & 31];
        return text("id", digits);
    }
    std::uint32_t attempt() const { return detail::take<std::uint32_t>(key_, 8); }
    // True when an earlier attempt may have reached the code.
    bool may_have_run() const { const auto found = meta_.find("may_have_run"); return found != meta_.end() && found->second == "true"; }
    std::string function_name() const { return detail::setting("DURE_FUNCTION", ""); }
    std::string function_version() const { return detail::setting("DURE_VERSION", ""); }

    // Milliseconds until the invocation is ended; INT64_MAX when it has no limit.
    std::int64_t remaining_ms() const {
        if (deadline_ == 0) return INT64_MAX;
        return std::max<std::int64_t>(0, static_cast<std::int64_t>(deadline_ - detail::now_ms()));
    }

    // A folder of this invocation that later attempts see again. Made when first asked for.
    std::string checkpoint_dir() {
        ::mkdir((link_.io() + "/ck").c_str(), 0700);
        ::mkdir(checkpoint_path().c_str(), 0700);
        return checkpoint_path();
    }

    // One or more lines for the invocation's log.
    void log(std::string_view lines) {
        while (!lines.empty() && lines.back() == '\n') lines.remove_suffix(1);
        do {
            std::size_t length = std::min(lines.size(), detail::line_max);
            if (length < lines.size())
                if (const auto newline = lines.rfind('\n', length); newline != std::string_view::npos && newline > 0) length = newline;
            std::string head(1, '\1');
            detail::put(head, detail::now_ms());
            link_.log(detail::frame(detail::LOG, key_, head, lines.substr(0, length)));
            lines.remove_prefix(length);
            if (!lines.empty() && lines.front() == '\n') lines.remove_prefix(1);
        } while (!lines.empty());
    }

    // Sends a piece of the result at once. What the handler returns afterwards is the last piece.
    void write(std::string_view piece) {
        if (!streamed_) streamed_ = true, lost_ = link_.lost();
        whole(piece);
        for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), detail::inline_max)))
            link_.send(detail::frame(detail::CHUNK, key_, piece.substr(0, detail::inline_max)));
    }

    // Runs fn once for the whole invocation: the JSON that it returns is journaled, and later attempts get it without running fn.
    // Names are unique within an invocation.
    template <class Fn> std::string step(const std::string& name, Fn fn) {
        if (name.empty() || name.size() > 1024) throw std::invalid_argument("the name of a step is a string of 1 to 1024 bytes");
        if (!names_.insert(name).second) throw std::invalid_argument("step '" + name + "' was used before in this invocation: give each step its own name");
        if (const auto found = steps_.find(name); found != steps_.end()) return found->second;
        const std::string value = fn();
        if (value.size() + name.size() + 64 > detail::frame_max) throw std::length_error("the result of step '" + name + "' is too long; at most 1,000,000 bytes can be journaled");
        std::string head;
        detail::put(head, ++seq_);
        const std::string id = key_ + head;
        detail::put(head, static_cast<std::uint16_t>(name.size()));
        link_.journal(id, detail::frame(detail::STEP, key_, head, name, value));
        return value;
    }

private:
    friend class detail::Machine;

    Context(detail::Link& link, std::string key, std::uint64_t deadline, const std::string& meta)
        : link_(link), key_(std::move(key)), deadline_(deadline), meta_(detail::Members(meta).read()) {
        if (const auto found = meta_.find("steps"); found != meta_.end()) steps_ = detail::Members(found->second).read();
    }

    std::string text(const char* name, std::string otherwise) const {
        const auto found = meta_.find(name);
        return found == meta_.end() || found->second.size() < 2 ? otherwise : found->second.substr(1, found->second.size() - 2);
    }

    std::string checkpoint_path() const { return link_.io() + "/ck/" + std::to_string(detail::take<std::uint64_t>(key_, 0)); }
    bool has_checkpoint() const { return ::rmdir(checkpoint_path().c_str()) != 0 && errno != ENOENT; }

    // Keeps the result, in a file once it is long.
    void whole(std::string_view piece) {
        if (!file_.is_open()) {
            memory_.append(piece);
            if (memory_.size() <= detail::inline_max) return;
            file_.open(link_.payload_path(key_), std::ios::binary | std::ios::trunc);
            piece = memory_;
        }
        file_.write(piece.data(), static_cast<std::streamsize>(piece.size()));
        file_.flush();
        if (!file_) throw std::runtime_error("the result could not be written");
        if (!memory_.empty()) std::string().swap(memory_);
    }

    detail::Link& link_;
    std::string key_;
    std::uint64_t deadline_;
    std::map<std::string, std::string> meta_, steps_;
    std::set<std::string> names_;
    std::uint32_t seq_ = 0;
    bool streamed_ = false;
    std::uint64_t lost_ = 0;
    std::string memory_;
    std::ofstream file_;
};

namespace detail {

// Threads that take turns in reading: whoever has an invocation lets the next one read and calls the handler itself.
class Machine {
public:
    explicit Machine(Handler handler) : handler_(std::move(handler)) {}

    [[noreturn]] void run() {
        const int handlers = std::max(1, std::atoi(setting("DURE_CONCURRENCY", "1").c_str()));
        for (int i = 0; i < handlers; i++) std::thread([this] { take_turns(); }).detach();
        take_turns();
    }

private:
    [[noreturn]] void take_turns() {
        for (;;) {
            std::unique_ptr<Context> context;
            std::string event;
            {
                const std::lock_guard lock(reading_);
                while (!context) {
                    auto [kind, body] = link_.next();
                    try {
                        context = read(kind, body, event);
                    } catch (const Protocol& error) {
                        link_.drop(error.what());
                    }
                }
            }
            call(*context, event);
        }
    }

    std::unique_ptr<Context> read(unsigned char kind, const std::string& body, std::string& event) {
        if (kind == HELLO) {
            if (Members(body).read()["protocol"] != "1") throw Protocol("another protocol than 1");
            link_.greet(ready());
        } else if (!link_.greeted()) {
            throw Protocol("frame " + std::to_string(kind) + " before HELLO");
        } else if (kind == INVOKE) {
            return invocation(body, event);
        } else if (kind == ACK) {
            link_.acknowledge(body);
        } else if (kind == STEP_OK && body.size() == key_bytes + 4) {
            link_.step_done(body);
        } else {
            throw Protocol("frame " + std::to_string(kind));
        }
        return nullptr;
    }

    std::string ready() {
        const std::lock_guard lock(list_);
        std::string running;
        for (const auto& key : running_)
            running += (running.empty() ? "[\"" : ",[\"") + std::to_string(take<std::uint64_t>(key, 0)) + "\"," + std::to_string(take<std::uint32_t>(key, 8)) + "]";
        return frame(READY, "{\"state\":\"ready\",\"pid\":" + std::to_string(::getpid()) + ",\"runtime\":\"c++\",\"running\":[" + running + "]}");
    }

    std::unique_ptr<Context> invocation(const std::string& body, std::string& event) {
        constexpr std::size_t head = key_bytes + 13;
        if (body.size() < head || body.size() - head < take<std::uint32_t>(body, head - 4)) throw Protocol("INVOKE");
        const std::string key = body.substr(0, key_bytes);
        const auto flags = static_cast<unsigned char>(body[key_bytes]);
        std::string meta = body.substr(head, take<std::uint32_t>(body, head - 4));
        event = body.substr(head + meta.size());
        {
            const std::lock_guard lock(list_);
            if (running_.count(key)) return nullptr;
            if (link_.say_again(key)) return nullptr; // the server forgot that it was told
            running_.insert(key);
        }
        try {
            if (flags & META_IS_PATH) meta = read_file(meta);
            if (flags & IS_PATH) event = read_file(event);
        } catch (const std::exception& error) {
            Context failed(link_, key, 0, "");
            fail(failed, "EventNotReadable", error.what());
            return nullptr;
        }
        return std::unique_ptr<Context>(new Context(link_, key, take<std::uint64_t>(body, key_bytes + 1), meta));
    }

    void call(Context& context, const std::string& event) {
        try {
            answer(context, handler_(event, context));
        } catch (const std::exception& error) {
            int status = 0;
            const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), std::free);
            fail(context, status == 0 ? name.get() : typeid(error).name(), error.what());
        } catch (...) {
            fail(context, "unknown", "the handler threw something that is not a std::exception");
        }
    }

    void answer(Context& context, const std::string& result) {
        std::string flags(1, static_cast<char>(context.has_checkpoint() ? HAS_CHECKPOINT : 0));
        if (context.streamed_ && !result.empty()) context.write(result);
        if (!context.streamed_ && result.size() <= inline_max) {
            end(context, frame(RESULT, context.key_, flags, result), false);
            return;
        }
        if (!context.streamed_) context.whole(result);
        if (context.file_.is_open()) {
            flags[0] = static_cast<char>(flags[0] | IS_PATH);
            end(context, frame(RESULT, context.key_, flags, link_.payload_path(context.key_)), context.streamed_);
        } else {
            end(context, frame(RESULT, context.key_, flags, context.memory_), context.streamed_);
        }
    }

    void fail(Context& context, const std::string& type, std::string_view message) {
        if (context.file_.is_open()) ::unlink(link_.payload_path(context.key_).c_str());
        const std::string flags(1, static_cast<char>(context.has_checkpoint() ? HAS_CHECKPOINT : 0));
        end(context, frame(ERROR, context.key_, flags, "{\"errorType\":" + quoted(type) + ",\"errorMessage\":" + quoted(message.substr(0, line_max)) + ",\"stackTrace\":[]}"), false);
    }

    void end(const Context& context, const std::string& whole, bool streamed) {
        const bool seen = streamed && link_.greeted() && context.lost_ == link_.lost();
        const std::string flags(1, static_cast<char>(WAS_STREAMED | (whole[17] & HAS_CHECKPOINT)));
        link_.keep(context.key_, whole, seen ? frame(RESULT, context.key_, flags) : whole);
        const std::lock_guard lock(list_);
        running_.erase(context.key_);
    }

    Handler handler_;
    Link link_;
    std::mutex reading_, list_;
    std::set<std::string> running_;
};

} // namespace detail

// Serves invocations until the process is ended. The handler may run on several threads at a time when DURE_CONCURRENCY says so.
[[noreturn]] inline int serve(Handler handler) {
    detail::Machine(std::move(handler)).run();
}

} // namespace dure
