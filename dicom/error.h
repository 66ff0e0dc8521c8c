#pragma once

#include <stdexcept>

namespace dicom {

/// A sentence that can be shown to the user: what, which file, found, expected, likely cause.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Long work that was asked to stop.
class Cancelled : public Error {
public:
    Cancelled()
        : Error("cancelled")
    {
    }
};

}  // namespace dicom
