#include "dure.hpp"

int main() {
    return dure::serve([](std::string_view event, dure::Context& context) -> std::string {
        context.log("a greeting goes out");
        return R"({"hello":)" + std::string(event) + "}";
    });
}
