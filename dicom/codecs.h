#pragma once

// Private to this folder: the table of transfer syntaxes.

#include "dicom/pixels.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dicom {

/// What a decoder makes of the bytes of one frame.
struct Decoded {
    enum class Color { AsDeclared, Rgb, Ybr };
    PixelFormat format;  // bits and sign as decoded
    std::vector<std::uint8_t>
        bytes;  // little endian words of format.allocated bits, samples side by side
    Color color = Color::AsDeclared;  // where the stream itself says what its components are
};

/// Bytes of one frame to samples. `format` is what the header claims: a stream of another size is
/// refused before anything is allocated for it. Throws Error with the reason alone.
using Decode = Decoded (*)(std::span<const std::uint8_t> stream, const PixelFormat& format,
                           const std::string& syntax);

struct Codec {
    const char* uid;
    const char* name;
    Decode decode;  // null: not compressed, or a video
    bool video = false;
};

/// Null for a transfer syntax this program does not know.
const Codec* findCodec(const std::string& uid);

/// DCMTK's own decoders; from initialise() only.
void registerCodecs();

/// JPEG 2000 and HTJ2K by OpenJPEG (jpeg2000.cpp).
Decoded decodeJpeg2000(std::span<const std::uint8_t> stream, const PixelFormat& format,
                       const std::string& syntax);

}  // namespace dicom
