#include <pagemate.hpp>
#include <cstdio>

int main() {
    pagemate::Section section = pagemate::SectionOptions().len(4096).create_unnamed();
    std::puts(section.len() == 4096 ? "native" : "another length");
}
