#pragma once

#include <stdexcept>

namespace inference {

/// A sentence that can be shown to the user: what, which file or tensor, found, expected, likely
/// cause.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The device has not enough memory; a smaller request or another dtype may fit.
class OutOfMemory : public Error {
public:
    using Error::Error;
};

/// Thrown by long work other than generate() that was asked to stop.
class Cancelled : public Error {
public:
    Cancelled()
        : Error("cancelled")
    {
    }
};

}  // namespace inference
