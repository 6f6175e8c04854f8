// The connection to the server: what is sent, what is kept until it is acknowledged, what is said again (docs/protocol.md).
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace dure::detail {

enum : unsigned char { HELLO = 1, ASSIGN, INVOKE, ACK, STEP_OK, READY = 0x11, INIT_ERROR, RESULT, ERROR, CHUNK, LOG, STEP };
enum : unsigned char { IS_PATH = 1, WAS_STREAMED = 2, HAS_CHECKPOINT = 4, META_IS_PATH = 2 };
constexpr std::size_t frame_max = 1 << 20, inline_max = 256 << 10, backlog_max = 4 << 20, key_bytes = 12, line_max = 64 << 10;

inline std::string setting(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value && *value ? value : otherwise;
}

inline std::uint64_t now_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

template <class T> T take(std::string_view from, std::size_t at) {
    T value;
    std::memcpy(&value, from.data() + at, sizeof value);
    return value;
}

template <class T> void put(std::string& to, T value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }

template <class... Parts> std::string frame(unsigned char kind, const Parts&... parts) {
    std::string out(5, '\0');
    (out.append(std::string_view(parts)), ...);
    const auto length = static_cast<std::uint32_t>(out.size() - 4);
    std::memcpy(out.data(), &length, 4);
    out[4] = static_cast<char>(kind);
    return out;
}

inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Protocol : std::runtime_error { using runtime_error::runtime_error; };

// The connection to the server. send() may be called from any thread, next() by one at a time.
class Link {
public:
    Link() : io_(setting("DURE_IO", "/dure/io")) {
        const std::string path = io_ + "/fn.sock", hidden = path + ".new";
        ::unlink(path.c_str());
        ::unlink(hidden.c_str());
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        if (hidden.size() >= sizeof where.sun_path) throw std::runtime_error("the path of fn.sock is too long");
        std::memcpy(where.sun_path, hidden.c_str(), hidden.size());
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        // The worker takes the name's appearance for readiness, so it appears only once connections are accepted.
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || ::listen(listener_, 16) != 0 || std::rename(hidden.c_str(), path.c_str()) != 0)
            throw std::system_error(errno, std::generic_category(), path);
    }

    const std::string& io() const { return io_; }
    std::uint64_t lost() const { return lost_; }

    std::string payload_path(std::string_view key) const {
        ::mkdir((io_ + "/out").c_str(), 0700);
        return io_ + "/out/" + std::to_string(take<std::uint64_t>(key, 0)) + "-" + std::to_string(take<std::uint32_t>(key, 8));
    }

    // The next frame from the server; waits for one, across connections.
    std::pair<unsigned char, std::string> next() {
        for (;;) {
            if (in_.size() - at_ >= 5) {
                const auto length = take<std::uint32_t>(in_, at_);
                if (length == 0 || length > frame_max) { drop("a frame of " + std::to_string(length) + " bytes"); continue; }
                if (in_.size() - at_ - 4 >= length) {
                    std::pair<unsigned char, std::string> found(in_[at_ + 4], in_.substr(at_ + 5, length - 1));
                    if ((at_ += 4 + length) == in_.size()) in_.clear(), at_ = 0;
                    return found;
                }
            }
            fill();
        }
    }

    void drop(const std::string& why = {}) {
        if (!why.empty()) std::fprintf(stderr, "[dure] the server's connection is ended: %s\n", why.c_str());
        const std::lock_guard lock(sending_);
        forget();
    }

    void greet(const std::string& ready) {
        const std::lock_guard lock(sending_);
        std::string all = ready;
        for (const auto& one : backlog_) all += one;
        if (dropped_) {
            std::string head;
            head.push_back(2);
            put(head, now_ms());
            all += frame(LOG, dropped_key_, head, "[dure] " + std::to_string(dropped_) + " lines were dropped while no server was reading");
        }
        for (const auto& step : steps_) all += step.second;
        for (const auto& kept : kept_) all += kept.second;
        greeted_ = true;
        backlog_.clear();
        backlog_bytes_ = dropped_ = 0;
        raw(all);
    }

    bool greeted() const { return greeted_; }

    void send(const std::string& data) {
        const std::lock_guard lock(sending_);
        if (greeted_) raw(data);
    }

    void log(const std::string& data) {
        const std::lock_guard lock(sending_);
        if (greeted_ && raw(data)) return;
        if (backlog_bytes_ + data.size() > backlog_max) {
            dropped_ += 1 + static_cast<std::uint64_t>(std::count(data.begin() + 26, data.end(), '\n'));
            dropped_key_ = data.substr(5, key_bytes);
            return;
        }
        backlog_.push_back(data);
        backlog_bytes_ += data.size();
    }

    // Said again on every connection until it is acknowledged; `now` is what this connection is told.
    void keep(const std::string& key, const std::string& data, const std::string& now) {
        const std::lock_guard lock(sending_);
        kept_[key] = data;
        if (greeted_) raw(now);
    }

    bool say_again(const std::string& key) {
        const std::lock_guard lock(sending_);
        const auto found = kept_.find(key);
        if (found == kept_.end()) return false;
        raw(found->second);
        return true;
    }

    void acknowledge(std::string_view keys) {
        if (keys.size() % key_bytes) throw Protocol("an ACK of odd length");
        const std::lock_guard lock(sending_);
        for (; !keys.empty(); keys.remove_prefix(key_bytes)) {
            const auto found = kept_.find(std::string(keys.substr(0, key_bytes)));
            if (found == kept_.end()) continue;
            if (found->second[4] == RESULT && found->second[17] & IS_PATH) ::unlink(found->second.c_str() + 18);
            kept_.erase(found);
        }
    }

    // Journals a step and waits until it is durable.
    void journal(const std::string& step, const std::string& data) {
        std::unique_lock lock(sending_);
        steps_[step] = data;
        if (greeted_) raw(data);
        step_done_.wait(lock, [&] { return steps_.count(step) == 0; });
    }

    void step_done(const std::string& step) {
        const std::lock_guard lock(sending_);
        steps_.erase(step);
        step_done_.notify_all();
    }

private:
    void fill() {
        pollfd ready[2] = {{listener_, POLLIN, 0}, {socket_, POLLIN, 0}};
        if (::poll(ready, socket_ < 0 ? 1 : 2, -1) < 0) return;
        if (ready[0].revents) {
            const int fresh = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fresh < 0) return;
            if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR); // wakes whoever is blocked sending to it
            drop();
            const std::lock_guard lock(sending_);
            socket_ = fresh;
        } else if (ready[1].revents) {
            char piece[64 << 10];
            const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
            if (got <= 0) { drop(); return; }
            if (at_ > 0) in_.erase(0, at_), at_ = 0;
            in_.append(piece, static_cast<std::size_t>(got));
        }
    }

    void forget() {
        if (socket_ < 0) return;
        ::close(socket_);
        socket_ = -1;
        greeted_ = false;
        lost_++;
        in_.clear();
        at_ = 0;
    }

    bool raw(std::string_view data) {
        while (!data.empty()) {
            const ssize_t sent = ::send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) {
                greeted_ = false; // the reader sees the end of it and forgets it
                ::shutdown(socket_, SHUT_RDWR);
                return false;
            }
            data.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    std::string io_, in_;
    std::size_t at_ = 0;
    int listener_ = -1, socket_ = -1;
    std::atomic<bool> greeted_{false};
    std::atomic<std::uint64_t> lost_{0};
    std::uint64_t dropped_ = 0;
    std::string dropped_key_;
    std::mutex sending_;
    std::condition_variable step_done_;
    std::map<std::string, std::string> kept_, steps_;
    std::deque<std::string> backlog_;
    std::size_t backlog_bytes_ = 0;
};

} // namespace dure::detail
