// What every shim's contract test asks of its function. The event is parsed no further than the test needs.
#include "dure.hpp"

#include <fstream>
#include <sstream>

using Fields = std::map<std::string, std::string>;

static std::string text(const std::string& json) {
    return dure::detail::Members("{" + json + ":0}").read().begin()->first; // a name is unescaped, so a string read as one is too
}

static std::vector<std::string> items(std::string array) {
    std::vector<std::string> found;
    while (array.size() > 2) {
        auto first = dure::detail::Members("{\"a\":" + array.substr(1)).read()["a"];
        found.push_back(text(first));
        array.erase(1, first.size() + 1);
    }
    return found;
}

static void until(const std::string& path) {
    while (::access(path.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

static std::string run(std::string_view event, dure::Context& context) {
    Fields fields = dure::detail::Members(event).read();
    const std::string what = text(fields["do"]);
    if (what == "echo") return fields["value"];
    if (what == "fail") throw std::range_error("it broke: " + text(fields["why"]));
    if (what == "log") {
        for (const auto& line : items(fields["lines"])) context.log(line);
        context.log("unfinished");
        return "null";
    }
    if (what == "flood") {
        until(text(fields["start"]));
        for (int number = 0; number < std::atoi(fields["count"].c_str()); number++) {
            char line[128];
            std::snprintf(line, sizeof line, "%07d %s", number, std::string(92, 'x').c_str());
            context.log(line);
        }
        return "null";
    }
    if (what == "big") return "\"" + std::string(std::stoul(fields["size"]), 'x') + "\"";
    if (what == "wait") {
        context.log("waiting");
        until(text(fields["file"]));
        return std::to_string(context.attempt());
    }
    if (what == "count") {
        std::ofstream(text(fields["file"]), std::ios::app) << "once\n";
        return "1";
    }
    if (what == "checkpoint") {
        const std::string path = context.checkpoint_dir() + "/attempts";
        std::ofstream(path, std::ios::app) << context.attempt() << ' ';
        std::stringstream all;
        all << std::ifstream(path).rdbuf();
        return "\"" + all.str() + "\"";
    }
    if (what == "steps") {
        std::string ran;
        const auto once = [&](const char* name, const char* value) { return [&ran, name, value] { ran += (ran.empty() ? "\"" : ",\"") + std::string(name) + "\""; return std::string(value); }; };
        const std::string one = context.step("one", once("one", "1")), two = context.step("zwei é", once("zwei é", "[2]"));
        return "{\"results\":[" + one + "," + two + "],\"ran\":[" + ran + "]}";
    }
    if (what == "stream") {
        for (const auto& piece : items(fields["pieces"])) {
            context.write(piece);
            if (fields.count("file")) until(text(fields["file"]));
        }
        return "";
    }
    if (what == "who")
        return "{\"id\":\"" + context.id() + "\",\"attempt\":" + std::to_string(context.attempt()) + ",\"mayHaveRun\":" + (context.may_have_run() ? "true" : "false") +
               ",\"function\":\"" + context.function_name() + "\",\"version\":\"" + context.function_version() + "\",\"setting\":\"" + dure::detail::setting("SETTING", "") +
               "\",\"remaining\":" + std::to_string(context.remaining_ms()) + "}";
    throw std::invalid_argument("do what? " + what);
}

int main() { return dure::serve(run); }
