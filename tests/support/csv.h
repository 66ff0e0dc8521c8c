#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

/// Lines of a file in tests/data without the header; no quoting.
inline std::vector<std::vector<std::string>> csv(const std::string& name)
{
    std::ifstream file(std::string(KVL_TEST_DATA) + "/" + name);
    if (!file) {
        throw std::runtime_error("tests/data/" + name + " is missing");
    }
    std::vector<std::vector<std::string>> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::vector<std::string> cells;
        std::istringstream cut(line);
        for (std::string cell; std::getline(cut, cell, ',');) {
            cells.push_back(cell);
        }
        rows.push_back(cells);
    }
    return rows;
}

}  // namespace test
