#pragma once

#include "dicom/dataset.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace dicom {

/// A whole file that a DICOM object carries: a video stream, a PDF, a model.
struct Encapsulated {
    std::string mimeType;      // "video/mp4", "application/pdf"
    std::string suffix;        // ".mp4", for a file name
    std::string title;         // Document Title, else Series or Study Description; may be empty
    std::uint64_t length = 0;  // bytes
    std::vector<std::uint8_t> bytes;  // empty where only described
};

/// What the object carries, without its bytes; absent where it carries nothing of the kind.
std::optional<Encapsulated> describeEncapsulated(const Dataset& dataset);

/// The same with its bytes. Throws Error for more than 1 GiB.
std::optional<Encapsulated> readEncapsulated(const Dataset& dataset);

/// Writes the bytes to `file`, whole or not at all. Throws Error where the dataset carries nothing
/// or the file can't be written, and Cancelled.
void writeEncapsulated(const Dataset& dataset, const std::filesystem::path& file,
                       std::stop_token stop = {});

}  // namespace dicom
