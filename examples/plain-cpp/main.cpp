// A program that knows nothing of Dure: the event on stdin, the result on stdout, lines on stderr are its log.
#include <iostream>
#include <iterator>
#include <string>

int main() {
    const std::string event{std::istreambuf_iterator<char>(std::cin), {}};
    std::cerr << "an event of " << event.size() << " bytes\n";
    std::cout << "{\"bytes\":" << event.size() << "}\n";
}
